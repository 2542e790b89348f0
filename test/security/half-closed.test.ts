// Whoever sends rubbish and ends its half of the connection in one breath, as scripts with `nc -N` do, is told what was wrong all the same,
// and gets its answer where nothing was. Who does not come back is given up after a moment.

import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { useBorder } from '../support/border.ts'
import { refusalIn, requestText } from '../support/raw-socket.ts'

const border = useBorder()

function sendAndEnd(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect(border.port, '127.0.0.1', () => socket.end(Buffer.from(bytes, 'latin1')))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(text))
  })
}

test.each<[string, string, string]>([
  ['half a request line', 'GET /app/pub', '400 header-ambiguous'],
  ['half a field', 'GET /app/public/x HTTP/1.1\r\nHost: x\r\nX-No', '400 header-ambiguous'],
  ['no end of the fields', 'GET /app/public/x HTTP/1.1\r\nHost: x\r\n', '400 header-ambiguous'],
  ['rubbish', 'EHLO x\r\n', '400 header-ambiguous'],
  ['a path that climbs', requestText('GET /app/../x'), '400 target-ambiguous'],
  ['two Hosts', requestText('GET /app/x', ['Host: y']), '400 header-ambiguous'],
  ['no Host', 'GET /app/x HTTP/1.1\r\n\r\n', '400 header-ambiguous'],
  [
    'CL.TE',
    requestText('POST /app/x', ['Content-Length: 3', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    '400 header-ambiguous',
  ],
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', '405 interaction-unknown'],
  ['no credential', requestText('GET /app/x'), '401 token-missing'],
  ['no route', requestText('GET /nowhere'), '404 route-unknown'],
])('%s', async (_, bytes, verdict) => {
  expect(refusalIn(await sendAndEnd(bytes))).toBe(verdict)
  expect(border.upstream.bytes()).toBe('')
})

test('a body that ends before its time is never whole upstream', async () => {
  const fields = [border.authorization, 'Content-Length: 100']
  const text = await sendAndEnd(requestText('POST /app/x', fields, 'short'))
  expect(text === '' || /^HTTP\/1\.1 400 /.test(text), text).toBe(true)
  expect(border.upstream.requests).toEqual([])
  const chunked = await sendAndEnd(
    requestText('POST /app/x', [border.authorization, 'Transfer-Encoding: chunked'], '5\r\nsho'),
  )
  expect(chunked === '' || /^HTTP\/1\.1 400 /.test(chunked), chunked).toBe(true)
  expect(border.upstream.requests).toEqual([])
})

test('a whole request has its answer, once', async () => {
  const read = await sendAndEnd(requestText('GET /app/x', [border.authorization]))
  expect(read).toMatch(/^HTTP\/1\.1 200 /)
  const written = await sendAndEnd(requestText('POST /app/x', [border.authorization, 'Content-Length: 5'], 'hello'))
  expect(written).toMatch(/^HTTP\/1\.1 200 /)
  expect(border.upstream.requests.map(({ method }) => method)).toEqual(['GET', 'POST'])
})

test('so has a body that was read and is broken', async () => {
  const fields = [border.authorization, 'Content-Type: application/fhir+json', 'Content-Length: 3']
  expect(refusalIn(await sendAndEnd(requestText('POST /fhir/R4/Patient', fields, '{x}')))).toBe('400 body-invalid')
})

test('where no answer comes, the request at the upstream ends', async () => {
  let ended: Promise<void> | undefined
  border.upstream.answer = (_, socket) => {
    ended = new Promise((resolve) => socket.once('close', () => resolve()))
    return undefined
  }
  expect(await sendAndEnd(requestText('GET /app/x', [border.authorization]))).toBe('')
  await ended
  expect(border.upstream.requests).toHaveLength(1)
})
