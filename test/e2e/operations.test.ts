// Operations in front of a store that really has them: what the route map requires, within the limits of the scopes, complete and
// exact; and Binaries, whose security context stands in for them.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readDemoData } from '../../src/demo/demo-data.ts'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, PUBLIC_URL, type Rig, type RigAsk, startRig } from '../support/rig.ts'

const ROUTE = `
operations:
  "Patient/{id}/$everything": { requires: "*.rs" }
  "Observation/{id}/$everything": { requires: "Observation.r" }
  "{type}/$validate": { requires: "{type}.r", methods: [POST] }
  "{type}/{id}/$validate": { requires: "{type}.r" }
  "Observation/$lastn": { requires: "Observation.rs" }
  "Patient/$match": { requires: "Patient.s", methods: [POST], contexts: [user, system] }
  "Patient/{id}/$meta-add": { requires: "Patient.u" }
`
/** The same operation for scopes that name types: what comes along is cut to them. */
const NAMED = 'operations: { "Patient/{id}/$everything": { requires: "Patient.rs" } }'

let store: FhirServer
let rig: Rig
let named: Rig
let all: readonly Resource[]
beforeAll(async () => {
  const packed = readDemoData()
  all = packed.map((line) => JSON.parse(line))
  store = await startFhirServer({ packed, record: true })
  rig = await startRig({ map: fhirMap({ store: store.url, route: ROUTE }) })
  named = await startRig({ map: fhirMap({ store: store.url, route: NAMED }) })
})
afterAll(async () => {
  await rig.close()
  await named.close()
  await store.close()
})

// biome-ignore lint/suspicious/noExplicitAny: resources of many types
type Resource = any

const keyOf = ({ resourceType, id }: Resource): string => `${resourceType}/${id}`
const ofPatient = (patient: string): RigAsk['claims'] => ({ patient })

/** All entries of a Bundle and of its pages. */
async function collect(at: Rig, line: string, ask: RigAsk): Promise<Resource[]> {
  const found: Resource[] = []
  let next: string | undefined = line
  while (next !== undefined) {
    const answer = await at.ask(next, ask)
    expect(verdictOf(answer)).toBe('200')
    found.push(...(answer.json.entry ?? []).map(({ resource }: Resource) => resource))
    const link = (answer.json.link ?? []).find(({ relation }: Resource) => relation === 'next')
    next = link && `GET ${link.url.slice(PUBLIC_URL.length)}`
  }
  return found
}

const SHARED = [
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Medication',
  'HealthcareService',
  'Endpoint',
  'Questionnaire',
]
const SEVERAL = ['Appointment', 'AppointmentResponse', 'AuditEvent', 'Group', 'List', 'Person', 'Schedule']

/** Read from the elements by name, not by the gateway's own tables. */
function isOf(patient: string, resource: Resource): boolean {
  const { resourceType, id } = resource
  if (resourceType === 'Patient') return id === patient
  if (SHARED.includes(resourceType)) return true
  if (SEVERAL.includes(resourceType)) return false
  if (resourceType === 'Provenance') return true
  const named = [resource.subject, resource.patient, resource.beneficiary, resource.for]
  return named.some((one) => one?.reference === `Patient/${patient}`)
}

