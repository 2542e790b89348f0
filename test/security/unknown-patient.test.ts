// A patient/ scope without a readable launch patient reaches nothing: others skipped the compartment when they did not know whose it
// was. And whose it is is compared whole: `Patient/1` is no part of `Patient/12`.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const LINES = [
  'GET /fhir/R4/Patient/p1',
  'GET /fhir/R4/Patient?name=x',
  'GET /fhir/R4/Observation/o1',
  'GET /fhir/R4/Observation?patient=p1',
  'GET /fhir/R4/Patient/p1/Observation',
  'GET /fhir/R4/Observation/_history',
  'DELETE /fhir/R4/Observation/o1',
]

test.each<[name: string, claims: Record<string, unknown>]>([
  ['none', {}],
  ['none, but a practitioner', { fhirUser: 'Practitioner/p1' }],
  ['none, but a user who is a patient', { fhirUser: 'Patient/p1' }],
  ['empty', { patient: '' }],
  ['null', { patient: null }],
  ['a number', { patient: 1 }],
  ['an object', { patient: { id: 'p1' } }],
  ['an empty list', { patient: [] }],
  ['a list with an empty one', { patient: ['p1', ''] }],
  ['a list in a list', { patient: [['p1']] }],
  ['a wildcard', { patient: '*' }],
  ['another type', { patient: 'Practitioner/p1' }],
  ['another server', { patient: 'https://other.example/Patient/p1' }],
  ['a path', { patient: 'p1/../p2' }],
  ['dots', { patient: '..' }],
  ['two in one text', { patient: 'p1,p2' }],
  ['two in one text, by a space', { patient: 'p1 p2' }],
  ['a query', { patient: 'p1&patient=p2' }],
])('launch patient: %s', async (_, claims) => {
  for (const line of LINES) {
    const answer = await rig.ask(line, { scope: 'patient/*.cruds', claims })
    expect(verdictOf(answer), line).toBe('403 launch-context-missing')
  }
  expect(rig.upstream.arrived).toEqual([])
})

test.each<[own: string, other: string]>([
  ['1', '12'],
  ['12', '1'],
  ['1', '1.'],
  ['p-1', 'p-10'],
  ['a', 'A'],
  ['1', '01'],
])('of patient %s, nothing of patient %s', async (own, other) => {
  const claims = { patient: own }
  for (const line of [
    `GET /fhir/R4/Patient/${other}`,
    `GET /fhir/R4/Patient/${other}/Observation`,
    `GET /fhir/R4/Patient/${other}/_history/1`,
    `GET /fhir/R4/Observation?patient=${other}`,
    `GET /fhir/R4/Observation?subject=Patient/${other}`,
  ]) {
    const answer = await rig.ask(line, { scope: 'patient/*.rs', claims })
    expect(verdictOf(answer), line).toBe('403 patient-mismatch')
  }
  expect(rig.upstream.arrived).toEqual([])
  // A server that ignores what it is asked, and a resource that names the other one.
  const theirs = { resourceType: 'Observation', id: 'o1', status: 'final', subject: { reference: `Patient/${other}` } }
  const bundle = { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: theirs, search: { mode: 'match' } }] }
  rig.upstream.script = ({ url }) => ({ body: url.includes('/o1') ? theirs : bundle })
  for (const line of ['GET /fhir/R4/Observation/o1', 'GET /fhir/R4/Observation?code=x']) {
    expect((await rig.ask(line, { scope: 'patient/*.rs', claims })).text, line).not.toContain(`Patient/${other}"`)
  }
})
