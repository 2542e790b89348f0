// What a request says about a resource that the caller may not read: a condition, a conditional reference or a validator would tell
// whether something is there. Each needs the search that it is.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const PATIENT = { resourceType: 'Patient' }
const REFERRING = { resourceType: 'Goal', subject: { reference: 'Patient?identifier=x' } }

test.each<[name: string, scope: string, line: string, ask: { headers?: Record<string, string>; body?: object }]>([
  [
    'If-None-Exist',
    'system/Patient.c',
    'POST /fhir/R4/Patient',
    { headers: { 'If-None-Exist': 'identifier=x' }, body: PATIENT },
  ],
  [
    'If-None-Exist, with read',
    'system/Patient.cr',
    'POST /fhir/R4/Patient',
    { headers: { 'If-None-Exist': 'identifier=x' }, body: PATIENT },
  ],
  [
    'If-None-Exist that looks at another type',
    'system/Patient.cs',
    'POST /fhir/R4/Patient',
    { headers: { 'If-None-Exist': 'organization.name=x' }, body: PATIENT },
  ],
  [
    'If-None-Exist that asks _has',
    'system/Patient.cs',
    'POST /fhir/R4/Patient',
    { headers: { 'If-None-Exist': '_has:Observation:patient:code=x' }, body: PATIENT },
  ],
  ['a conditional update', 'system/Patient.cu', 'PUT /fhir/R4/Patient?identifier=x', { body: PATIENT }],
  ['a conditional delete', 'system/Patient.d', 'DELETE /fhir/R4/Patient?identifier=x', {}],
  [
    'a condition on an entry',
    'system/Patient.c',
    'POST /fhir/R4',
    {
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ resource: PATIENT, request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=x' } }],
      },
    },
  ],
  [
    'a conditional reference in an entry',
    'system/Goal.c',
    'POST /fhir/R4',
    {
      body: {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [{ resource: REFERRING, request: { method: 'POST', url: 'Goal' } }],
      },
    },
  ],
  ['_has', 'system/Patient.rs', 'GET /fhir/R4/Patient?_has:Observation:patient:code=x', {}],
  [
    '_has with a suffix, to slip past a list of names',
    'system/Patient.rs',
    'GET /fhir/R4/Patient?_has:Observation:patient:_has:Provenance:target:agent=x',
    {},
  ],
  ['a chain', 'system/Observation.rs', 'GET /fhir/R4/Observation?subject:Patient.name=x', {}],
  ['sorting by a chain', 'system/Observation.rs', 'GET /fhir/R4/Observation?_sort=subject:Patient.name', {}],
  ['a list', 'system/Patient.rs', 'GET /fhir/R4/Patient?_list=1', {}],
  ['a filter', 'system/Patient.rs', 'GET /fhir/R4/Patient?_filter=name%20eq%20x', {}],
])('%s', async (_, scope, line, ask) => {
  const answer = await rig.ask(line, { scope, ...ask })
  expect(verdictOf(answer), answer.text).toBe('403 scope-insufficient')
  expect(rig.upstream.arrived).toEqual([])
})

test('a resource of another patient and one that is not there are one answer', async () => {
  const ask = async (stored: object, status = 200) => {
    rig.upstream.script = () => ({
      status,
      body: stored,
      headers: { etag: 'W/"1"', 'last-modified': 'Sat, 01 Aug 2026 00:00:00 GMT' },
    })
    const answers = []
    for (const line of [
      'GET /fhir/R4/Observation/o1',
      'HEAD /fhir/R4/Observation/o1',
      'GET /fhir/R4/Observation/o1/_history/1',
    ]) {
      const headers = { 'If-None-Match': 'W/"1"', 'If-Modified-Since': 'Sun, 01 Aug 2027 00:00:00 GMT' }
      answers.push(await rig.ask(line, { scope: 'patient/*.rs', claims: { patient: 'p1' }, headers }))
    }
    return answers.map((answer) => {
      const id = answer.headers['x-request-id']!
      return [
        answer.status,
        answer.text.replaceAll(id, ''),
        { ...answer.headers, 'x-request-id': '', date: '', 'content-length': '' },
      ]
    })
  }
  const theirs = await ask({
    resourceType: 'Observation',
    id: 'o1',
    status: 'final',
    subject: { reference: 'Patient/p2' },
  })
  expect(theirs.map(([status]) => status)).toEqual([404, 404, 404])
  expect(await ask({ resourceType: 'OperationOutcome', issue: [] }, 404)).toEqual(theirs)
  expect(await ask({ resourceType: 'OperationOutcome', issue: [] }, 410)).toEqual(theirs)
})
