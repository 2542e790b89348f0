// Whose record it is: the launch patient's, not the user's; by what it is about, not by every name in it; and one stranger's resource
// in an answer neither comes out nor spoils the rest. Others took the compartment from the user, compared ids by their beginning,
// counted every reference, refused whole searches, or left `$lastn`, `$everything` and pages unchecked.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { lyingStore } from '../support/lying-store.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const about = (id: string, subject: unknown, more: object = {}) => ({
  resourceType: 'Observation',
  id,
  subject,
  ...more,
})
const ref = (reference: string) => ({ reference })

const MINE = [
  about('plain', ref('Patient/1')),
  about('versioned', ref('Patient/1/_history/3')),
  about('absolute', ref('https://api.example.org/fhir/R4/Patient/1')),
  about('performer-other', ref('Patient/1'), { performer: [ref('Patient/2')] }),
  about('about-nobody', undefined, { performer: [ref('Patient/1')] }),
  { resourceType: 'Patient', id: '1' },
  { resourceType: 'CarePlan', id: 'plan', subject: ref('Patient/1') },
  { resourceType: 'Encounter', id: 'enc', subject: ref('Patient/1') },
  { resourceType: 'Provenance', id: 'prov', target: [ref('Patient/1')], agent: [{ who: ref('Practitioner/7') }] },
]
const NOT_MINE = [
  about('longer', ref('Patient/12')),
  about('shorter', ref('Patient/')),
  about('elsewhere', ref('https://elsewhere.example/fhir/Patient/1')),
  about('look-alike', ref('https://api.example.org.evil.example/fhir/R4/Patient/1')),
  about('group', ref('Group/1')),
  about('device', ref('Device/1')),
  about('contained', ref('#1'), { contained: [{ resourceType: 'Patient', id: '1' }] }),
  about('logical', { identifier: { system: 'urn:mrn', value: '1' } }),
  about('shown', { display: 'Patient/1' }),
  about('upper', ref('patient/1')),
  about('list', [ref('Patient/1')]),
  about('performer-only', ref('Patient/2'), { performer: [ref('Patient/1')] }),
  about('focus-only', ref('Patient/2'), { focus: [ref('Patient/1')] }),
  about('no-subject', undefined),
  { resourceType: 'Patient', id: '12' },
  { resourceType: 'Patient', id: '2', link: [{ other: ref('Patient/1'), type: 'seealso' }] },
  { resourceType: 'Group', id: 'g', member: [{ entity: ref('Patient/1') }] },
  { resourceType: 'List', id: 'l', subject: ref('Patient/1') },
  { resourceType: 'Appointment', id: 'a', participant: [{ actor: ref('Patient/1') }, { actor: ref('Patient/2') }] },
  { resourceType: 'Binary', id: 'b', contentType: 'text/plain', data: 'QQ==' },
  {
    resourceType: 'Bundle',
    id: 'bundle',
    type: 'collection',
    entry: [{ resource: { resourceType: 'Patient', id: '2' } }],
  },
  { resourceType: 'Parameters', id: 'p', parameter: [{ name: 'x', resource: { resourceType: 'Patient', id: '2' } }] },
  { resourceType: 'Provenance', id: 'prov-2', target: [ref('Patient/1'), ref('Patient/2')] },
  { resourceType: 'NoSuchType', id: '1', subject: ref('Patient/1') },
]
const SHARED = [
  { resourceType: 'Practitioner', id: '7' },
  { resourceType: 'Organization', id: 'o' },
]
const DATA = [...MINE, ...NOT_MINE, ...SHARED] as { resourceType: string; id: string }[]

let rig: Rig
beforeAll(async () => {
  const route = `operations: { "Patient/{id}/$everything": { requires: "*.rs" }, "Observation/$lastn": { requires: "Observation.s" } }`
  rig = await startRig({ map: fhirMap({ route }) })
})
afterAll(() => rig.close())
beforeEach(() => {
  rig.upstream.reset()
  rig.upstream.script = lyingStore(DATA, () => `${rig.upstream.url}/base`)
})

const keyOf = ({ resourceType, id }: { resourceType: string; id: string }): string => `${resourceType}/${id}`
const keys = ({ json }: Answer): string[] =>
  (json.entry ?? []).map(({ resource }: { resource: { resourceType: string; id: string } }) => keyOf(resource)).sort()
const keysOf = (some: readonly object[]): string[] => (some as typeof DATA).map(keyOf).sort()
const LAUNCH = { patient: '1', fhirUser: 'Practitioner/7' }
const ask = (line: string, scope = 'patient/*.rs', claims: object = LAUNCH): Promise<Answer> =>
  rig.ask(line, { scope, claims: { ...claims } })

test.each([
  'GET /fhir/R4/Observation',
  'GET /fhir/R4/',
  'GET /fhir/R4/?_type=Observation,Patient,CarePlan,Encounter,Provenance,Practitioner,Organization',
  'GET /fhir/R4/Patient/1/*',
  'GET /fhir/R4/Patient/1/Observation',
  'GET /fhir/R4/Patient/1/$everything',
])('%s: what is the patient’s, what is shared, and no more', async (line) => {
  const answer = await ask(line)
  expect([answer.status, keys(answer)]).toEqual([200, keysOf([...MINE, ...SHARED])])
})

