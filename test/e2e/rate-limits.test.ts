// `rateLimit` from end to end: who is counted, what the answers tell, what comes before it and what it comes before.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import { createLog } from '../../src/observability/logger.ts'
import { start } from '../../src/server/start.ts'
import type { SharedState } from '../../src/state/shared-state.ts'
import { HttpClient } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({
    map: fhirMap({
      route: 'rateLimit: { requests: 3, per: 1h }',
      more: `
  - { name: app, upstream: store, match: { "GET /app/x": app.read }, rateLimit: { requests: 2, per: 1h, by: subject } }
  - { name: open, upstream: store, match: { "GET /open": public }, rateLimit: { requests: 2, per: 1h, by: client } }
  - { name: all, upstream: store, match: { "GET /all": app.read }, rateLimit: { requests: 2, per: 1h, by: route } }
scopes: { App: { app.read: { description: Read., credentials: [oauth2] } } }
`,
    }),
  })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const statuses = async (times: number, ask: () => Promise<{ status: number }>): Promise<number[]> => {
  const got: number[] = []
  for (let count = 0; count < times; count++) got.push((await ask()).status)
  return got
}

const READ = 'GET /fhir/R4/Patient/p1'

test('a client gets so many, whoever its users are; then 429 as an OperationOutcome, and nothing goes upstream', async () => {
  const ask = (sub: string) => rig.ask(READ, { scope: 'system/*.rs', claims: { client_id: 'busy', sub } })
  const first = await ask('a')
  expect(first.headers['ratelimit-policy']).toBe('"client";q=3;w=3600')
  expect(first.headers['ratelimit']).toBe('"client";r=2')
  expect(await statuses(2, () => ask('b'))).toEqual([200, 200])
  rig.upstream.reset()
  const over = await ask('c')
  expect(over.status).toBe(429)
  expect(over.headers).toMatchObject({ 'retry-after': '1200', ratelimit: '"client";r=0;t=1200' })
  expect(JSON.parse(over.text)).toMatchObject({
    resourceType: 'OperationOutcome',
    issue: [{ code: 'throttled', details: { coding: [{ code: 'rate-limited' }] } }],
  })
  expect(rig.upstream.arrived).toEqual([])
  expect((await rig.ask(READ, { scope: 'system/*.rs', claims: { client_id: 'calm' } })).status).toBe(200)
})

test('refusals of scopes count too and tell the rate; what fails before authentication does not', async () => {
  const ask = (scope: string) => rig.ask(READ, { scope, claims: { client_id: 'curious' } })
  expect(await statuses(5, () => rig.ask(READ))).toEqual([401, 401, 401, 401, 401])
  const refused = await ask('system/Observation.rs')
  expect(refused.status).toBe(403)
  expect(refused.headers['ratelimit']).toBe('"client";r=2')
  expect(await statuses(3, () => ask('system/Observation.rs'))).toEqual([403, 403, 429])
  expect((await rig.ask(READ)).headers).not.toHaveProperty('ratelimit')
})

test('by subject, by address where nobody is named, by route', async () => {
  const app = (sub: string, client_id: string) => () =>
    rig.ask('GET /app/x', { scope: 'app.read', claims: { sub, client_id } })
  expect(await statuses(2, app('s1', 'c1'))).toEqual([200, 200])
  expect(await statuses(1, app('s1', 'c2'))).toEqual([429])
  expect(await statuses(1, app('s2', 'c1'))).toEqual([200])
  expect(await statuses(3, () => rig.ask('GET /open'))).toEqual([200, 200, 429])
  const all = (client_id: string) => () => rig.ask('GET /all', { scope: 'app.read', claims: { client_id } })
  expect([...(await statuses(1, all('c1'))), ...(await statuses(2, all('c2')))]).toEqual([200, 200, 429])
  expect((await all('c3')()).headers).not.toHaveProperty('ratelimit')
})

test('open documents are not counted', async () => {
  expect(new Set(await statuses(10, () => rig.ask('GET /.well-known/oauth-protected-resource/fhir/R4')))).toEqual(
    new Set([200]),
  )
})

describe('state that cannot be reached', () => {
  test('refuses closed: 503, and nothing goes upstream', async () => {
    const loaded = loadRouteMap(rig.map.replace('listen: 127.0.0.1:0', 'listen: 127.0.0.1:0 '), {
      file: 'routes.yaml',
      env: {},
    })
    if ('problems' in loaded) throw new Error('the map is broken')
    const silent: SharedState = {
      take: () => Promise.reject(new Error('gone')),
      once: () => Promise.reject(new Error('gone')),
    }
    const destination = { write: () => {} }
    const running = await start({
      settings: loaded.settings,
      log: createLog({ level: 'info', destination }),
      state: silent,
    })
    const client = new HttpClient(Number(new URL(running.url).port))
    const token = await rig.token('system/*.rs')
    const answer = await client.ask(READ, { headers: ['authorization', `Bearer ${token}`] })
    expect([answer.status, answer.text.includes('overloaded')]).toEqual([503, true])
    expect((await client.ask(READ)).status).toBe(401)
    expect(rig.upstream.arrived).toEqual([])
    client.close()
    await running.close()
  })
})
