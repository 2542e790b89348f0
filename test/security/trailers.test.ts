// Fields behind a chunked body are read by nobody: neither a client's (node-http-proxy#1647) nor an upstream's come through.

import { expect, test } from 'vitest'
import { passThrough, startRawUpstream } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

test('trailers are dropped on both ways', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (!received.endsWith('0\r\n\r\n')) return
    socket.write(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie\r\n\r\n2\r\nok\r\n0\r\nSet-Cookie: evil=1\r\nX-Up: evil\r\n\r\n',
    )
  })
  const gateway = await passThrough(upstream.url)
  const body = '5\r\nhello\r\n0\r\nAuthorization: Bearer evil\r\nX-Auth-Subject: evil\r\n\r\n'
  const { text } = await exchangeRaw(
    gateway.port,
    requestText('POST /', ['Transfer-Encoding: chunked', 'Trailer: Authorization'], body),
  )
  expect(text).toMatch(/ok$/)
  expect(text).not.toMatch(/evil|trailer/i)
  expect(upstream.connections[0]?.text).not.toMatch(/evil|trailer/i)
})

test.each<[string, string, RegExp]>([
  ['a length', '0\r\nContent-Length: 3\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['a coding', '0\r\nTransfer-Encoding: chunked\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['no field', '0\r\nnothing\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['a folded line', '0\r\nX: a\r\n b\r\n\r\n', /^HTTP\/1\.1 400 /],
  ['a bare LF', '0\r\nX: a\n\r\n', /^HTTP\/1\.1 400 /],
  ['too much', `0\r\nX: ${'x'.repeat(30_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /],
])('%s among the trailers is refused, and the request never whole upstream', async (_, body, status) => {
  const upstream = await startRawUpstream(() => {})
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(
    gateway.port,
    requestText('POST /', ['Transfer-Encoding: chunked'], `2\r\nok\r\n${body}`),
  )
  expect(text).toMatch(status)
  expect(upstream.connections.map((one) => one.text).join('')).not.toMatch(/0\r\n\r\n$/)
})
