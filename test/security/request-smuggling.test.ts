// Where one request ends must be read alike by everyone: Node CVE-2022-35256, 2023-30589, 2024-27982, 2025-23167, HAProxy 2021-40346,
// 2023-25725, 2023-40225, 2026-90678, Next.js CVE-2026-29057 (DELETE and OPTIONS in chunks), undici CVE-2026-1525. Bytes on the wire.

import { expect, test } from 'vitest'
import { OK, passThrough, startRawUpstream, until } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'
const CHUNKED_BODY = `0\r\n\r\n${SMUGGLED}`

test.each<[string, string[], string]>([
  ['CL.TE', ['Content-Length: 6', 'Transfer-Encoding: chunked'], CHUNKED_BODY],
  ['two lengths', ['Content-Length: 0', 'Content-Length: 38'], SMUGGLED],
  ['two equal lengths', ['Content-Length: 2', 'Content-Length: 2'], 'ok'],
  ['a list of lengths', ['Content-Length: 0, 38'], SMUGGLED],
  ['a length with a plus', ['Content-Length: +0'], SMUGGLED],
  ['a length in hex', ['Content-Length: 0x2'], 'ok'],
  ['xchunked', ['Transfer-Encoding: xchunked'], CHUNKED_BODY],
  ['identity', ['Transfer-Encoding: identity'], CHUNKED_BODY],
  ['identity, chunked', ['Transfer-Encoding: identity, chunked'], CHUNKED_BODY],
  ['chunked, identity', ['Transfer-Encoding: chunked, identity'], CHUNKED_BODY],
  ['two codings', ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], CHUNKED_BODY],
  ['chunked twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], CHUNKED_BODY],
  ['a vertical tab', ['Transfer-Encoding: \x0bchunked'], CHUNKED_BODY],
  ['a folded line', ['Transfer-Encoding:', ' chunked'], CHUNKED_BODY],
  ['a blank before the colon', ['Transfer-Encoding : chunked'], CHUNKED_BODY],
  ['an alias', ['Transfer_Encoding: chunked'], CHUNKED_BODY],
  ['obs-text in a name', ['Transfer-Encoding\x80: chunked'], CHUNKED_BODY],
  ['obs-text in a value', ['X-Note: caf\xe9'], ''],
  ['a bare CR', ['X-Note: a\rTransfer-Encoding: chunked'], CHUNKED_BODY],
  ['a NUL', ['X-Note: a\0b'], ''],
])('%s is refused and closes the connection', async (_name, fields, body) => {
  const upstream = await startRawUpstream((_received, socket) => socket.write(OK))
  const gateway = await passThrough(upstream.url)
  const request = requestText('POST /', fields, body).replace('Connection: close\r\n', '')
  const { text } = await exchangeRaw(gateway.port, Buffer.from(request, 'latin1'))
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
  expect(text).toMatch(/connection: close/i)
  expect(upstream.connections.map((connection) => connection.text).join('')).not.toContain('smuggled')
})

test('a coding on HTTP/1.0 is refused', async () => {
  const upstream = await startRawUpstream((_received, socket) => socket.write(OK))
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(
    gateway.port,
    `POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKED_BODY}`,
  )
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(upstream.connections).toHaveLength(0)
})

test.each(['DELETE', 'OPTIONS', 'PATCH', 'POST', 'PUT'])(
  'a %s in chunks arrives as one request, framed once',
  async (method) => {
    const upstream = await startRawUpstream((received, socket) => {
      if (/0\r\n\r\n$/.test(received)) socket.write(OK)
    })
    const gateway = await passThrough(upstream.url)
    const body = `${SMUGGLED.length.toString(16)};ext=1\r\n${SMUGGLED}\r\n0\r\nX-Trailer: 1\r\n\r\n`
    const { text } = await exchangeRaw(gateway.port, requestText(`${method} /a`, ['Transfer-Encoding: chunked'], body))
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    const [head, ...rest] = upstream.connections[0]!.text.split('\r\n\r\n')
    expect(head).toMatch(/transfer-encoding: chunked$/)
    expect(head).not.toMatch(/content-length/i)
    expect(rest.join('\r\n\r\n')).toBe(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`)
  },
)

test.each(['GET', 'HEAD'])('a body on %s is refused', async (method) => {
  const upstream = await startRawUpstream((_received, socket) => socket.write(OK))
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(
    gateway.port,
    requestText(`${method} /`, [`Content-Length: ${SMUGGLED.length}`], SMUGGLED),
  )
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(1)
  expect(upstream.connections).toHaveLength(0)
})

test('an answer that goes on after its end does not answer the next request', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.includes('GET /second')) socket.write(OK)
    else socket.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\npoisoned`)
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  const first = await fetch(`http://127.0.0.1:${gateway.port}/first`)
  expect(await first.text()).toBe('ok')
  await until(() => upstream.connections[0]!.closed)
  const second = await fetch(`http://127.0.0.1:${gateway.port}/second`)
  expect(await second.text()).toBe('ok')
  expect(upstream.connections).toHaveLength(2)
})
