// A whole gateway that speaks TLS: files beside the route map, what its pages say, client certificates, the admin port, and what is
// said of files that cannot be used.

import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import { createLog } from '../../src/observability/logger.ts'
import { type Running, start } from '../../src/server/start.ts'
import { makeAuthority } from '../support/certificates.ts'
import { type RecordingUpstream, startRecordingUpstream } from '../support/recording-upstream.ts'
import { askTls, type TlsAnswer } from '../support/tls-port.ts'

const authority = makeAuthority()
const clients = makeAuthority('clients')
const client = clients.issue('client')

let folder: string
let upstream: RecordingUpstream
beforeAll(async () => {
  upstream = await startRecordingUpstream()
  folder = mkdtempSync(join(tmpdir(), 'scopegate-tls-e2e-'))
  const { cert, key } = authority.issue('server')
  const locked = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
  const files = {
    'server.pem': cert,
    'server.key': key,
    'ca.pem': clients.cert,
    'upside-down.pem': authority.cert + cert,
    'locked.key': locked,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true, force: true })
})

let running: Running | undefined
let log = ''
afterEach(async () => {
  await running?.close()
  running = undefined
  log = ''
})

function load(server: string) {
  const text = `version: 1
server:
  listen: 127.0.0.1:0
  publicUrl: https://api.example.org
${server.replaceAll(/^(?=.)/gm, '  ')}
upstreams: { app: { url: "${upstream.url}" } }
routes: [{ name: app, upstream: app, match: { GET /app: public, POST /app: public } }]
`
  return loadRouteMap(text, { file: join(folder, 'routes.yaml'), env: {} })
}

async function open(server: string): Promise<Running> {
  const loaded = load(server)
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  const destination = {
    write: (text: string) => {
      log += text
    },
  }
  running = await start({ settings: loaded.settings, log: createLog({ level: 'info', destination }) })
  return running
}

const PAIR = 'tls: { cert: server.pem, key: server.key }'

