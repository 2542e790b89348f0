// Upstreams as the route map says: several servers, health, TLS, the gateway's own token, other paths; and that every fault on that
// side is an answer of the gateway's own and never half of a good one.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { makeAuthority } from '../support/certificates.ts'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const EVERYTHING = { scope: 'system/*.cruds' }
const READ = 'GET /fhir/R4/Patient/p1'

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close()
})

async function rigOf(map: Parameters<typeof startRig>[0]): Promise<Rig> {
  const rig = await startRig(map)
  opened.push(rig)
  return rig
}

async function serverOf(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  opened.push({
    close: () => {
      server.closeAllConnections()
      server.close()
    },
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A route map whose `store` says other things. */
const storeMap = (keys: string, more = '') => {
  const map = fhirMap({ more })
  return (at: Parameters<typeof map>[0]) =>
    map(at).replace(/store: \{.*\}/, `store: { ${keys.replaceAll('STORE', `${at.upstream}/base`)} }`)
}

describe('several servers', () => {
  test('one is away: every request is answered, writes too; the log and the metrics say which, without its address', async () => {
    const rig = await rigOf({ map: storeMap('url: ["http://127.0.0.1:1/base", STORE], ejection: { faults: 2 }') })
    for (let i = 0; i < 6; i++) {
      expect((await rig.ask(READ, EVERYTHING)).status).toBe(200)
      const created = await rig.ask('POST /fhir/R4/Patient', { ...EVERYTHING, body: { resourceType: 'Patient' } })
      expect(created.status).toBe(201)
    }
    const line = rig
      .log()
      .split('\n')
      .find((each) => each.includes('a server of an upstream is left out'))!
    expect(JSON.parse(line)).toMatchObject({ upstream: 'store', target: 1, of: 2, was: 'available', state: 'ejected' })
    expect(line).not.toContain('127.0.0.1')
    const metrics = (await rig.askAdmin('GET /metrics')).text
    expect(metrics).toContain('scopegate_upstream_targets{upstream="store",state="ejected"} 1')
    expect(metrics).toContain('scopegate_upstream_targets{upstream="store",state="available"} 1')
    expect(metrics).toContain('scopegate_upstream_waiting{upstream="store"} 0')
  })

  test('that all fail their checks do not make the gateway unready, and are tried all the same', async () => {
    const rig = await rigOf({
      map: storeMap('url: [STORE, STORE], health: { path: /healthz, interval: 10ms, unhealthyAfter: 1 }'),
    })
    rig.upstream.script = ({ url }) => ({ status: url === '/healthz' ? 503 : 200, body: { resourceType: 'Patient' } })
    await expect.poll(async () => (await rig.askAdmin('GET /metrics')).text).toContain('state="unhealthy"} 2')
    expect((await rig.askAdmin('GET /health/ready')).status).toBe(200)
    expect((await rig.ask(READ, EVERYTHING)).status).toBe(200)
  })
})

describe('TLS', () => {
  const ca = makeAuthority('internal CA')
  const directory = mkdtempSync(join(tmpdir(), 'upstreams-'))
  const caFile = join(directory, 'ca.pem')
  writeFileSync(caFile, ca.cert)

  async function tlsStore(): Promise<string> {
    const server = createTlsServer({ ...ca.issue('store', { names: ['fhir.internal'] }) }, (request, response) => {
      const body = request.url!.endsWith('/metadata')
        ? { resourceType: 'CapabilityStatement', status: 'active', rest: [{ mode: 'server' }] }
        : { resourceType: 'Patient', id: 'p1' }
      response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(body))
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    opened.push({
      close: () => {
        server.closeAllConnections()
        server.close()
      },
    })
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}/base`
  }

  test('by the own CA and a name: requests and metadata', async () => {
    const url = await tlsStore()
    const rig = await rigOf({ map: storeMap(`url: "${url}", tls: { ca: "${caFile}", serverName: fhir.internal }`) })
    expect((await rig.ask(READ, EVERYTHING)).status).toBe(200)
    expect((await rig.ask('GET /fhir/R4/metadata')).status).toBe(200)
  })

  test('without them, nothing', async () => {
    const url = await tlsStore()
    const rig = await rigOf({ map: storeMap(`url: "${url}"`) })
    expect(verdictOf(await rig.ask(READ, EVERYTHING))).toBe('502 upstream-unreachable')
    expect(verdictOf(await rig.ask('GET /fhir/R4/metadata'))).toBe('502 upstream-unreachable')
  })

  test('files that cannot be used: the gateway does not start', async () => {
    await expect(startRig({ map: storeMap('url: "https://h", tls: { ca: /nowhere/ca.pem }') })).rejects.toThrow(
      /\/nowhere\/ca\.pem cannot be read \(ENOENT\)/,
    )
  })
})

describe("the gateway's own token", () => {
  const mapOf = (issuer: string) => {
    const credentials = `authorization: { clientCredentials: { url: "${issuer}/token", clientId: gw, clientSecret: s3cret, scope: system/*.rs } }`
    return fhirMap({ route: credentials })
  }
  const minting = () => {
    let nth = 0
    const minted: RequestListener = (_request, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ access_token: `own-${++nth}`, token_type: 'Bearer', expires_in: 600 }))
    return serverOf(minted)
  }

  test("goes up instead of the client's, with reads, writes and what the gateway asks itself", async () => {
    const rig = await rigOf({ map: mapOf(await minting()) })
    await rig.ask(READ, EVERYTHING)
    await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'patient/*.rs', claims: { patient: 'p1' } })
    await rig.ask('PUT /fhir/R4/Patient/p1', {
      scope: 'patient/*.cruds',
      claims: { patient: 'p1' },
      body: { resourceType: 'Patient', id: 'p1' },
    })
    expect(rig.upstream.arrived.length).toBeGreaterThan(2)
    expect(new Set(rig.upstream.arrived.map(({ headers }) => headers['authorization']))).toEqual(
      new Set(['Bearer own-1']),
    )
    expect(rig.log()).not.toMatch(/own-1|s3cret/)
  })

  test.each<[string, RequestListener | undefined]>([
    ['away', undefined],
    ['refusing', (_request, response) => response.writeHead(401).end()],
    ['breaking off', (request) => request.socket.destroy()],
    ['answering nonsense', (_request, response) => response.end('<html>')],
  ])('the token endpoint %s: 503, and nothing goes up', async (_, listener) => {
    const rig = await rigOf({ map: mapOf(listener === undefined ? 'http://127.0.0.1:1' : await serverOf(listener)) })
    for (let i = 0; i < 3; i++) {
      const answer = await rig.ask(READ, EVERYTHING)
      expect(verdictOf(answer)).toBe('503 issuer-unavailable')
      expect(answer.headers['retry-after']).toBe('2')
    }
    expect(rig.upstream.arrived).toEqual([])
    expect(rig.log()).not.toContain('s3cret')
  })

  test('refused by the upstream: 502 and no challenge, then a new one', async () => {
    const rig = await rigOf({ map: mapOf(await minting()) })
    rig.upstream.script = ({ headers }) =>
      headers['authorization'] === 'Bearer own-1'
        ? { status: 401, headers: { 'www-authenticate': 'Bearer' } }
        : { body: { resourceType: 'Patient', id: 'p1' } }
    const answer = await rig.ask(READ, EVERYTHING)
    expect(verdictOf(answer)).toBe('502 upstream-broken')
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect((await rig.ask(READ, EVERYTHING)).status).toBe(200)
  })

  test('is not fetched for who is refused', async () => {
    let fetched = 0
    const issuer = await serverOf((_request, response) => {
      fetched++
      response.writeHead(500).end()
    })
    const rig = await rigOf({ map: mapOf(issuer) })
    await expect.poll(() => rig.log()).toContain('metadata of store')
    const before = fetched
    expect((await rig.ask(READ)).status).toBe(401)
    expect((await rig.ask(READ, { scope: 'system/Observation.rs' })).status).toBe(403)
    expect(fetched).toBe(before)
  })
})

describe('rewrite', () => {
  const more = `  - { name: app, upstream: app, match: { "GET /app/{id}/*": public, "POST /app": public }, rewrite: { from: /app, to: /v2/internal } }\n`
  const map = () => {
    const plain = fhirMap({ more })
    return (at: Parameters<typeof plain>[0]) =>
      plain(at).replace('upstreams:', `upstreams:\n  app: { url: "${at.upstream}/root" }`)
  }

  test('the path that arrives, and the place that comes back', async () => {
    const rig = await rigOf({ map: map() })
    rig.upstream.script = () => ({ status: 201, headers: { location: `${rig.upstream.url}/root/v2/internal/7?x=1` } })
    const answer = await rig.ask('POST /app?a=%2F', { body: '' })
    expect(rig.upstream.arrived[0]?.url).toBe('/root/v2/internal?a=/')
    expect(answer.headers['location']).toBe('https://api.example.org/app/7?x=1')
    await rig.ask('GET /app/a%20b/c/')
    expect(rig.upstream.arrived[1]?.url).toBe('/root/v2/internal/a%20b/c/')
  })

  test.each(['GET /app/x/../../../admin', 'GET /app/x/%2e%2e/y', 'GET /app//x', 'GET /app/x/%2f', 'GET /app/x;y/z'])(
    '%s arrives nowhere',
    async (line) => {
      const rig = await rigOf({ map: map() })
      expect((await rig.ask(line)).status).toBe(400)
      expect(rig.upstream.arrived).toEqual([])
    },
  )
})

describe('faults are answered, and no half of a good answer ends well', () => {
  type Misbehaviour = (request: IncomingMessage, response: ServerResponse) => void
  test.each<[name: string, misbehave: Misbehaviour, verdict: RegExp]>([
    ['stalls', () => {}, /^504 upstream-timeout$/],
    ['resets', (request) => request.socket.resetAndDestroy(), /^502 upstream-broken$/],
    ['half a head', (request) => request.socket.end('HTTP/1.1 200 OK\r\nContent-'), /^502 upstream-broken$/],
    [
      'early hints, then nothing',
      (request) => request.socket.end('HTTP/1.1 103 Early Hints\r\n\r\n'),
      /^502 upstream-broken$/,
    ],
    [
      'switches protocols unasked',
      (request) => request.socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
      /^502 upstream-broken$/,
    ],
  ])('%s', async (_, misbehave, verdict) => {
    const rig = await rigOf({ map: storeMap('url: STORE, timeout: 100ms, idleTimeout: 100ms') })
    rig.upstream.raw = misbehave
    for (const line of [READ, 'GET /fhir/R4/Patient', 'POST /fhir/R4/Patient']) {
      const body = line.startsWith('POST') ? { body: { resourceType: 'Patient' } } : {}
      expect(verdictOf(await rig.ask(line, { ...EVERYTHING, ...body }))).toMatch(verdict)
    }
  })
})