describe('$everything', () => {
  test.each(['1', '2', '3'])(
    'patient/ scopes: all of Patient/%s that they cover and nothing else, in pages too',
    async (id) => {
      const whole = await collect(rig, `GET /fhir/R4/Patient/${id}/$everything`, { scope: 'system/*.rs' })
      const wanted = whole.filter((one) => isOf(id, one)).map(keyOf)
      const ask = { scope: 'patient/*.rs', claims: ofPatient(id)! }
      const given = (await collect(rig, `GET /fhir/R4/Patient/${id}/$everything`, ask)).map(keyOf)
      expect(wanted.length).toBeGreaterThan(5)
      expect(given.toSorted()).toEqual(wanted.toSorted())
      const paged = (await collect(rig, `GET /fhir/R4/Patient/${id}/$everything?_count=500`, ask)).map(keyOf)
      // A Provenance rests on what was released beside it; of what stands on another page nothing is known.
      const withoutProvenance = (keys: string[]): string[] =>
        keys.filter((key) => !key.startsWith('Provenance/')).sort()
      expect(withoutProvenance(paged)).toEqual(withoutProvenance(wanted))
    },
    60_000,
  )

  test.each([
    ['system/Patient.rs system/Condition.rs', (one: Resource) => ['Patient', 'Condition'].includes(one.resourceType)],
    [
      'patient/Patient.rs patient/Observation.rs?category=laboratory',
      (one: Resource) => one.resourceType === 'Patient' || isLaboratory(one),
    ],
    [
      'patient/Patient.rs patient/Observation.rs?category=laboratory patient/Condition.s',
      (one: Resource) => one.resourceType === 'Patient' || one.resourceType === 'Condition' || isLaboratory(one),
    ],
  ])(
    'granular: %s',
    async (scope, covers) => {
      const whole = await collect(rig, 'GET /fhir/R4/Patient/1/$everything', { scope: 'system/*.rs' })
      const wanted = whole.filter((one) => isOf('1', one) && covers(one)).map(keyOf)
      const given = (
        await collect(named, 'GET /fhir/R4/Patient/1/$everything?_count=200', { scope, claims: ofPatient('1')! })
      ).map(keyOf)
      expect(wanted.length).toBeGreaterThan(1)
      expect(given.toSorted()).toEqual(wanted.toSorted())
    },
    60_000,
  )

  test('POST with Parameters, as GET', async () => {
    const body = { resourceType: 'Parameters', parameter: [{ name: '_type', valueString: 'Condition' }] }
    const ask = { scope: 'patient/*.rs', claims: ofPatient('1')! }
    const posted = await collect(rig, 'POST /fhir/R4/Patient/1/$everything', { ...ask, body })
    const read = await collect(rig, 'GET /fhir/R4/Patient/1/$everything?_type=Condition', ask)
    expect(posted.map(keyOf)).toEqual(read.map(keyOf))
    expect(new Set(posted.map(({ resourceType }) => resourceType))).toEqual(new Set(['Condition']))
  })

  test.each([
    ['another patient', 'patient/*.rs', 'GET /fhir/R4/Patient/2/$everything', '403 patient-mismatch'],
    ['T24: only Patient.r', 'patient/Patient.r', 'GET /fhir/R4/Patient/1/$everything', '403 scope-insufficient'],
    [
      'at type level, where it is not listed',
      'patient/*.rs',
      'GET /fhir/R4/Patient/$everything',
      '403 operation-not-listed',
    ],
    ['of a resource of somebody else', 'patient/*.rs', 'GET /fhir/R4/Observation/OTHER/$everything', '404 not-found'],
    [
      'of a resource that is not there',
      'patient/*.rs',
      'GET /fhir/R4/Observation/no-such-id/$everything',
      '404 not-found',
    ],
  ])('refused: %s', async (_, scope, line, verdict) => {
    const other = all.find((one) => one.resourceType === 'Observation' && one.subject.reference === 'Patient/2')
    const answer = await rig.ask(line.replace('OTHER', other.id), { scope, claims: ofPatient('1')! })
    expect(verdictOf(answer)).toBe(verdict)
    expect(store.requests.filter(({ url }) => url.includes('$everything') && url.includes('Observation'))).toEqual([])
  })
})

function isLaboratory(one: Resource): boolean {
  return one.resourceType === 'Observation' && JSON.stringify(one.category ?? []).includes('"laboratory"')
}

