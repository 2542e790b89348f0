// A client that goes away must not leave work behind (http-proxy-3#5, node-http-proxy#1468): the upstream request is cancelled,
// whatever it is doing, and its connection serves no one else in a half-read state.

import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { OK, passThrough, startRawUpstream, until } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

test.each<[string, string, string]>([
  ['before the answer', requestText('GET /slow'), ''],
  ['within the answer', requestText('GET /slow'), 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'],
  ['within its own body', requestText('POST /slow', ['Content-Length: 100'], 'half'), ''],
])('%s', async (_name, request, answer) => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.includes('/slow')) socket.write(answer)
    else socket.write(OK)
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  let seen = ''
  const client = connect(gateway.port, '127.0.0.1', () => client.write(request))
  client.on('data', (chunk) => {
    seen += chunk.toString()
  })
  await until(
    () => (upstream.connections[0]?.text.includes('/slow') ?? false) && (answer === '' || seen.endsWith('half')),
  )
  client.destroy()
  await until(() => upstream.connections[0]!.closed)
  await until(() => gateway.reports.length === 1)
  expect(gateway.reports[0]?.outcome).toBe('client-aborted')
  expect(gateway.upstream.running).toBe(0)
  const next = await exchangeRaw(gateway.port, requestText('GET /next'))
  expect(next.text).toMatch(/ok$/)
})

test('one that waits in the queue is never sent', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.includes('/first')) setTimeout(() => socket.write(OK), 100)
  })
  const gateway = await passThrough(upstream.url, { connections: 1 })
  const first = exchangeRaw(gateway.port, requestText('GET /first'))
  await until(() => upstream.connections.length === 1)
  const waiting = connect(gateway.port, '127.0.0.1', () => waiting.write(requestText('GET /waiting')))
  await until(() => gateway.upstream.running === 2)
  waiting.destroy()
  expect((await first).text).toMatch(/ok$/)
  await until(() => gateway.upstream.running === 0)
  expect(upstream.connections.map(({ text }) => text).join('')).not.toContain('/waiting')
})
