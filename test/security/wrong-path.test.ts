// Every path shape is judged as what it is. Others took any GET with an id for a read, matched the search before its type, tested
// the compartment before the scope, or let what they did not know fall through to "allowed".

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

async function expectRefused(
  line: string,
  scope: string,
  claims: Record<string, unknown> = {},
  body?: string,
): Promise<void> {
  const headers = { 'content-type': 'application/json-patch+json' }
  const answer = await rig.ask(line, { scope, claims, ...(body !== undefined && { body, headers }) })
  expect(verdictOf(answer), `${scope}: ${line}`).toMatch(
    /^(?:403 (?:scope-insufficient|operation-not-listed|patient-mismatch)|404 interaction-unknown|400 target-ambiguous)$/,
  )
  expect(rig.upstream.arrived).toEqual([])
}

test('a search of another type than the scope', async () => {
  for (const line of [
    'GET /fhir/R4/Observation',
    'GET /fhir/R4/Observation?_type=Procedure',
    'GET /fhir/R4?_type=Observation',
    'GET /fhir/R4?_type=Procedure,Observation',
    'GET /fhir/R4?_type=Procedure&_type=Observation',
    'GET /fhir/R4',
    'GET /fhir/R4?_id=1',
    'GET /fhir/R4/Patient/p1/Observation',
    'GET /fhir/R4/Patient/p1/*',
    'GET /fhir/R4/Patient/p1/*?_type=Observation',
  ]) {
    await expectRefused(line, 'user/Procedure.rs', { fhirUser: 'Practitioner/1' })
  }
})

test('an operation, or a search, behind the id of a resource that may be read', async () => {
  const claims = { patient: 'p1' }
  for (const scope of ['patient/Patient.r', 'patient/Patient.rs', 'system/Patient.r']) {
    for (const line of [
      'GET /fhir/R4/Patient/p1/$everything',
      'GET /fhir/R4/Patient/p1/$x',
      'POST /fhir/R4/Patient/p1/$everything',
      'GET /fhir/R4/Patient/p1/Observation',
      'GET /fhir/R4/Patient/p1/*',
      'GET /fhir/R4/Patient/$everything',
      'GET /fhir/R4/$everything',
      'GET /fhir/R4/Patient/$p1',
      'GET /fhir/R4/Patient/p1/metadata',
      'GET /fhir/R4/Patient/p1/_history/1/$meta',
    ]) {
      await expectRefused(line, scope, claims)
    }
  }
})

test('a write with a scope that reads, whatever its condition names', async () => {
  for (const scope of ['patient/Observation.rs', 'user/Observation.rs', 'system/*.rs']) {
    for (const line of [
      'PATCH /fhir/R4/Observation?subject=p1',
      'PATCH /fhir/R4/Observation?patient=p1&_id=o1',
      'PATCH /fhir/R4/Observation/o1',
      'DELETE /fhir/R4/Observation?patient=p1',
      'DELETE /fhir/R4/Observation/o1',
    ]) {
      const body = line.startsWith('PATCH') ? '[]' : undefined
      await expectRefused(line, scope, { patient: 'p1', fhirUser: 'Practitioner/1' }, body)
    }
  }
})

describe('shapes that are no plain read or search', () => {
  test.each([
    'GET /fhir/R4/Observation/o1/_history/1',
    'GET /fhir/R4/Observation/o1/_history',
    'GET /fhir/R4/Observation/_history',
    'GET /fhir/R4/_history',
    'GET /fhir/R4',
    'GET /fhir/R4/Observation/$lastn',
    'GET /fhir/R4/Observation/o1/$x',
    'GET /fhir/R4/$versions',
    'DELETE /fhir/R4?_type=Observation',
    'GET /fhir/R4/Patient/p1',
    'GET /fhir/R4/Observation/o1/extra',
    'GET /fhir/R4/Observation/o1/Patient/p1',
    'GET /fhir/R4/Observation/_search',
    'GET /fhir/R4/_search',
    'GET /fhir/R4/_unheard',
    'GET /fhir/R4/Observation/_unheard',
  ])('%s with a scope on another type', async (line) => {
    const answer = await rig.ask(line, { scope: 'system/Group.cruds' })
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(403)
    expect(answer.status).toBeLessThan(406)
    expect(rig.upstream.arrived).toEqual([])
  })

  test('an older version needs `r`, and the history of a type `s`', async () => {
    await expectRefused('GET /fhir/R4/Observation/o1/_history/1', 'system/Observation.cuds')
    await expectRefused('GET /fhir/R4/Observation/o1/_history', 'system/Observation.cuds')
    await expectRefused('GET /fhir/R4/Observation/_history', 'system/Observation.crud')
    await expectRefused('GET /fhir/R4/_history', 'system/Observation.cruds system/Patient.cruds')
  })
})
