import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { refuse } from '../../src/domain/refusal.ts'
import { replyJson, replyRefusal } from '../../src/proxy/reply.ts'

const context = { fhir: true, wantsXml: false, requestId: 'r-1', challenge: { realm: 'r4' } }
let server: http.Server

afterEach(() => {
  server.closeAllConnections()
  server.close()
})

async function listen(handle: http.RequestListener): Promise<number> {
  server = http.createServer(handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** Sends bytes on a socket of its own and gives back all that comes until the other side closes. */
async function exchange(port: number, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = net.connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.on('error', () => {})
  for (const piece of pieces) socket.write(piece)
  await new Promise((resolve) => socket.once('close', resolve))
  return text
}

test('a refusal on the wire', async () => {
  const refusal = refuse('scope-insufficient', 'Ask for it.', { scopes: ['user/Patient.r'] })
  const port = await listen((_, response) => void replyRefusal(response, refusal, context))
  const text = await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const [head = '', body = ''] = text.split('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 403 /)
  expect(head).toContain('cache-control: no-store')
  expect(head).toContain('x-content-type-options: nosniff')
  expect(head).toContain('x-request-id: r-1')
  expect(head).toContain('www-authenticate: Bearer realm="r4", error="insufficient_scope"')
  expect(head).toContain(`content-length: ${body.length}`)
  expect(JSON.parse(body).issue[0].diagnostics).toBe('Ask for it.')
})

test('HEAD has the length but no body', async () => {
  const port = await listen((_, response) => {
    expect(replyRefusal(response, refuse('token-missing', 'x'), context)).toEqual({ status: 401, bytes: 0 })
  })
  const text = await exchange(port, 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(text).toMatch(/content-length: [1-9]/)
  expect(text.endsWith('\r\n\r\n')).toBe(true)
})

test('Retry-After and Allow, but never with not-found', async () => {
  const extras = { retryAfter: 0.2, status: 405, allow: ['GET', 'HEAD'] }
  const port = await listen((request, response) => {
    const code = request.url === '/known' ? 'interaction-unknown' : 'not-found'
    replyRefusal(response, refuse(code, 'x', extras), context)
  })
  const known = await exchange(port, 'GET /known HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(known).toMatch(/^HTTP\/1\.1 405 /)
  expect(known).toContain('retry-after: 1\r\n')
  expect(known).toContain('allow: GET, HEAD\r\n')
  const hidden = await exchange(port, 'GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(hidden).toMatch(/^HTTP\/1\.1 404 /)
  expect(hidden).not.toMatch(/retry-after|allow:/)
})

test('an upload that nobody reads: the answer arrives whole and the connection closes', async () => {
  const port = await listen((_, response) => void replyRefusal(response, refuse('token-missing', 'x'), context))
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n'
  const text = await exchange(port, head, Buffer.alloc(8_000_000))
  expect(text).toMatch(/^HTTP\/1\.1 401 /)
  expect(text).toContain('connection: close')
  expect(JSON.parse(text.split('\r\n\r\n')[1]!).issue[0].details.coding[0].code).toBe('token-missing')
})

test('a small body that has arrived keeps no client waiting', async () => {
  const port = await listen((_, response) => void replyRefusal(response, refuse('body-invalid', 'x'), context))
  const text = await exchange(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}')
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
})

test('Expect: 100-continue is answered with the refusal, and no 100', async () => {
  const port = await listen(() => {})
  server.on('checkContinue', (_, response) => void replyRefusal(response, refuse('token-missing', 'x'), context))
  const text = await exchange(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n')
  expect(text).toMatch(/^HTTP\/1\.1 401 /)
  expect(text).not.toContain('100 Continue')
})

test('an answer that has begun is broken off, not mixed with another', async () => {
  const port = await listen((_, response) => {
    response.writeHead(200, { 'content-length': '10' })
    response.write('12345')
    replyRefusal(response, refuse('upstream-broken', 'x'), context)
  })
  const text = await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(text).not.toContain('upstream-broken')
})

test('a JSON document of our own', async () => {
  const port = await listen((_, response) => void replyJson(response, 200, { a: 1 }))
  const text = await exchange(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  expect(text).toContain('content-type: application/json')
  expect(text.endsWith('{"a":1}\n')).toBe(true)
})
