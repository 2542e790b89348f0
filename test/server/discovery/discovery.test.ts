import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { loadRouteMap } from '../../../src/config/load.ts'
import type { Settings } from '../../../src/config/settings.ts'
import { isRefusal, type Refusal } from '../../../src/domain/refusal.ts'
import type { Document } from '../../../src/proxy/reply.ts'
import { createDiscovery, type Discovery } from '../../../src/server/discovery/discovery.ts'
import type { OpenRequest } from '../../../src/server/discovery/open-document.ts'

const open: { close(): unknown }[] = []

afterEach(async () => {
  for (const part of open.splice(0)) await part.close()
})

/** A server whose answers are a table of paths; `undefined` breaks the connection. */
async function serve(answer: (path: string, request: http.IncomingMessage) => unknown): Promise<string> {
  const server = http.createServer((request, response) => {
    const value = answer(request.url!, request)
    if (value === undefined) request.socket.destroy()
    else if (typeof value === 'number') response.writeHead(value).end()
    else response.end(typeof value === 'string' ? value : JSON.stringify(value))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({ close: () => server.close().closeAllConnections() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function settingsOf(issuer: string, upstream: string, publicUrl = 'http://gateway.test'): Settings {
  const text = `
version: 1
server: { listen: 127.0.0.1:0, publicUrl: ${publicUrl} }
issuers: [{ name: ehr, issuer: ${issuer}, audience: [a], discovery: true }]
upstreams: { nexus: { url: ${upstream}/fhir } }
scopes: { Some: { user/Patient.read: { credentials: [smart] } } }
routes:
  - { name: r4, fhir: R4, path: /fhir/R4, upstream: nexus, smart: true, authorization: { bearer: to-the-upstream } }
  - { name: bare, fhir: R4, path: /bare, upstream: nexus }
  - { name: api, upstream: nexus, match: { GET /api/things: user/Patient.read } }
`
  const loaded = loadRouteMap(text, { file: '/routes.yaml', env: {} })
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  return loaded.settings
}

function discover(settings: Settings, fetched: [string, unknown][] = []): Discovery {
  const discovery = createDiscovery(settings, { onFetch: (what, error) => void fetched.push([what, error]) })
  open.push(discovery)
  return discovery
}

async function ask(discovery: Discovery, path: string, request: Partial<OpenRequest> = {}): Promise<Document> {
  const answer = await discovery.find(path)!.answer({ method: 'GET', ...request })
  if (isRefusal(answer)) throw new Error(`refused: ${answer.code}`)
  return answer
}

async function refused(discovery: Discovery, path: string, request: Partial<OpenRequest> = {}): Promise<Refusal> {
  const answer = await discovery.find(path)!.answer({ method: 'GET', ...request })
  if (!isRefusal(answer)) throw new Error('not refused')
  return answer
}

const json = (document: Document): Record<string, unknown> => JSON.parse(document.body.toString())
const header = ({ headers = [] }: Document, name: string): string | undefined => headers[headers.indexOf(name) + 1]
const statement = { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', rest: [{ mode: 'server' }] }

async function issuerServer(): Promise<string> {
  let base = ''
  base = await serve((path) =>
    path === '/.well-known/openid-configuration'
      ? {
          issuer: base,
          jwks_uri: `${base}/jwks`,
          token_endpoint: `${base}/token`,
          authorization_endpoint: `${base}/auth`,
        }
      : 404,
  )
  return base
}

test('the three documents, with the first request waiting for the first fetch', async () => {
  const authorizations: unknown[] = []
  const upstream = await serve((path, { headers }) => {
    authorizations.push(headers.authorization)
    return path === '/fhir/metadata' ? statement : 404
  })
  const issuer = await issuerServer()
  const fetched: [string, unknown][] = []
  const discovery = discover(settingsOf(issuer, upstream), fetched)

  const configuration = await ask(discovery, '/fhir/R4/.well-known/smart-configuration', {
    accept: 'application/fhir+xml',
  })
  expect(configuration).toMatchObject({ status: 200, contentType: 'application/json' })
  expect(header(configuration, 'access-control-allow-origin')).toBe('*')
  expect(json(configuration)).toMatchObject({
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    scopes_supported: ['user/Patient.read'],
  })

  const metadata = await ask(discovery, '/fhir/R4/metadata')
  expect(metadata.contentType).toMatch(/^application\/fhir\+json/)
  expect(json(metadata)).toMatchObject({ fhirVersion: '4.0.1', implementation: { url: 'http://gateway.test/fhir/R4' } })
  expect(metadata.body.toString()).not.toContain(upstream)

  const resource = await ask(discovery, '/.well-known/oauth-protected-resource/fhir/R4')
  expect(json(resource)).toMatchObject({ resource: 'http://gateway.test/fhir/R4', authorization_servers: [issuer] })
  expect(json(await ask(discovery, '/.well-known/oauth-protected-resource/api/things'))).toMatchObject({
    resource: 'http://gateway.test/api/things',
  })

  await ask(discovery, '/bare/metadata')
  expect(authorizations.toSorted()).toEqual(['Bearer to-the-upstream', undefined])
  expect(fetched.every(([, error]) => error === undefined)).toBe(true)
})

test('only these exact paths are open', async () => {
  const discovery = discover(settingsOf(await issuerServer(), await serve(() => 404)))
  for (const path of [
    '/metadata',
    '/fhir/R4',
    '/fhir/R4/metadata/',
    '/fhir/R4/Patient',
    '/api/metadata',
    '/bare/.well-known/smart-configuration',
    '/.well-known/oauth-protected-resource/fhir',
    '/.well-known/smart-configuration',
  ])
    expect(discovery.find(path)).toBeUndefined()
})

test('ETag, preflight, other methods, other formats', async () => {
  const discovery = discover(settingsOf(await issuerServer(), await serve(() => statement)))
  const path = '/fhir/R4/metadata'
  const etag = header(await ask(discovery, path), 'etag')!
  expect(await ask(discovery, path, { ifNoneMatch: `"x", W/${etag}` })).toMatchObject({ status: 304 })
  expect(await ask(discovery, path, { ifNoneMatch: '"x"' })).toMatchObject({ status: 200 })
  const preflight = await ask(discovery, path, { method: 'OPTIONS' })
  expect(preflight.status).toBe(204)
  expect(header(preflight, 'access-control-allow-methods')).toBe('GET, HEAD')
  expect(await refused(discovery, path, { method: 'POST' })).toMatchObject({ status: 405, code: 'interaction-unknown' })
  expect(await refused(discovery, path, { format: 'xml' })).toMatchObject({ status: 406 })
  expect(await refused(discovery, path, { accept: 'application/fhir+xml' })).toMatchObject({ status: 406 })
  expect(await ask(discovery, path, { accept: 'application/fhir+xml, application/fhir+json;q=0.5' })).toMatchObject({
    status: 200,
  })
})

test.each<[string, () => unknown, RegExp]>([
  ['answers with an error', () => 500, /answered 500/],
  ['breaks the connection', () => undefined, /cannot be fetched/],
  ['gives something else', () => ({ resourceType: 'Patient' }), /no CapabilityStatement/],
  ['gives no JSON', () => '<html>', /not JSON/],
])('an upstream that %s: refused, and no address in the log', async (_, answer, message) => {
  const upstream = await serve(answer)
  const fetched: [string, unknown][] = []
  const discovery = discover(settingsOf(await issuerServer(), upstream), fetched)
  expect(await refused(discovery, '/bare/metadata')).toMatchObject({
    code: 'upstream-unreachable',
    extras: { retryAfter: 5 },
  })
  const failure = fetched.find(([what]) => what === 'metadata of nexus')![1] as Error
  expect(failure.message).toMatch(message)
  expect(failure.message).not.toContain(upstream)
})

test('a statement that no reader can follow is refused, not crashed on', async () => {
  const deep = `{"resourceType":"CapabilityStatement","x":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  const discovery = discover(settingsOf(await issuerServer(), await serve(() => deep)))
  expect(['upstream-broken', 'upstream-unreachable']).toContain((await refused(discovery, '/bare/metadata')).code)
})

test('an issuer that does not answer: smart-configuration is refused, the rest stands', async () => {
  const issuer = await serve(() => undefined)
  const discovery = discover(settingsOf(issuer, await serve(() => statement)))
  expect(await refused(discovery, '/fhir/R4/.well-known/smart-configuration')).toMatchObject({
    code: 'issuer-unavailable',
  })
  expect(await ask(discovery, '/fhir/R4/metadata')).toMatchObject({ status: 200 })
})

test('the well-known path is inserted between host and path, with a public prefix too', async () => {
  const settings = settingsOf(await issuerServer(), await serve(() => statement), 'http://gateway.test/gw')
  const discovery = discover(settings)
  expect(settings.routes.map((route) => discovery.resourceMetadata(route))).toEqual([
    'http://gateway.test/.well-known/oauth-protected-resource/gw/fhir/R4',
    'http://gateway.test/.well-known/oauth-protected-resource/gw/bare',
    'http://gateway.test/.well-known/oauth-protected-resource/gw/api/things',
  ])
  for (const path of ['/gw/fhir/R4', '/fhir/R4']) {
    expect(discovery.find(`/.well-known/oauth-protected-resource${path}`)).toBeDefined()
  }
})