describe('$lastn', () => {
  test('T22: is narrowed, so that the newest are those of the patient', async () => {
    const ask = { scope: 'patient/Observation.rs', claims: ofPatient('1')! }
    const given = await collect(rig, 'GET /fhir/R4/Observation/$lastn?category=laboratory', ask)
    const whole = await collect(rig, 'GET /fhir/R4/Observation/$lastn?category=laboratory&patient=Patient/1', {
      scope: 'system/*.rs',
    })
    expect(given.length).toBeGreaterThan(3)
    expect(given.map(keyOf).toSorted()).toEqual(whole.map(keyOf).toSorted())
    expect(given.every(({ subject }) => subject.reference === 'Patient/1')).toBe(true)
  })

  test('granular scopes narrow it as well; what cannot be narrowed is refused', async () => {
    const ask = { claims: ofPatient('1')! }
    const scope = 'patient/Observation.rs?category=vital-signs'
    const given = await collect(rig, 'GET /fhir/R4/Observation/$lastn', { ...ask, scope })
    const whole = await collect(rig, 'GET /fhir/R4/Observation/$lastn?category=vital-signs&patient=Patient/1', {
      scope: 'system/*.rs',
    })
    expect(given.map(keyOf).toSorted()).toEqual(whole.map(keyOf).toSorted())
    const union = 'patient/Observation.rs?category=vital-signs patient/Observation.rs?code=http://loinc.org|8302-2'
    const refused = await rig.ask('GET /fhir/R4/Observation/$lastn', { ...ask, scope: union })
    expect(verdictOf(refused)).toBe('403 constraint-unenforceable')
  })

  test('by POST', async () => {
    const ask = { scope: 'patient/Observation.rs', claims: ofPatient('1')! }
    const body = (patient: string) => ({
      resourceType: 'Parameters',
      parameter: [
        { name: 'category', valueString: 'laboratory' },
        { name: 'patient', valueReference: { reference: patient } },
      ],
    })
    const read = await collect(rig, 'GET /fhir/R4/Observation/$lastn?category=laboratory', ask)
    const posted = await collect(rig, 'POST /fhir/R4/Observation/$lastn', { ...ask, body: body('Patient/1') })
    expect(posted.map(keyOf)).toEqual(read.map(keyOf))
    const silent = { resourceType: 'Parameters', parameter: [{ name: 'category', valueString: 'laboratory' }] }
    const narrowed = await collect(rig, 'POST /fhir/R4/Observation/$lastn', { ...ask, body: silent })
    expect(narrowed.map(keyOf)).toEqual(read.map(keyOf))
    const other = await rig.ask('POST /fhir/R4/Observation/$lastn', { ...ask, body: body('Patient/2') })
    expect(verdictOf(other)).toBe('403 patient-mismatch')
    const chained = { resourceType: 'Parameters', parameter: [{ name: 'subject:Patient.name', valueString: 'x' }] }
    const probing = await rig.ask('POST /fhir/R4/Observation/$lastn', {
      ...ask,
      scope: 'system/Observation.rs',
      body: chained,
    })
    expect(verdictOf(probing)).toBe('403 constraint-unenforceable')
  })

  test.each([
    ['another patient', 'patient/Observation.rs', 'patient=Patient/2', '403 patient-mismatch'],
    ['another patient by bare id', 'patient/Observation.rs', 'patient=2', '403 patient-mismatch'],
    ['a chain', 'system/Observation.rs', 'subject:Patient.name=x', '403 scope-insufficient'],
    ['an unlimited chain', 'system/Observation.rs system/Patient.rs', 'subject:Patient.name=x', '200'],
  ])('%s', async (_, scope, query, verdict) => {
    const answer = await rig.ask(`GET /fhir/R4/Observation/$lastn?${query}`, { scope, claims: ofPatient('1')! })
    expect(verdictOf(answer)).toBe(verdict)
  })
})

