// What is not switched on protects nothing away: without SMART, without issuers, without keys or with keys that cannot be fetched, the
// answer is no. Others went on without authorization, with a warning.

import { afterEach, describe, expect, test } from 'vitest'
import { codeOf, verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
afterEach(() => rig.close())

const LINES = ['GET /fhir/R4/Patient/p1', 'GET /fhir/R4/Patient?name=x', 'DELETE /fhir/R4/Patient/p1']
const ALL = 'system/*.cruds user/*.cruds patient/*.cruds'
const claims = { patient: 'p1', fhirUser: 'Practitioner/1' }

async function expectAll(verdict: RegExp): Promise<void> {
  for (const line of LINES) expect(verdictOf(await rig.ask(line, { scope: ALL, claims })), line).toMatch(verdict)
  expect(rig.upstream.arrived).toEqual([])
}

test('a route without `smart`: SMART scopes count for nothing there', async () => {
  const map = fhirMap()
  rig = await startRig({ map: (at) => map(at).replace('smart: true', 'smart: false') })
  await expectAll(/^403 scope-insufficient$/)
})

test('a route that refuses user/ scopes', async () => {
  rig = await startRig({ map: fhirMap({ route: 'userScopes: refuse' }) })
  for (const line of LINES) {
    expect(verdictOf(await rig.ask(line, { scope: 'user/*.cruds', claims }))).toBe('403 scope-insufficient')
  }
  expect(rig.upstream.arrived).toEqual([])
})

test('an issuer that may grant nothing of the kind', async () => {
  const map = fhirMap()
  rig = await startRig({ map: (at) => map(at).replace(', jwks:', ', mayGrant: [openid], jwks:') })
  await expectAll(/^403 scope-insufficient$/)
})

describe('an issuer whose keys cannot be had', () => {
  test.each(['down', 'nonsense', 'redirect', 'huge'] as const)('%s', async (mode) => {
    const map = fhirMap()
    rig = await startRig({ map: (at) => map(at).replace(/jwks: "[^"]*"/, `jwks: "${at.issuer}/jwks?none"`) })
    rig.issuer.mode = mode
    await expectAll(/^503 issuer-unavailable$/)
  })

  test('an empty set', async () => {
    rig = await startRig({ map: fhirMap() })
    rig.issuer.published = []
    await expectAll(/^(?:401 token-invalid|503 issuer-unavailable)$/)
  })
})

test('the admin port is no way around: it forwards nothing and listens apart', async () => {
  rig = await startRig()
  for (const line of ['GET /fhir/R4/Patient/p1', 'GET /', 'POST /token']) {
    const answer = await rig.askAdmin(line, { headers: { 'X-Forwarded-For': '127.0.0.1' } })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'route-unknown'])
  }
  for (const headers of [
    { host: 'evil.example' },
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
  ]) {
    const answer = await rig.askAdmin('POST /explain', {
      headers: { 'content-type': 'application/json', ...headers },
      body: { method: 'GET', target: '/' },
    })
    expect(answer.status).toBeGreaterThanOrEqual(400)
  }
  for (const line of ['GET /metrics', 'POST /explain', 'GET /health/ready', 'POST /reload']) {
    expect(verdictOf(await rig.ask(line, { scope: ALL, claims }))).toBe('404 route-unknown')
  }
  expect(rig.upstream.arrived).toEqual([])
})