function ask(url: string, path: string, options = {}): Promise<TlsAnswer> {
  const { port } = new URL(url)
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`
  return askTls(Number(port), { ca: authority.cert, ...options }, request)
}

describe('the public port', () => {
  test('answers and forwards over TLS, and tells the upstream so', async () => {
    const { url, adminUrl } = await open(`${PAIR}\nadmin: 127.0.0.1:0`)
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/)
    expect(adminUrl).toMatch(/^http:/)
    upstream.reset()
    expect((await ask(url, '/app')).text).toMatch(/^HTTP\/1\.1 200 /)
    expect(upstream.arrived[0]!.headers).toMatchObject({ 'x-forwarded-proto': 'https', 'x-forwarded-for': '127.0.0.1' })
  })

  test('its own pages say that they are to be called by TLS only; forwarded answers do not', async () => {
    const { url } = await open(`${PAIR}\nadmin: 127.0.0.1:0`)
    for (const path of ['/scopes/', '/scopes', '/scopes/nothing-here', '/scopes/matrix', '/scopes.json']) {
      const { text } = await ask(url, path)
      if (path.endsWith('here')) expect(text).toMatch(/^HTTP\/1\.1 404 /)
      else expect(text).toMatch(/^strict-transport-security: max-age=31536000\r$/m)
    }
    expect((await ask(url, '/app')).text).not.toMatch(/strict-transport-security/i)
  })

  test('asks every client for a certificate where a CA is named', async () => {
    const { url } = await open('tls: { cert: server.pem, key: server.key, clientCa: ca.pem }\nadmin: 127.0.0.1:0')
    expect((await ask(url, '/app')).text).toBe('')
    expect((await ask(url, '/app', client)).text).toMatch(/^HTTP\/1\.1 200 /)
  })

  test('a stream of events ends when the CA of its client is withdrawn; that of a client without certificate goes on', async () => {
    writeFileSync(join(folder, 'changing.pem'), clients.cert)
    const clientCa = 'clientCa: changing.pem, clientCertificates: optional'
    const { url } = await open(`tls: { cert: server.pem, key: server.key, ${clientCa} }\nadmin: 127.0.0.1:0`)
    upstream.reset()
    const streams: ServerResponse[] = []
    upstream.raw = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
      streams.push(response)
    }
    const kept = ask(url, '/app')
    await expect.poll(() => streams.length).toBe(1)
    const cut = ask(url, '/app', client)
    await expect.poll(() => streams.length).toBe(2)
    writeFileSync(join(folder, 'changing.pem'), makeAuthority('others').cert)
    expect((await cut).text).toMatch(/data: one\n\n\r\n$/)
    await expect.poll(() => streams[1]!.destroyed).toBe(true)
    streams[0]!.end('data: last\n\n')
    expect((await kept).text).toMatch(/data: last\n\n\r\n0\r\n\r\n$/)
  })

  test('warns of a certificate that ends soon', async () => {
    const { cert, key } = authority.issue('ending', { notAfter: Date.now() + 3_600_000 })
    writeFileSync(join(folder, 'ending.pem'), cert)
    writeFileSync(join(folder, 'ending.key'), key)
    await open('tls: { cert: ending.pem, key: ending.key }\nadmin: 127.0.0.1:0')
    expect(log).toMatch(/"port":"public".*"msg":"the TLS certificate ends soon/)
  })
})

test.each<[string, status: number, request: string]>([
  ['two lengths', 400, 'POST /app HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na'],
  [
    'length and chunks',
    400,
    'POST /app HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  ['two hosts', 400, 'GET /app HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n'],
  ['a path that climbs', 400, 'GET /app/..%2fadmin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ['CONNECT', 405, 'CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HTTP/2 within TLS', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['too many bytes of fields', 431, `GET /app HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`],
  [
    'early data that changes something',
    425,
    'POST /app HTTP/1.1\r\nHost: x\r\nEarly-Data: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  ],
])('%s: refused over TLS as in clear', async (_, status, request) => {
  const { url } = await open(`${PAIR}\nadmin: 127.0.0.1:0`)
  upstream.reset()
  const { text } = await askTls(Number(new URL(url).port), { ca: authority.cert }, request)
  expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(upstream.arrived).toEqual([])
})

describe('an operator', () => {
  test('sees in log and metrics why clients are turned away, and when the certificate ends', async () => {
    const { url, adminUrl } = await open(
      'tls: { cert: server.pem, key: server.key, clientCa: ca.pem }\nadmin: 127.0.0.1:0',
    )
    await ask(url, '/app')
    await ask(url, '/app')
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
    expect(metrics).toContain('scopegate_tls_refused_total{port="public",reason="no-certificate"} 2')
    expect(metrics).toMatch(/scopegate_tls_certificate_end_timestamp_seconds\{port="public"\} \d{10}/)
    expect(log.match(/"port":"public","reason":"no-certificate"/g)).toHaveLength(1)
  })
})

describe('the admin port', () => {
  test.each([
    [
      'a pair of its own',
      'admin: { listen: 127.0.0.1:0, tls: { cert: server.pem, key: server.key }, clientCa: ca.pem }',
    ],
    ["the public port's pair", `${PAIR}\nadmin: { listen: 127.0.0.1:0, clientCa: ca.pem }`],
  ])('with %s is opened by a client certificate', async (_, server) => {
    const { adminUrl } = await open(server)
    expect(adminUrl).toMatch(/^https:/)
    expect((await ask(adminUrl, '/health/ready')).text).toMatch(/^HTTP\/1\.1 200 /)
    expect((await ask(adminUrl, '/keys')).text).toMatch(/^HTTP\/1\.1 401 /)
    expect((await ask(adminUrl, '/keys', client)).text).toMatch(/^HTTP\/1\.1 200 /)
  })
})

describe('files that cannot be used', () => {
  test.each<[string, server: string, path: string, message: RegExp]>([
    ['none', 'tls: { cert: absent.pem, key: server.key }', 'server.tls.cert', /absent\.pem: there is no such file/],
    [
      'a key for a certificate',
      'tls: { cert: server.key, key: server.key }',
      'server.tls.cert',
      /holds no certificate/,
    ],
    ['a certificate for a key', 'tls: { cert: server.pem, key: server.pem }', 'server.tls.key', /holds no private key/],
    ['another pair', 'tls: { cert: ca.pem, key: server.key }', 'server.tls.key', /is not the key of the certificate/],
    [
      'a chain that begins elsewhere',
      'tls: { cert: upside-down.pem, key: server.key }',
      'server.tls.cert',
      /certificate 2 in \S+ is the server's own; put it first/,
    ],
    [
      'a key with a passphrase',
      'tls: { cert: server.pem, key: locked.key }',
      'server.tls.key',
      /locked\.key is encrypted; write it without a passphrase/,
    ],
    [
      'no CA',
      'tls: { cert: server.pem, key: server.key, clientCa: server.pem }',
      'server.tls.clientCa',
      /CN=server, which is no CA/,
    ],
    [
      'no CA for the admin port',
      `${PAIR}\nadmin: { listen: 127.0.0.1:0, clientCa: server.key }`,
      'server.admin.clientCa',
      /holds no certificate/,
    ],
    [
      'none for the admin port',
      'admin: { listen: 127.0.0.1:0, tls: { cert: absent.pem, key: server.key } }',
      'server.admin.tls.cert',
      /no such file/,
    ],
  ])('%s', async (_, server, path, message) => {
    await expect(open(server)).rejects.toMatchObject({ path: path.split('.'), message: expect.stringMatching(message) })
  })

  test.each<[server: string, problem: RegExp]>([
    ['admin: { clientCa: ca.pem }', /client certificates need TLS; give the admin port tls/],
    [
      'tls: { cert: server.pem, key: server.key, clientCertificates: optional }',
      /without clientCa no certificate is asked for/,
    ],
    ['tls: { cert: server.pem }', /missing key "key"/],
  ])('what contradicts itself is said by check: %s', (server, problem) => {
    const loaded = load(server)
    const problems = 'problems' in loaded ? loaded.problems.map(({ message }) => message) : []
    expect(problems.join('\n')).toMatch(problem)
  })

  test('TLS behind a public URL of plain http', () => {
    const loaded = loadRouteMap(
      `version: 1
server: { listen: 127.0.0.1:8443, publicUrl: "http://api.example.org", tls: { cert: c, key: k } }
upstreams: { app: { url: "http://127.0.0.1:1" } }
routes: [{ name: app, upstream: app, match: { GET /app: public } }]
`,
      { file: 'routes.yaml', env: {} },
    )
    expect('problems' in loaded && loaded.problems.map(({ line, message }) => `${line}: ${message}`)).toContainEqual(
      '2: the port speaks TLS, so clients call it by https; write an https URL',
    )
  })
})
