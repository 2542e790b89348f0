// Browser apps of other origins (spec §5.3): what a listed origin is told on every kind of answer, how preflights are answered, and
// that nothing is said where `cors` is not written.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const APP = 'https://app.example.org'
const PLAIN = `  - name: events
    upstream: store
    match:
      POST /events/{id}: public
      GET /events/{id}: public
`

const rigs: Record<string, Rig> = {}
beforeAll(async () => {
  const cors = (origins: string) => `${PLAIN}cors: { origins: [${origins}] }`
  const started = await Promise.all([
    startRig({ map: fhirMap({ more: PLAIN }) }),
    startRig({ map: fhirMap({ more: cors('"https://APP.example.org:443", "http://localhost:3000"') }) }),
    startRig({ map: fhirMap({ more: cors('"*"') }) }),
  ])
  Object.assign(rigs, { none: started[0], listed: started[1], open: started[2] })
})
afterAll(() => Promise.all(Object.values(rigs).map((rig) => rig.close())))

function corsOf({ headers }: Answer): Record<string, unknown> {
  const about = (name: string): boolean => name.startsWith('access-control-') || name === 'vary'
  return Object.fromEntries(Object.entries(headers).filter(([name]) => about(name)))
}

const preflight = (origin: string, method: string, asked?: string) => ({
  headers: {
    origin,
    'access-control-request-method': method,
    ...(asked === undefined ? {} : { 'access-control-request-headers': asked }),
  },
})

const EXPOSED =
  'Content-Location, DPoP-Nonce, ETag, Last-Modified, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Progress, X-Request-Id'

describe('a listed origin', () => {
  test('may read what it asked for, and caches are told', async () => {
    const answer = await rigs['listed']!.ask('GET /fhir/R4/Patient/p1', {
      scope: 'system/*.r',
      headers: { origin: APP },
    })
    expect(answer.status).toBe(200)
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': EXPOSED,
      vary: 'Authorization, Origin',
    })
  })

  test.each<[status: number, line: string, scope: string | undefined]>([
    [401, 'GET /fhir/R4/Patient/p1', undefined],
    [403, 'DELETE /fhir/R4/Patient/p1', 'system/*.r'],
    [400, 'GET /fhir/R4/Patient/..%2fp1', 'system/*.r'],
    [404, 'GET /nowhere', undefined],
    [405, 'PUT /events/1', undefined],
    [414, `GET /fhir/R4/Patient?_id=${'x'.repeat(9_000)}`, undefined],
  ])('may read why it was refused: %i', async (status, line, scope) => {
    const given = scope === undefined ? {} : { scope }
    const answer = await rigs['listed']!.ask(line, { ...given, headers: { origin: APP } })
    expect(answer.status).toBe(status)
    expect(corsOf(answer)).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': EXPOSED,
      vary: 'Origin',
    })
  })

  test('is told once what the upstream says of origins and caches', async () => {
    const { upstream, ask } = rigs['listed']!
    upstream.script = () => ({
      headers: {
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'Server',
        vary: 'Accept',
      },
      body: '{}',
    })
    const answer = await ask('GET /events/1', { headers: { origin: APP } })
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': EXPOSED,
      vary: 'Accept, Origin',
    })
    upstream.reset()
  })
})

