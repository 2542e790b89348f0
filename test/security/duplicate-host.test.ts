// HAProxy 2026 (authority enforced at parse), Traefik and Envoy header-confusion advisories: one Host, and it is never believed.

import { expect, test } from 'vitest'
import { OK, passThrough, startRawUpstream } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

test.each([
  ['a second Host', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
  ['an equal second Host', 'GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n'],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two in one', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
  ['user information', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
])('%s is refused', async (_name, request) => {
  const upstream = await startRawUpstream((_received, socket) => socket.write(OK))
  const gateway = await passThrough(upstream.url)
  const { text } = await exchangeRaw(gateway.port, request, (answer) => answer.includes('\r\n\r\n'))
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(upstream.connections).toHaveLength(0)
})

test('the upstream gets its own Host, and the public one as X-Forwarded-Host', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.endsWith('\r\n\r\n')) socket.write(OK)
  })
  const gateway = await passThrough(upstream.url)
  await exchangeRaw(
    gateway.port,
    requestText('GET /', ['X-Forwarded-Host: evil.example', 'Forwarded: host=evil.example']).replace(
      'client.test',
      'evil.example',
    ),
  )
  const { text } = upstream.connections[0]!
  expect(text).toMatch(/^host: 127\.0\.0\.1:\d+$/im)
  expect(text).toMatch(/^x-forwarded-host: gateway\.test$/im)
  expect(text).not.toContain('evil')
})