test.each(DATA)('read of $resourceType/$id', async (resource) => {
  const open = [...MINE, ...SHARED].some((one) => one === (resource as unknown))
  const { status } = await ask(`GET /fhir/R4/${keyOf(resource)}`)
  expect(status === 200).toBe(open)
})

test('`$lastn` is answered within the limits, and only by its own letter', async () => {
  expect(keys(await ask('GET /fhir/R4/Observation/$lastn', 'patient/Observation.s'))).toEqual(
    keysOf(MINE.filter(({ resourceType }) => resourceType === 'Observation')),
  )
  expect(verdictOf(await ask('GET /fhir/R4/Observation/$lastn', 'patient/Observation.r'))).toBe(
    '403 scope-insufficient',
  )
})

test('the compartment is the launch patient’s, whoever the user is', async () => {
  for (const fhirUser of ['Practitioner/7', 'Patient/2', 'Patient/12', 'RelatedPerson/1', undefined]) {
    const claims = { patient: '1', ...(fhirUser && { fhirUser }) }
    expect(keys(await ask('GET /fhir/R4/Patient', 'patient/Patient.rs', claims))).toEqual(['Patient/1'])
  }
})

test('a user who is a patient stays within the own record, whatever the launch says', async () => {
  const claims = { patient: '1', fhirUser: 'Patient/2' }
  expect(keys(await ask('GET /fhir/R4/Patient', 'user/Patient.rs', claims))).toEqual(['Patient/2'])
  expect(keys(await ask('GET /fhir/R4/Patient', 'user/Patient.rs patient/Patient.rs', claims))).toEqual([
    'Patient/1',
    'Patient/2',
  ])
  expect(keys(await ask('GET /fhir/R4/Observation', 'user/Patient.rs patient/Observation.rs', claims))).not.toContain(
    'Patient/12',
  )
})

test('several linked patients are a union', async () => {
  const both = keys(await ask('GET /fhir/R4/Patient', 'patient/Patient.rs', { patient: ['1', '12'] }))
  expect(both).toEqual(['Patient/1', 'Patient/12'])
  expect(rig.upstream.arrived[0]!.url).toBe('/base/Patient?_id=1,12')
  const found = keys(await ask('GET /fhir/R4/Observation', 'patient/Observation.rs', { patient: ['1', '12'] }))
  expect(found).toContain('Observation/longer')
  expect(found).not.toContain('Observation/performer-only')
})

test('a narrow scope of one context borrows nothing from a broad one of another', async () => {
  const scope = 'patient/Observation.rs user/Encounter.rs system/CarePlan.rs'
  expect(keys(await ask('GET /fhir/R4/Observation', scope))).toEqual(
    keysOf([...MINE.filter(({ resourceType }) => ['Observation', 'CarePlan', 'Encounter'].includes(resourceType))]),
  )
})

test('types that name many patients open by their own name, and a Group never', async () => {
  expect(keys(await ask('GET /fhir/R4/List', 'patient/List.rs'))).toEqual(['List/l'])
  expect(keys(await ask('GET /fhir/R4/Appointment', 'patient/Appointment.rs'))).toEqual(['Appointment/a'])
  for (const type of ['Group', 'Bundle', 'Parameters', 'Subscription']) {
    expect((await ask(`GET /fhir/R4/${type}`, `patient/${type}.rs patient/*.rs`)).status).toBe(403)
  }
  expect(verdictOf(await ask('GET /fhir/R4/List'))).toBe('403 scope-insufficient')
})

describe('pages', () => {
  test('a page is guarded anew, by today’s grant', async () => {
    const link = [{ relation: 'next', url: `${rig.upstream.url}/base?_getpages=1` }]
    rig.upstream.script = () => ({
      body: { resourceType: 'Bundle', type: 'searchset', link, entry: [{ resource: MINE[0] }] },
    })
    const first = await ask('GET /fhir/R4/Observation')
    const path = new URL(first.json.link.find(({ relation }: { relation: string }) => relation === 'next').url).pathname
    rig.upstream.script = lyingStore(DATA, () => `${rig.upstream.url}/base`)
    const second = await ask(`GET ${path}`, 'patient/Observation.rs?_id=plain')
    expect(keys(second)).toEqual(['Observation/plain'])
    expect(rig.upstream.arrived.at(-1)!.url).toBe('/base?_getpages=1')
    expect(verdictOf(await ask(`GET ${path}`, 'patient/Patient.rs'))).toBe('403 scope-insufficient')
    expect(verdictOf(await ask(`GET ${path}`, 'patient/*.rs', { patient: '12' }))).toBe('404 not-found')
  })

  test('a page on which nothing is left still says where the next one is, and one that leads to itself does not', async () => {
    const page = (url: string) => () => ({
      body: {
        resourceType: 'Bundle',
        type: 'searchset',
        link: [{ relation: 'next', url: `${rig.upstream.url}/base${url}` }],
        entry: [{ resource: NOT_MINE[0] }],
      },
    })
    rig.upstream.script = page('?_getpages=2')
    const first = await ask('GET /fhir/R4/Observation', 'patient/Observation.rs')
    expect(keys(first)).toEqual([])
    const next = first.json.link.find(({ relation }: { relation: string }) => relation === 'next').url
    const second = await ask(`GET ${new URL(next).pathname}`, 'patient/Observation.rs')
    expect(second.json.link?.some(({ relation }: { relation: string }) => relation === 'next') ?? false).toBe(false)
  })
})