describe('a preflight', () => {
  test('of a FHIR endpoint is answered without a credential, and nothing goes upstream', async () => {
    const { upstream, ask } = rigs['listed']!
    upstream.reset()
    const answer = await ask('OPTIONS /fhir/R4/Patient/p1', preflight(APP, 'PUT', 'authorization,if-match,x-special'))
    expect(answer).toMatchObject({ status: 204, text: '' })
    expect(corsOf(answer)).toEqual({
      'access-control-allow-origin': APP,
      'access-control-expose-headers': EXPOSED,
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        'Accept, Authorization, Cache-Control, Content-Type, DPoP, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, If-Unmodified-Since, Prefer, Range, Traceparent, Tracestate, X-Correlation-Id, X-Request-Id, X-API-Key',
      'access-control-max-age': '600',
      vary: 'Origin',
    })
    expect(upstream.arrived).toEqual([])
  })

  test("of another product's path names its methods, and the headers that it passes on", async () => {
    const answer = await rigs['listed']!.ask(
      'OPTIONS /events/1',
      preflight(APP, 'DELETE', 'x-special, x-auth-subject, bad name'),
    )
    const { headers } = answer
    expect(answer.status).toBe(204)
    expect(headers['access-control-allow-methods']).toBe('GET, HEAD, POST')
    expect(headers['access-control-allow-headers']).toMatch(/, X-API-Key, x-special$/)
  })

  test('of a path without a route is refused', async () => {
    expect((await rigs['listed']!.ask('OPTIONS /nowhere', preflight(APP, 'GET'))).status).toBe(404)
  })

  test('without a method asked for is no preflight', async () => {
    const answer = await rigs['listed']!.ask('OPTIONS /fhir/R4/Patient/p1', { headers: { origin: APP } })
    expect(answer.status).toBe(401)
  })

  test('of a discovery document is open to every origin, listed or not, configured or not', async () => {
    for (const rig of Object.values(rigs)) {
      for (const path of ['metadata', '.well-known/smart-configuration']) {
        const answer = await rig.ask(`OPTIONS /fhir/R4/${path}`, preflight('https://anyone.example', 'GET'))
        expect(answer).toMatchObject({ status: 204, headers: { 'access-control-allow-origin': '*' } })
        const read = await rig.ask(`GET /fhir/R4/${path}`, { headers: { origin: 'https://anyone.example' } })
        expect(read.headers['access-control-allow-origin']).toBe('*')
      }
    }
  })

  test('is counted as one', async () => {
    await rigs['listed']!.ask('OPTIONS /events/1', preflight(APP, 'GET'))
    const { text } = await rigs['listed']!.askAdmin('GET /metrics')
    expect(text).toMatch(
      /scopegate_requests_total\{route="events",interaction="preflight",outcome="open",status="204"\} \d/,
    )
  })
})

describe('an origin that is not listed', () => {
  test.each([
    'https://evil.example',
    'https://app.example.org.evil.example',
    'http://app.example.org',
    'null',
    `${APP}:8443`,
    APP.toUpperCase(),
    `${APP}, ${APP}`,
  ])('%s is told nothing but that answers vary', async (origin) => {
    const answer = await rigs['listed']!.ask('GET /events/1', { headers: { origin } })
    expect(corsOf(answer)).toEqual({ vary: 'Origin' })
    const asked = await rigs['listed']!.ask('OPTIONS /fhir/R4/Patient/p1', preflight(origin, 'GET'))
    expect(asked.status).toBe(401)
    expect(Object.keys(asked.headers).filter((name) => name.startsWith('access-control-'))).toEqual([])
  })
})

test('a * is for every origin, and never with credentials', async () => {
  for (const origin of [APP, 'null', 'https://anyone.example']) {
    const answer = await rigs['open']!.ask('GET /events/1', { headers: { origin } })
    expect(corsOf(answer)).toEqual({ 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED })
    expect((await rigs['open']!.ask('OPTIONS /fhir/R4/Patient', preflight(origin, 'POST'))).status).toBe(204)
  }
})

test('without cors nothing is said at all', async () => {
  const rig = rigs['none']!
  for (const answer of [
    await rig.ask('GET /events/1', { headers: { origin: APP } }),
    await rig.ask('OPTIONS /events/1', preflight(APP, 'GET')),
    await rig.ask('GET /fhir/R4/Patient/p1', { headers: { origin: APP } }),
  ]) {
    expect(corsOf(answer)).toEqual({})
  }
})

test('the CapabilityStatement says whether pages of other origins may come', async () => {
  for (const [name, cors] of [
    ['none', false],
    ['listed', true],
  ] as const) {
    const { json } = await rigs[name]!.ask('GET /fhir/R4/metadata')
    expect(json).toMatchObject({ rest: [{ security: { cors } }] })
  }
})
