// Traefik GHSA-62c8-mh53-4cqv and GHSA-m697-4v8f-55qg, Fabio CVE-2025-48865, Hono GHSA-79qm-7rj5-m7r9: whoever names a header in
// `Connection` has a proxy drop it. Here it is dropped before ours are added, so ours stay; on both ways.

import { expect, test } from 'vitest'
import { OK, passThrough, startRawUpstream } from '../proxy/support/pass-through.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'

const identityHeaders = { subject: 'X-Auth-Subject' }
const grant = { subject: 'alice', scopes: [], patients: [] }

test('a client cannot have our headers removed, nor pass its own copy', async () => {
  const upstream = await startRawUpstream((received, socket) => {
    if (received.endsWith('\r\n\r\n')) socket.write(OK)
  })
  const gateway = await passThrough(upstream.url, { route: { identityHeaders }, grant })
  const fields = ['X-Auth-Subject: root', 'X-Secret: 1']
  const request = requestText('GET /', fields).replace(
    'Connection: close',
    'Connection: close, X-Auth-Subject, X-Forwarded-For, X-Secret, Via',
  )
  await exchangeRaw(gateway.port, request)
  const { text } = upstream.connections[0]!
  expect(text.match(/x-auth-subject: .*/gi)).toEqual(['x-auth-subject: alice'])
  expect(text).toMatch(/x-forwarded-for: 192\.0\.2\.7/)
  expect(text).toMatch(/via: 1\.1 scopegate/)
  expect(text).not.toMatch(/x-secret|root/i)
})

test('an upstream cannot have our headers removed, and its connection fields stay behind', async () => {
  const upstream = await startRawUpstream((_received, socket) => {
    socket.write(
      'HTTP/1.1 200 OK\r\nConnection: X-Hop, Cache-Control, X-Request-Id\r\nX-Hop: 1\r\nKeep-Alive: timeout=99\r\n' +
        'Proxy-Authenticate: Basic\r\nTrailer: X-T\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok',
    )
  })
  const gateway = await passThrough(upstream.url, { grant })
  const { text } = await exchangeRaw(gateway.port, requestText('GET /'))
  expect(text).toMatch(/^HTTP\/1\.1 200/)
  expect(text).toMatch(/cache-control: no-store/)
  expect(text).toMatch(/x-request-id: test-request/)
  expect(text).not.toMatch(/x-hop|timeout=99|proxy-authenticate|^trailer|upgrade/im)
})

test.each([
  'If-Match',
  'If-None-Exist',
  'authorization',
  'Content-Type',
  'content-length',
  'Accept',
  'Prefer',
  'Host',
  'cookie',
  'range',
])('who asks that %s be judged and not sent is refused', async (name) => {
  const upstream = await startRawUpstream((_received, socket) => socket.write(OK))
  const gateway = await passThrough(upstream.url, { grant })
  for (const value of [name, `close, ${name}`, `keep-alive,\t${name.toUpperCase()} ,x`]) {
    const { text } = await exchangeRaw(
      gateway.port,
      requestText('GET /').replace('Connection: close', `Connection: ${value}`),
    )
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(text).toContain('header-ambiguous')
  }
  expect(upstream.connections).toHaveLength(0)
})
