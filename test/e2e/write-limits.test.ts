// How much of a write is taken and held: the body of a request, the entries of a Bundle, and what is looked at before a write.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig('', '', 'limits: { body: 64KiB, bundleEntries: 3, guardedBody: 8KiB }')
})
afterAll(() => rig.close())

const observation = (id: string, bytes = 0) => ({
  resourceType: 'Observation',
  id,
  subject: { reference: 'Patient/p1' },
  note: [{ text: 'x'.repeat(bytes) }],
})
beforeEach(() => rig.fill([observation('small'), observation('large', 9_000)]))

const ask = (line: string, body?: object, scope = 'patient/*.cruds'): Promise<Answer> =>
  rig.ask(line, { scope, claims: { patient: 'p1' }, ...(body && { body }) })
const bundle = (type: string, entries: number, bytes = 0) => ({
  resourceType: 'Bundle',
  type,
  entry: Array.from({ length: entries }, () => ({
    resource: { ...observation('new', bytes), id: undefined },
    request: { method: 'POST', url: 'Observation' },
  })),
})

describe.each(['patient/*.cruds', 'system/*.cruds'])('%s', (scope) => {
  test('a body of more than `body` bytes goes nowhere', async () => {
    expect(verdictOf(await ask('PUT /fhir/R4/Observation/small', observation('small', 70_000), scope))).toBe(
      '413 body-too-large',
    )
    expect(verdictOf(await ask('POST /fhir/R4/Observation', observation('small', 70_000), scope))).toBe(
      '413 body-too-large',
    )
    expect(verdictOf(await ask('POST /fhir/R4', bundle('batch', 1, 70_000), scope))).toBe('413 body-too-large')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('one of less goes through', async () => {
    const answer = await ask('PUT /fhir/R4/Observation/small', observation('small', 60_000), scope)
    expect(answer.status, answer.text.slice(0, 300)).toBe(200)
    expect(rig.stored('Observation', 'small').note[0].text).toHaveLength(60_000)
  })

  test.each(['batch', 'transaction'])('a %s has `bundleEntries` entries at most', async (type) => {
    expect(verdictOf(await ask('POST /fhir/R4', bundle(type, 4), scope))).toBe('413 body-too-large')
    expect(rig.upstream.arrived).toEqual([])
    expect((await ask('POST /fhir/R4', bundle(type, 3), scope)).status).toBe(200)
  })
})

test('what is stored and larger than `guardedBody` cannot be checked, so it is not there', async () => {
  const [absent, large] = await Promise.all(
    ['nothing', 'large'].map((id) => ask(`PUT /fhir/R4/Observation/${id}`, observation(id))),
  )
  expect(verdictOf(large!)).toBe('404 not-found')
  expect(large!.json.issue).toEqual(absent!.json.issue)
  expect(verdictOf(await ask('DELETE /fhir/R4/Observation?_id=large'))).toBe('404 not-found')
  expect(rig.written()).toEqual([])
})

test('a body that is not JSON, or none, is refused before anything is asked', async () => {
  for (const body of ['{', '{"resourceType":"Observation"', 'x', '', '{"resourceType":"Observation","id":"small"}}']) {
    const answer = await rig.ask('PUT /fhir/R4/Observation/small', {
      scope: 'patient/*.cruds',
      claims: { patient: 'p1' },
      body,
    })
    expect(verdictOf(answer)).toBe('400 body-invalid')
  }
  expect(rig.upstream.arrived).toEqual([])
})
