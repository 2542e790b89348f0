// What `explain` says of limits: what every resource of the answer has to be, by which scope; what was appended to the search, and what is
// not sent; which parameter is refused; which scope grants nothing, and why.

import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Explanation } from '../../src/server/explain/explain.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())

async function explained(line: string, scope: string, more: object = {}): Promise<Explanation> {
  const [method, target] = line.split(' ')
  const body = { method, target: `/fhir/R4/${target}`, scope, patient: 'p1', ...more }
  return (await rig.askAdmin('POST /explain', { body, headers: { 'content-type': 'application/json' } })).json
}

const LAB = 'category=http://x.example|lab'

test('a search: what is checked, what was appended, what is left out', async () => {
  const found = await explained(
    'GET Observation?patient=p1,p2&code=x&_summary=true&_revinclude=Provenance:target',
    `patient/Observation.rs?${LAB} patient/Provenance.rs`,
  )
  expect(found.limits).toEqual([
    { need: 'Observation.s', scope: `patient/Observation.rs?${LAB}`, only: ['in the record of Patient/p1', LAB] },
    { need: 'Provenance.s', scope: 'patient/Provenance.rs', only: ['in the record of Patient/p1'] },
  ])
  expect(found.narrowed).toEqual({ appended: ['patient=p1', LAB], left: ['patient=p1,p2', '_summary=true'] })
})

test('by POST the same', async () => {
  const scope = `patient/Observation.rs?${LAB}`
  const byGet = await explained('GET Observation?patient=p1,p2&code=x', scope)
  const byPost = await explained('POST Observation/_search?code=x', scope, { body: 'patient=p1,p2' })
  expect(byPost.limits).toEqual(byGet.limits)
  expect(byPost.narrowed).toEqual(byGet.narrowed)
  expect(byPost.narrowed?.appended).toEqual(['patient=p1', LAB])
})

test('a union is one line each, and what cannot be said in one search is not appended', async () => {
  const found = await explained('GET Condition', 'patient/*.rs user/Condition.rs?code=a,b')
  expect(found.limits).toEqual([
    { need: 'Condition.s', scope: 'patient/*.rs', only: ['in the record of Patient/p1'] },
    { need: 'Condition.s', scope: 'user/Condition.rs?code=a,b', only: ['code=a,b'] },
  ])
  expect(found.narrowed).toBeUndefined()
})

test('a read has limits and is not narrowed; what is not limited has none', async () => {
  const read = await explained('GET Observation/1', 'patient/Observation.rs')
  expect([read.outcome, read.limits?.length, read.narrowed]).toEqual(['guard', 1, undefined])
  const open = await explained('GET Observation', 'user/Observation.rs')
  expect([open.outcome, open.limits, open.narrowed]).toEqual(['forward', undefined, undefined])
  const shared = await explained('GET Practitioner?name=x', 'patient/Practitioner.rs?name=x')
  expect(shared.limits).toEqual([
    {
      need: 'Practitioner.s',
      scope: 'patient/Practitioner.rs?name=x',
      only: ['a type that names no patient', 'name=x'],
    },
  ])
})

test('which parameter is refused', async () => {
  for (const parameter of ['subject.name', '_has:Provenance:target:agent', '_filter', '_list']) {
    const found = await explained(`GET Observation?${parameter}=x`, 'patient/*.rs patient/List.rs')
    expect([found.permitted, found.refusal?.code]).toEqual([false, 'constraint-unenforceable'])
    expect(found.refusal?.detail).toContain(parameter)
  }
})

test.each([
  ['value-quantity=5', 'value-quantity cannot be checked on Observation itself'],
  ['nosuch=5', 'Observation has no search parameter nosuch'],
  ['date=ap2024', 'the value of date cannot be read'],
])('a scope that grants nothing says why: %s', async (filter, idle) => {
  const found = await explained('GET Observation', `patient/Observation.rs?${filter}`)
  expect(found.scopes).toEqual([{ granted: `patient/Observation.rs?${filter}`, meaning: expect.any(String), idle }])
  expect(found.refusal?.code).toBe('scope-insufficient')
})

test('a scope that grants something has nothing to say', async () => {
  const found = await explained('GET Observation', `patient/Observation.rs?${LAB}`)
  expect(found.scopes[0]!.idle).toBeUndefined()
})
