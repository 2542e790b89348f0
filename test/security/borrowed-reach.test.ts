// Each scope stays what it is: letters are not lent to another type, reach is not lent to another context, and the order of scopes
// means nothing. Others or-ed the letters of all scopes, tested "some scope covers it" and "some identity reaches it" apart, or took
// the last context that they found.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const PATIENT = '{"resourceType":"Patient","id":"p1"}'
const OBSERVATION = '{"resourceType":"Observation","id":"o1"}'

function orders(scopes: string): string[] {
  const list = scopes.split(' ')
  return list.length < 2
    ? list
    : list.flatMap((one, i) => orders(list.filter((_, j) => j !== i).join(' ')).map((rest) => `${one} ${rest}`))
}

describe('letters', () => {
  test.each<[scopes: string, line: string, body: string | undefined]>([
    ['user/Patient.read user/Observation.write', 'PUT /fhir/R4/Patient/p1', PATIENT],
    ['user/Patient.read user/Observation.write', 'DELETE /fhir/R4/Patient/p1', undefined],
    ['user/Patient.read user/Observation.write', 'GET /fhir/R4/Observation/o1', undefined],
    ['user/Patient.r user/Observation.s', 'GET /fhir/R4/Patient?name=x', undefined],
    ['user/Patient.r user/Observation.s', 'GET /fhir/R4/Observation/o1', undefined],
    ['user/Patient.c user/Patient.r user/Group.cruds', 'PUT /fhir/R4/Patient/p1', PATIENT],
    ['user/*.r user/Patient.cud', 'POST /fhir/R4/Observation', OBSERVATION],
    ['user/*.r user/Patient.cud', 'GET /fhir/R4/Patient?name=x', undefined],
  ])('%s: %s', async (scopes, line, body) => {
    for (const scope of orders(scopes)) {
      const answer = await rig.ask(line, {
        scope,
        claims: { fhirUser: 'Practitioner/1' },
        ...(body !== undefined && { body }),
      })
      expect(verdictOf(answer), scope).toBe('403 scope-insufficient')
    }
    expect(rig.upstream.arrived).toEqual([])
  })
})

/** Nothing of another patient, and no write, whatever the gateway makes of the request. */
async function expectNothingOutside(line: string, scope: string, claims: object, body?: string): Promise<void> {
  const stored = { resourceType: 'Observation', id: 'o2', subject: { reference: 'Patient/p2' }, status: 'final' }
  const bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    total: 1,
    entry: [{ resource: stored, search: { mode: 'match' } }],
  }
  rig.upstream.reset()
  rig.upstream.script = ({ url }) => ({ body: /\/o2|\/p2/.test(url) ? stored : bundle, headers: { etag: 'W/"1"' } })
  const answer = await rig.ask(line, {
    scope,
    claims: claims as Record<string, unknown>,
    ...(body !== undefined && { body }),
  })
  expect(answer.text, `${scope}: ${line}`).not.toContain('Patient/p2')
  expect(rig.upstream.arrived.filter(({ method, url }) => method !== 'GET' && !url.endsWith('_search'))).toEqual([])
}

describe('contexts', () => {
  const launched = { patient: 'p1', fhirUser: 'Practitioner/1' }
  // The letter that is missing in the narrow context is there in another one, or the reach is, but never both in one scope.
  test.each<[line: string, scopes: string, claims: object, body?: string]>([
    ['GET /fhir/R4/Observation/o2', 'patient/Observation.rs user/Patient.rs', launched],
    ['GET /fhir/R4/Observation?code=x', 'patient/Observation.rs user/Patient.rs', launched],
    ['GET /fhir/R4/Observation?code=x', 'patient/Observation.rs system/Patient.rs', launched],
    ['GET /fhir/R4/Observation?patient=p2', 'patient/*.rs user/Patient.cruds', launched],
    ['GET /fhir/R4/Patient/p2/Observation', 'patient/*.rs system/Patient.cruds', launched],
    [
      'PUT /fhir/R4/Observation/o2',
      'patient/*.cruds user/Observation.rs',
      launched,
      '{"resourceType":"Observation","id":"o2","subject":{"reference":"Patient/p1"}}',
    ],
    ['GET /fhir/R4/Observation/o2', 'user/*.rs patient/*.rs', { patient: 'p1', fhirUser: 'Patient/p1' }],
    ['GET /fhir/R4/Observation?code=x', 'user/*.rs', { fhirUser: 'Patient/p1' }],
    ['GET /fhir/R4/Observation?code=x', 'patient/*.rs', { patient: 'p1', fhirUser: 'Patient/p2' }],
    ['GET /fhir/R4/Observation?code=x', 'user/*.rs', { fhirUser: 'Patient/p1', patient: 'p2' }],
  ])('%s with %s', async (line, scopes, claims, body) => {
    for (const scope of orders(scopes)) await expectNothingOutside(line, scope, claims, body)
  })

  test('the order of contexts means nothing', async () => {
    const lines = ['GET /fhir/R4/Patient/p2', 'GET /fhir/R4/Observation/o1', 'GET /fhir/R4/Observation?code=x']
    for (const scopes of [
      'patient/*.read system/*.read',
      'patient/*.read user/*.read launch',
      'system/Patient.r patient/Observation.rs',
    ]) {
      for (const line of lines) {
        const said = new Set<string>()
        for (const scope of orders(scopes)) said.add(verdictOf(await rig.ask(line, { scope, claims: launched })))
        expect([...said], `${scopes}: ${line}`).toHaveLength(1)
      }
    }
  })
})
