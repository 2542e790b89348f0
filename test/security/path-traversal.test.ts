// One target, read once: whatever a server behind might collapse, decode again, cut off or split is refused on the way in, in every
// encoding, so that no path reaches more than was decided. And what decides is the target alone, never a header that claims another.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { exchangeRaw, refusalIn, requestText } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
let token: string
beforeAll(async () => {
  const more = `
  - { name: open, upstream: store, match: { GET /open/*: public } }
`
  rig = await startRig({ map: fhirMap({ more }) })
  token = await rig.token('system/Patient.rs')
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const send = (target: string, fields: readonly string[] = []) =>
  exchangeRaw(rig.port, requestText(`GET ${target}`, [`Authorization: Bearer ${token}`, ...fields]))

const TAILS = [
  '..',
  '.',
  '%2e%2e',
  '%2E.',
  '.%2e',
  '..;',
  '..;x=1',
  '%2e%2e;',
  '..%2f',
  '..%5c',
  '..\\',
  '%252e%252e',
  '..%00',
  '..%09',
  '%c0%ae%c0%ae',
  '%uff0e%uff0e',
  '..%3b',
  ';..',
  '%3b..',
  '.%00.',
  '',
]

test.each(TAILS.map((tail) => [tail]))('"%s" as a segment', async (tail) => {
  for (const target of [
    `/fhir/R4/Patient/${tail}/Observation/o1`,
    `/fhir/R4/${tail}/admin`,
    `/open/${tail}/fhir/R4/Patient/p1`,
    `/${tail}/open/x`,
    `/fhir/R4/Patient/${tail}/..`,
  ]) {
    const { text } = await send(target)
    expect(refusalIn(text), target).toMatch(/^400 (?:target-ambiguous|header-ambiguous)$/)
  }
  expect(rig.upstream.arrived).toEqual([])
})

test.each([
  '/fhir/R4/Patient/p1%2FObservation',
  '/fhir/R4/Patient%2Fp1',
  '/fhir%2FR4/Patient/p1',
  '/open%2f..%2fadmin',
  '/fhir/R4/Patient/p1%3F_id=x',
  '/fhir/R4/Patient/p1#/../Observation',
  '/fhir/R4/Patient/p1;jsessionid=1',
  '/fhir/R4;x/Patient/p1',
  '/fhir/R4/Patient/p1%25',
  '/fhir/R4/Patient\\p1',
  '/fhir/R4/Patient/p1|x',
  '/fhir/R4/Pat%0d%0aient/p1',
  '/fhir/R4/Patient/%E0%80%AF',
  'http://127.0.0.1/fhir/R4/Patient/p1',
  'HTTP://other.example/fhir/R4/Patient/p1',
  'fhir/R4/Patient/p1',
  '*',
  '?x',
])('%s', async (target) => {
  expect(refusalIn((await send(target)).text)).toMatch(/^400 (?:target-ambiguous|header-ambiguous)$/)
  expect(rig.upstream.arrived).toEqual([])
})

test('types and paths are compared with case, and whole', async () => {
  for (const target of [
    '/fhir/r4/Patient/p1',
    '/FHIR/R4/Patient/p1',
    '/fhir/R4a/Patient/p1',
    '/fhir/R/4/Patient',
    '/opened',
    '/Open/x',
  ]) {
    expect(refusalIn((await send(target)).text), target).toBe('404 route-unknown')
  }
  for (const target of [
    '/fhir/R4/patient/p1',
    '/fhir/R4/PATIENT/p1',
    '/fhir/R4/Patients/p1',
    '/fhir/R4/Patient /p1'.replace(' ', '%20'),
  ]) {
    expect(refusalIn((await send(target)).text), target).toBe('404 interaction-unknown')
  }
  expect(rig.upstream.arrived).toEqual([])
})

test('a query decides no route, and a path no query', async () => {
  for (const target of [
    '/fhir/R4/Group?x=/fhir/R4/Patient/p1',
    '/fhir/R4/Group/g1?/fhir/R4/Patient',
    '/fhir/R4/Group?/Patient?x',
  ]) {
    expect(refusalIn((await send(target)).text), target).toBe('403 scope-insufficient')
  }
  expect(refusalIn((await send('/nowhere?x=/open/')).text)).toBe('404 route-unknown')
  expect(rig.upstream.arrived).toEqual([])
})

test.each([
  'X-Original-URL: /fhir/R4/Patient/p1',
  'X-Rewrite-URL: /fhir/R4/Patient/p1',
  'X-Original-URI: /open/x',
  'X-Forwarded-URI: /open/x',
  'X-Forwarded-Path: /open/x',
  'X-Forwarded-Prefix: /open',
  'X-Forwarded-Method: OPTIONS',
  'X-Forwarded-For: 127.0.0.1',
  'X-Envoy-Original-Path: /open/x',
  'X-HTTP-Method-Override: OPTIONS',
  'Forwarded: for=127.0.0.1;host=127.0.0.1:9090',
])('%s decides nothing', async (field) => {
  expect(refusalIn((await send('/fhir/R4/Group/g1', [field])).text)).toBe('403 scope-insufficient')
  expect(rig.upstream.arrived).toEqual([])
  await send('/fhir/R4/Patient/p1', [field])
  const [name = ''] = field.toLowerCase().split(':')
  expect(rig.upstream.arrived[0]!.url).toBe('/base/Patient/p1')
  if (name !== 'x-forwarded-for') expect(rig.upstream.arrived[0]!.headers).not.toHaveProperty(name)
})
