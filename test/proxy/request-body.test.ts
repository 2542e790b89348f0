// Bodies that are read whole, and bodies that stream: both bounded, both stopped in time.

import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RequestHeaders, readRequestHeaders } from '../../src/domain/http/request-headers.ts'
import { isRefusal, refuse } from '../../src/domain/refusal.ts'
import { type BodyInspection, BodyRefused, readBody, UploadStream } from '../../src/proxy/request-body.ts'

let handle: (request: IncomingMessage, headers: RequestHeaders) => Promise<string>
const server = createServer((request, response) => {
  const headers = readRequestHeaders(request.rawHeaders, request)
  if (isRefusal(headers)) throw new Error(headers.detail)
  void handle(request, headers).then((text) => response.end(text))
})
let port: number

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})

afterAll(() => {
  server.closeAllConnections()
  server.close()
})

/** Sends pieces, in chunks unless there is one only; gives the answer, or the error. */
function post(pieces: readonly string[], headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve) => {
    const asking = send({ port, method: 'POST', headers, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk) => {
        text += chunk
      })
      answer.on('end', () => resolve(text))
    })
    asking.on('error', (error) => resolve(error.message))
    const next = (i: number): void => {
      if (i === pieces.length - 1) asking.end(pieces[i])
      else asking.write(pieces[i]!, () => setTimeout(() => next(i + 1), 5))
    }
    next(0)
  })
}

const whole = (limit: number) => async (request: IncomingMessage, headers: RequestHeaders) => {
  const body = await readBody(request, headers, { limit })
  return isRefusal(body) ? body.code : body.toString()
}

test('a body within the limit comes whole, in one piece or in several', async () => {
  handle = whole(10)
  expect(await post(['0123456789'])).toBe('0123456789')
  expect(await post(['01234', '56789'])).toBe('0123456789')
  expect(await post([''])).toBe('')
})

test('a body beyond the limit is refused, by its length before it is read and by its bytes when it has none', async () => {
  handle = whole(10)
  expect(await post(['0123456789a'])).toBe('body-too-large')
  expect(await post(['01234', '56789a'])).toBe('body-too-large')
})

test('a compressed body that must be read is refused', async () => {
  handle = whole(10)
  expect(await post(['x'], { 'content-encoding': 'gzip' })).toBe('body-invalid')
  expect(await post(['x'], { 'content-encoding': 'identity' })).toBe('x')
})

test('a body that is cut off is refused', async () => {
  let verdict = ''
  handle = async (request, headers) => {
    verdict = await whole(100)(request, headers)
    return ''
  }
  const asking = send({ port, method: 'POST', headers: { 'content-length': '50' }, agent: false })
  asking.on('error', () => {})
  asking.write('half', () => setTimeout(() => asking.destroy(), 10))
  while (verdict === '') await new Promise((resolve) => setTimeout(resolve, 5))
  expect(verdict).toBe('body-invalid')
})

async function streamed(stream: UploadStream): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream) text += chunk
    return `whole ${text}`
  } catch (error) {
    return `${error instanceof BodyRefused ? error.refusal.code : 'cut'} ${text}`
  }
}

test('a streamed body passes, or stops at the limit', async () => {
  handle = (request) => streamed(new UploadStream(request, 10))
  expect(await post(['01234', '56789'])).toBe('whole 0123456789')
  expect(await post(['01234', '56789', 'a'])).toBe('body-too-large 0123456789')
})

const wants = (last: string): BodyInspection => {
  let seen = ''
  return {
    write: (chunk) => {
      seen += chunk
      return seen.includes('never') ? refuse('body-invalid', 'no') : undefined
    },
    end: () => (seen.endsWith(last) ? undefined : refuse('body-invalid', 'no')),
  }
}

test('an inspected body is never whole before the inspection has passed it', async () => {
  handle = (request) => streamed(new UploadStream(request, 100, wants('end')))
  expect(await post(['one ', 'two ', 'end'])).toBe('whole one two end')
  expect(await post(['one ', 'two ', 'three'])).toBe('body-invalid one two ')
  expect(await post(['end'])).toBe('whole end')
  expect(await post(['other'])).toBe('body-invalid ')
  expect(await post(['one ', 'never', 'end'])).toBe('body-invalid ')
})
