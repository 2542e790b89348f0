// TLS towards an upstream over real sockets: own CA, client certificate, the name that must be proved.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import { askUpstream } from '../../src/proxy/ask-upstream.ts'
import { Upstream } from '../../src/proxy/upstream.ts'
import { readUpstreamTls, type UpstreamTlsFiles } from '../../src/proxy/upstream-tls.ts'
import { makeAuthority } from '../support/certificates.ts'
import { until } from './support/pass-through.ts'
import { upstreamOptions } from './support/upstream-options.ts'

const ca = makeAuthority('internal CA')
const stranger = makeAuthority('another CA')
const files = mkdtempSync(join(tmpdir(), 'upstream-tls-'))
const file = (name: string, text: string): string => {
  writeFileSync(join(files, name), text)
  return join(files, name)
}
const gateway = ca.issue('gateway')
const at = {
  ca: file('ca.pem', ca.cert),
  stranger: file('stranger.pem', stranger.cert),
  cert: file('gateway.pem', gateway.cert),
  key: file('gateway.key', gateway.key),
  otherKey: file('other.key', stranger.issue('other').key),
  empty: file('empty.pem', ''),
}

interface Seen {
  readonly servername: string | false | null
  readonly client: string | undefined
}

let server: Server
let url: string
const seen: Seen[] = []
beforeAll(async () => {
  const own = ca.issue('fhir.internal', { names: ['fhir.internal'] })
  const loopback = ca.issue('loopback', { names: ['127.0.0.1'] })
  const internal = { cert: own.cert, key: own.key }
  server = createServer(
    {
      ...loopback,
      ca: ca.cert,
      requestCert: true,
      rejectUnauthorized: false,
      SNICallback: (name, done) => {
        import('node:tls').then(({ createSecureContext }) =>
          done(null, createSecureContext(name === 'fhir.internal' ? { ...internal, ca: ca.cert } : loopback)),
        )
      },
    },
    (request, response) => {
      const socket = request.socket as TLSSocket
      const client = socket.authorized ? socket.getPeerX509Certificate()?.subject : undefined
      seen.push({ servername: socket.servername, client })
      response.end('ok')
    },
  )
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

let upstream: Upstream
afterEach(async () => {
  seen.length = 0
  await upstream?.close()
})

async function ask(tls: UpstreamTlsFiles | undefined, health = {}): Promise<string> {
  const read = tls && (await readUpstreamTls(tls))
  upstream = new Upstream(upstreamOptions({ url: [url], ...health }), { tls: read })
  upstream.start()
  const answer = await askUpstream(upstream, { method: 'GET', path: '/' }, [], 1000)
  return isRefusal(answer) ? answer.code : String(answer.status)
}

test('a server of an unknown CA is not talked to', async () => {
  expect(await ask(undefined)).toBe('upstream-unreachable')
  expect(await ask({ ca: at.stranger })).toBe('upstream-unreachable')
  expect(seen).toEqual([])
})

test('one of the own CA is; it gets no certificate that nobody configured', async () => {
  expect(await ask({ ca: at.ca })).toBe('200')
  expect(seen).toEqual([{ servername: false, client: undefined }])
})

test('the certificate of the gateway is shown', async () => {
  expect(await ask({ ca: at.ca, cert: at.cert, key: at.key })).toBe('200')
  expect(seen[0]?.client).toBe('CN=gateway')
})

test('the server must prove the name that was configured, and gets it as SNI', async () => {
  expect(await ask({ ca: at.ca, serverName: 'fhir.internal' })).toBe('200')
  expect(seen[0]?.servername).toBe('fhir.internal')
  expect(await ask({ ca: at.ca, serverName: 'other.internal' })).toBe('upstream-unreachable')
  expect(seen).toHaveLength(1)
})

test('health checks speak the same TLS', async () => {
  const health = { path: '/healthz', interval: 10_000, timeout: 1_000, unhealthyAfter: 1, healthyAfter: 1 }
  expect(await ask({ ca: at.ca, cert: at.cert, key: at.key, serverName: 'fhir.internal' }, { health })).toBe('200')
  await until(() => seen.length === 2)
  expect(seen[0]).toEqual(seen[1])
  expect(seen[0]).toEqual({ servername: 'fhir.internal', client: 'CN=gateway' })
  expect(upstream.count('available')).toBe(1)
})

test.each<[string, UpstreamTlsFiles, RegExp]>([
  ['a file that is not there', { ca: join(files, 'nowhere') }, /nowhere cannot be read \(ENOENT\)/],
  ['a CA file without a certificate: Node would believe every public CA', { ca: at.empty }, /holds no certificate/],
  ['a key of another certificate', { cert: at.cert, key: at.otherKey }, /not the key of the certificate/],
  ['a key that is none', { cert: at.cert, key: at.cert }, /no private key/],
])('is refused: %s', async (_, tls, message) => {
  await expect(readUpstreamTls(tls)).rejects.toThrow(message)
  await expect(readUpstreamTls(tls)).rejects.not.toThrow(/PRIVATE KEY-----/)
})
