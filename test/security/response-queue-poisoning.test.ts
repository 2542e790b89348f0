// An upstream, or somebody who got a second request smuggled into it, sends an answer that nobody asked for: it must not become the
// answer of whoever asks next on that connection (undici's SECURITY.md; GHSA-77r5-gw3j-2mpf). The connection is closed.

import { expect, test } from 'vitest'
import { OK, passThrough, startRawUpstream, until } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'

test('in one piece with the answer', async () => {
  const upstream = await startRawUpstream((_received, socket, nth) => {
    socket.write(nth === 1 ? OK + POISON : OK)
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  for (let i = 0; i < 3; i++) {
    const { text } = await exchangeRaw(gateway.port, requestText('GET /'))
    expect(text).not.toContain('poison')
  }
  expect(upstream.connections[0]?.text.match(/GET /g)).toHaveLength(1)
})

test('on a connection that rests', async () => {
  const upstream = await startRawUpstream((_received, socket) => {
    socket.write(OK)
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  await exchangeRaw(gateway.port, requestText('GET /'))
  upstream.connections[0]!.socket.write(POISON)
  await until(() => upstream.connections[0]!.closed)
  const { text } = await exchangeRaw(gateway.port, requestText('GET /'))
  expect(text).toMatch(/ok$/)
  expect(upstream.connections).toHaveLength(2)
})

test('on a connection that rests, with others in line for it', async () => {
  const upstream = await startRawUpstream((received, socket, nth) => {
    if (nth === 1 && received.split('GET ').length === 2) socket.write(OK + POISON)
    else socket.write(OK)
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  const all = await Promise.all(Array.from({ length: 6 }, () => exchangeRaw(gateway.port, requestText('GET /'))))
  for (const { text } of all) expect(text).toMatch(/^HTTP\/1\.1 200 OK[\s\S]*\r\n\r\nok$/)
})

test('a body where there is none to be: 204, 304 and HEAD', async () => {
  for (const [line, status] of [
    ['GET /', '204 No Content'],
    ['GET /', '304 Not Modified'],
    ['HEAD /', '200 OK'],
  ]) {
    const upstream = await startRawUpstream((_received, socket, nth) => {
      socket.write(nth === 1 ? `HTTP/1.1 ${status}\r\nContent-Length: ${POISON.length}\r\n\r\n${POISON}` : OK)
    })
    const gateway = await passThrough(upstream.url, { connections: 1 })
    const first = await exchangeRaw(gateway.port, requestText(line!))
    expect(first.text).not.toContain('poison')
    const next = await exchangeRaw(gateway.port, requestText('GET /'))
    expect(next.text).toMatch(/ok$/)
    expect(upstream.connections.length).toBeGreaterThan(1)
  }
})