describe('other operations', () => {
  const observation = {
    resourceType: 'Observation',
    status: 'final',
    code: { text: 'x' },
    subject: { reference: 'Patient/2' },
  }
  test.each([
    [
      '$validate tells about what was sent',
      'patient/Observation.rs',
      'POST /fhir/R4/Observation/$validate',
      observation,
      '200',
    ],
    [
      '$validate of a type without scope',
      'patient/Observation.rs',
      'POST /fhir/R4/Patient/$validate',
      { resourceType: 'Patient' },
      '403 scope-insufficient',
    ],
    [
      '$validate by GET',
      'patient/Observation.rs',
      'GET /fhir/R4/Observation/$validate',
      undefined,
      '405 interaction-unknown',
    ],
    [
      '$validate of a stored one of somebody else',
      'patient/Patient.rs',
      'GET /fhir/R4/Patient/2/$validate',
      undefined,
      '403 patient-mismatch',
    ],
    [
      '$match for a patient',
      'patient/Patient.rs',
      'POST /fhir/R4/Patient/$match',
      { resourceType: 'Patient' },
      '403 scope-insufficient',
    ],
    [
      'an operation that writes, within limits',
      'patient/Patient.cruds',
      'POST /fhir/R4/Patient/1/$meta-add',
      { resourceType: 'Parameters' },
      '403 constraint-unenforceable',
    ],
    ['T39: $document', 'system/*.cruds', 'GET /fhir/R4/Composition/1/$document', undefined, '403 operation-not-listed'],
    [
      'a body that is no JSON',
      'patient/Observation.rs',
      'POST /fhir/R4/Observation/$validate',
      '{',
      '400 body-invalid',
    ],
  ])('%s', async (_, scope, line, body, verdict) => {
    const ask = { scope, claims: ofPatient('1')!, ...(body === undefined ? {} : { body }) }
    expect(verdictOf(await rig.ask(line, ask))).toBe(verdict)
  })

  test('$match finds Patients for a system', async () => {
    const patient = all.find(({ resourceType }) => resourceType === 'Patient')
    const resource = { resourceType: 'Patient', identifier: patient.identifier }
    const body = { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }] }
    const ask = { scope: 'system/Patient.s', body }
    expect((await collect(rig, 'POST /fhir/R4/Patient/$match', ask)).map(keyOf)).toContain(keyOf(patient))
  })
})

describe('Binary', () => {
  const native = { headers: { accept: 'text/plain' } }
  const owner = (): string => {
    const context = all.find(({ resourceType }) => resourceType === 'Binary').securityContext.reference
    return all.find((one) => keyOf(one) === context).subject.reference.slice('Patient/'.length)
  }

  test('its security context stands in for it, for JSON and for its content', async () => {
    const ask = { scope: 'patient/Binary.r patient/DocumentReference.r', claims: ofPatient(owner())! }
    const json = await rig.ask('GET /fhir/R4/Binary/1', { ...ask, headers: { accept: 'application/fhir+json' } })
    expect(json.json).toMatchObject({ resourceType: 'Binary', id: '1' })
    const content = await rig.ask('GET /fhir/R4/Binary/1', { ...ask, ...native })
    expect(content.text).toBe(Buffer.from(json.json.data, 'base64').toString())
    expect((await rig.ask('GET /fhir/R4/Binary/1/_history/1', { ...ask, ...native })).text).toBe(content.text)
    expect((await rig.ask('GET /fhir/R4/Binary/1', { scope: 'system/Binary.r', ...native })).text).toBe(content.text)
  })

  test.each([
    ['of another patient', 'patient/*.r', 'OTHER', '404 not-found'],
    ['whose context may not be read', 'patient/Binary.r', 'OWNER', '404 not-found'],
    ['without a scope for it', 'patient/DocumentReference.r', 'OWNER', '403 scope-insufficient'],
    ['by search', 'patient/*.rs', 'OWNER', '403 scope-insufficient', 'GET /fhir/R4/Binary?_id=1'],
    ['that is not there', 'patient/*.r', 'OWNER', '404 not-found', 'GET /fhir/R4/Binary/none'],
    ['by its history', 'patient/*.r', 'OWNER', '404 not-found', 'GET /fhir/R4/Binary/1/_history'],
    ['written', 'patient/*.cruds', 'OWNER', '403 scope-insufficient', 'DELETE /fhir/R4/Binary/1'],
  ])('refused: one %s', async (_, scope, who, verdict, line = 'GET /fhir/R4/Binary/1') => {
    const other = owner() === '1' ? '2' : '1'
    const claims = ofPatient(who === 'OWNER' ? owner() : other)!
    for (const headers of [native.headers, { accept: 'application/fhir+json' }]) {
      expect(verdictOf(await rig.ask(line, { scope, claims, headers }))).toBe(verdict)
    }
  })
})
