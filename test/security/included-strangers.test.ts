// `_include` and `_revinclude` bring resources of other types, other patients, other categories. Others checked the searched type and let
// the rest come along, forgot the second hop, or let a scope that may only write open what an include brings.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory'
const of = (patient: string) => ({ subject: { reference: `Patient/${patient}` } })
const category = [{ coding: [{ system: LAB.split('|')[0]!, code: 'laboratory' }] }]

/** Everything refers to something of the other patient. */
const DATA = [
  { resourceType: 'Patient', id: 'p1', generalPractitioner: [{ reference: 'Practitioner/gp' }] },
  { resourceType: 'Patient', id: 'p2' },
  { resourceType: 'Practitioner', id: 'gp', qualification: [{ issuer: { reference: 'Organization/o' }, code: {} }] },
  { resourceType: 'Organization', id: 'o' },
  { resourceType: 'Encounter', id: 'e1', ...of('p1') },
  { resourceType: 'Encounter', id: 'e2', ...of('p2') },
  {
    resourceType: 'Observation',
    id: 'lab',
    category,
    ...of('p1'),
    encounter: { reference: 'Encounter/e2' },
    hasMember: [{ reference: 'Observation/foreign' }, { reference: 'Observation/other' }],
    performer: [{ reference: 'Practitioner/gp' }, { reference: 'Patient/p2' }],
    focus: [{ reference: 'Patient/p2' }],
    device: { reference: 'Device/d2' },
  },
  { resourceType: 'Observation', id: 'other', ...of('p1'), encounter: { reference: 'Encounter/e1' } },
  {
    resourceType: 'Observation',
    id: 'foreign',
    category,
    ...of('p2'),
    hasMember: [{ reference: 'Observation/lab' }],
    encounter: { reference: 'Encounter/e2' },
  },
  { resourceType: 'Device', id: 'd2', patient: { reference: 'Patient/p2' } },
  { resourceType: 'DiagnosticReport', id: 'r1', ...of('p1'), result: [{ reference: 'Observation/lab' }] },
  {
    resourceType: 'DiagnosticReport',
    id: 'r2',
    ...of('p2'),
    result: [{ reference: 'Observation/lab' }, { reference: 'Observation/foreign' }],
  },
  {
    resourceType: 'Group',
    id: 'g',
    type: 'person',
    actual: true,
    member: [{ entity: { reference: 'Patient/p1' } }, { entity: { reference: 'Patient/p2' } }],
  },
  {
    resourceType: 'List',
    id: 'l',
    status: 'current',
    mode: 'working',
    ...of('p1'),
    entry: [{ item: { reference: 'Observation/foreign' } }],
  },
  {
    resourceType: 'Coverage',
    id: 'c',
    beneficiary: { reference: 'Patient/p1' },
    subscriber: { reference: 'Patient/p2' },
  },
]

let store: FhirServer
let rig: Rig
beforeAll(async () => {
  store = await startFhirServer({ resources: DATA as { resourceType: string }[] })
  rig = await startRig({ map: fhirMap({ store: store.url }) })
})
afterAll(async () => {
  await rig.close()
  await store.close()
})

const claims = { patient: 'p1', fhirUser: 'Practitioner/gp' }
const ask = (query: string, scope: string): Promise<Answer> => rig.ask(`GET /fhir/R4/${query}`, { scope, claims })

function keys({ json }: Answer): string[] {
  return (json.entry ?? [])
    .map(
      ({ resource }: { resource: { resourceType: string; id: string } }) => `${resource.resourceType}/${resource.id}`,
    )
    .sort()
}

const ALL = 'patient/*.rs'

describe('what an include brings is checked like everything else', () => {
  test.each<[query: string, scope: string, found: readonly string[]]>([
    // Of the other patient: by a member, an encounter, a performer, a device, a subscriber.
    ['Observation?_id=lab&_include=Observation:has-member', ALL, ['Observation/lab', 'Observation/other']],
    ['Observation?_id=lab&_include=Observation:encounter', ALL, ['Observation/lab']],
    ['Observation?_id=other&_include=Observation:encounter', ALL, ['Encounter/e1', 'Observation/other']],
    ['Observation?_id=lab&_include=Observation:performer', ALL, ['Observation/lab', 'Practitioner/gp']],
    ['Observation?_id=lab&_include=Observation:device', ALL, ['Observation/lab']],
    ['Coverage?_include=Coverage:subscriber:Patient', ALL, ['Coverage/c']],
    ['Coverage?_include=Coverage:beneficiary', ALL, ['Coverage/c', 'Patient/p1']],
    // And back.
    ['Observation?_id=lab&_revinclude=DiagnosticReport:result', ALL, ['DiagnosticReport/r1', 'Observation/lab']],
    ['Observation?_id=lab&_revinclude=Observation:has-member', ALL, ['Observation/lab']],
    ['Patient?_revinclude=Observation:subject', ALL, ['Observation/lab', 'Observation/other', 'Patient/p1']],
    // The second hop, and any hop.
    [
      'Observation?_id=other&_include=Observation:encounter&_include:iterate=Encounter:subject:Patient',
      ALL,
      ['Encounter/e1', 'Observation/other', 'Patient/p1'],
    ],
    [
      'DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:has-member',
      ALL,
      ['DiagnosticReport/r1', 'Observation/lab', 'Observation/other'],
    ],
    [
      'Observation?_id=lab&_revinclude:iterate=DiagnosticReport:result&_include:iterate=DiagnosticReport:subject:Patient',
      ALL,
      ['DiagnosticReport/r1', 'Observation/lab', 'Patient/p1'],
    ],
    // The filter of the type counts for what comes along as well.
    [
      'DiagnosticReport?_include=DiagnosticReport:result',
      `patient/DiagnosticReport.rs patient/Observation.rs?category=${LAB}`,
      ['DiagnosticReport/r1', 'Observation/lab'],
    ],
    [
      'Observation?_id=lab&_include=Observation:has-member',
      `patient/Observation.rs?category=${LAB}`,
      ['Observation/lab'],
    ],
    // Targets that nobody named are cut where no scope covers them.
    ['Observation?_id=lab&_include=Observation:performer', 'patient/Observation.rs', ['Observation/lab']],
    ['Observation?_id=lab&_include=Observation:performer', 'user/Observation.rs', ['Observation/lab']],
  ])('%s', async (query, scope, found) => {
    const answer = await ask(query, scope)
    if (answer.status === 400) throw new Error(answer.text)
    expect([answer.status, keys(answer)]).toEqual([200, [...found]])
  })
})

describe('what no scope opens is refused before anything is asked', () => {
  test.each<[query: string, scope: string]>([
    ['Observation?_revinclude=DiagnosticReport:result', 'patient/Observation.rs'],
    ['Observation?_include=Observation:subject:Patient', 'patient/Observation.rs'],
    ['Patient?_revinclude=Group:member', ALL],
    // A letter that writes, or reads, is no letter that searches.
    ['Patient?_revinclude=Observation:subject', 'patient/Patient.rs patient/Observation.c'],
    ['Patient?_revinclude=Observation:subject', 'patient/Patient.rs patient/Observation.r'],
    ['Observation?_include=Observation:subject:Patient', 'patient/Observation.rs patient/Patient.cud'],
    // Types that name many patients need their own scope.
    ['Patient?_revinclude=List:subject', ALL],
  ])('%s by %s', async (query, scope) => {
    expect(verdictOf(await ask(query, scope))).toBe('403 scope-insufficient')
  })

  test.each(['_include=*', '_revinclude=*', '_include:iterate=*', '_include=Observation:*'])(
    '%s brings only what is covered',
    async (include) => {
      const answer = await ask(`Observation?_id=lab&${include}`, 'patient/Observation.rs')
      if (answer.status === 200)
        expect(keys(answer).filter((key) => key !== 'Observation/lab' && key !== 'Observation/other')).toEqual([])
      else expect(answer.status).toBe(403)
    },
  )
})

test('a search of several types keeps to each type’s own letter', async () => {
  expect(verdictOf(await ask('?_type=Observation,Patient', 'patient/Patient.rs patient/Observation.c'))).toBe(
    '403 scope-insufficient',
  )
  expect(keys(await ask('?_type=Observation,Patient', 'patient/Patient.s patient/Observation.s'))).toEqual([
    'Observation/lab',
    'Observation/other',
    'Patient/p1',
  ])
})
