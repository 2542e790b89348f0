// A bulk export from kick-off to files, in front of a store that really exports: what the scopes cover and nothing else, under names
// that only the client who started it can use.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readDemoData } from '../../src/demo/demo-data.ts'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, codeOf, verdictOf } from '../support/http-client.ts'
import { BASE, fhirMap, PUBLIC_URL, type Rig, type RigAsk, startRig } from '../support/rig.ts'

const ROUTE = 'operations: { $export: { bulk: true } }'
const ASYNC = { headers: { prefer: 'respond-async', accept: 'application/fhir+json' } }

let store: FhirServer
let rig: Rig
let resources: readonly Resource[]
beforeAll(async () => {
  const packed = readDemoData()
  resources = packed.map((line) => JSON.parse(line) as Resource)
  store = await startFhirServer({ packed, record: true, exportDelay: 0 })
  rig = await startRig({ map: fhirMap({ store: store.url, route: ROUTE }) })
})
afterAll(async () => {
  await rig.close()
  await store.close()
})

// biome-ignore lint/suspicious/noExplicitAny: resources of many types
type Resource = any

const local = (url: string): string => url.slice(PUBLIC_URL.length)
const keysOf = (all: readonly Resource[]): string[] => all.map(({ resourceType, id }) => `${resourceType}/${id}`).sort()

async function start(line: string, ask: RigAsk): Promise<string> {
  const answer = await rig.ask(line, { ...ASYNC, ...ask })
  expect(verdictOf(answer)).toBe('202')
  expect(answer.text).toBe('')
  expect(answer.headers['content-location']).toMatch(/^https:\/\/api\.example\.org\/fhir\/R4\/_export\/[\w-]+$/)
  return local(answer.headers['content-location']!)
}

/** Everything that an export holds, and its manifest. */
async function collect(line: string, ask: RigAsk): Promise<{ manifest: Resource; held: Resource[] }> {
  const status = await start(line, ask)
  const { headers: _, body: __, ...who } = ask
  const manifest = (await rig.ask(`GET ${status}`, who)).json
  const held: Resource[] = []
  for (const { url } of manifest.output) {
    const file = await rig.ask(`GET ${local(url)}`, who)
    expect(file.status).toBe(200)
    expect(file.headers['content-type']).toBe('application/fhir+ndjson')
    held.push(...linesOf(file))
  }
  return { manifest, held }
}

function linesOf({ text }: Answer): Resource[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

const upstreamAsked = (): string => {
  const last = store.requests.at(-1)!
  return `${last.method} ${decodeURIComponent(last.url)}`
}

describe('kick-off', () => {
  test.each([
    ['system/*.rs', 'GET /fhir/R4/$export', 'GET /fhir/$export'],
    ['system/*.rs', 'GET /fhir/R4/Patient/$export?_type=Patient', 'GET /fhir/Patient/$export?_type=Patient'],
    ['system/Patient.rs', 'GET /fhir/R4/$export', 'GET /fhir/$export?_type=Patient'],
    [
      'system/Patient.rs system/Observation.read',
      'GET /fhir/R4/Patient/$export?_since=2020-01-01T00:00:00Z',
      'GET /fhir/Patient/$export?_since=2020-01-01T00:00:00Z&_type=Observation,Patient',
    ],
    // Of a type that may only be searched or only be read nothing is exported.
    [
      'system/Patient.rs system/Observation.s system/Condition.r',
      'GET /fhir/R4/$export',
      'GET /fhir/$export?_type=Patient',
    ],
    [
      'system/Observation.rs?category=laboratory',
      'GET /fhir/R4/$export?_type=Observation',
      'GET /fhir/$export?_type=Observation&_typeFilter=Observation?category=laboratory',
    ],
    // Decoded once, as `_typeFilter` is by every server, a token is what the scope says.
    [
      'system/Observation.rs?code=http://loinc.org|8302-2',
      'GET /fhir/R4/$export?_type=Observation&_typeFilter=Observation%3Fcategory%3Dhttp://example.org%257Clab',
      'GET /fhir/$export?_type=Observation&_typeFilter=Observation?category=http://example.org|lab&code=http://loinc.org|8302-2',
    ],
    [
      'system/Observation.rs?category=laboratory system/Observation.rs?category=vital-signs',
      'GET /fhir/R4/$export?_typeFilter=Observation%3Fstatus%3Dfinal%26code%3Da,b&_type=Observation',
      'GET /fhir/$export?_type=Observation&_typeFilter=Observation?status=final&code=a,b&category=laboratory&_typeFilter=Observation?status=final&code=a,b&category=vital-signs',
    ],
  ])('%s: %s', async (scope, line, sent) => {
    await start(line, { scope })
    expect(upstreamAsked()).toBe(sent)
  })

  test.each([
    [
      'an explicit type that is not covered',
      'system/Patient.rs',
      '$export?_type=Patient,Observation',
      '403 scope-insufficient',
    ],
    [
      'a filter of a type that is not covered',
      'system/Patient.rs',
      '$export?_type=Patient&_typeFilter=Observation%3Fcode%3Dx',
      '403 scope-insufficient',
    ],
    [
      'a filter that asks about another type',
      'system/Observation.rs',
      '$export?_type=Observation&_typeFilter=Observation%3Fsubject%3APatient.name%3Dx',
      '403 scope-insufficient',
    ],
    ['no scope of both letters', 'system/Patient.r system/Observation.s', '$export', '403 scope-insufficient'],
    ['T37: a patient token', 'patient/*.rs', '$export', '403 scope-insufficient'],
    ['T37: a user token', 'user/*.rs', '$export?_type=Patient', '403 scope-insufficient'],
    ['a Group without Group.r', 'system/Patient.rs', 'Group/g1/$export', '403 scope-insufficient'],
    ['an unknown parameter', 'system/*.rs', '$export?_magic=1', '403 constraint-unenforceable'],
    ['an unknown type', 'system/*.rs', '$export?_type=Patients', '400 interaction-unknown'],
    [
      'an include in a filter',
      'system/*.rs',
      '$export?_typeFilter=Observation%3F_include%3DObservation:subject',
      '400 target-ambiguous',
    ],
    ['a list of patients by GET', 'system/*.rs', 'Patient/$export?patient=Patient/1', '400 target-ambiguous'],
    ['a type-level export of something else', 'system/*.rs', 'Observation/$export', '403 operation-not-listed'],
  ])('refused: %s', async (_, scope, target, verdict) => {
    const before = store.requests.length
    const answer = await rig.ask(`GET /fhir/R4/${target}`, { scope, claims: { patient: 'p1' }, ...ASYNC })
    expect(verdictOf(answer)).toBe(verdict)
    expect(store.requests.length).toBe(before)
  })
})

test('HEAD starts nothing', async () => {
  const before = store.requests.length
  const answer = await rig.ask('HEAD /fhir/R4/$export', { scope: 'system/*.rs', ...ASYNC })
  expect([answer.status, answer.headers['allow']]).toEqual([405, 'GET, POST'])
  expect(store.requests.length).toBe(before)
})

describe('what comes out', () => {
  test('everything, for a scope on everything', async () => {
    const { manifest, held } = await collect('GET /fhir/R4/$export', { scope: 'system/*.rs' })
    expect(keysOf(held)).toEqual(keysOf(resources))
    expect(manifest).toMatchObject({ request: `${BASE}/$export`, requiresAccessToken: true, error: [] })
    expect(manifest.output.every(({ count }: { count: number }) => count > 0)).toBe(true)
  })

  test('the types of the scopes, where none are asked for', async () => {
    const { held } = await collect('GET /fhir/R4/$export', { scope: 'system/Patient.rs system/Condition.rs' })
    const wanted = resources.filter(({ resourceType }) => ['Patient', 'Condition'].includes(resourceType))
    expect(keysOf(held)).toEqual(keysOf(wanted))
  })

  test('what granular scopes cover, within what the client asked for', async () => {
    const scope = 'system/Observation.rs?category=laboratory system/Observation.rs?category=vital-signs'
    const category = (one: Resource): string[] =>
      (one.category ?? []).flatMap(({ coding = [] }: Resource) => coding.map(({ code }: Resource) => code))
    const covered = resources.filter(
      (one) =>
        one.resourceType === 'Observation' &&
        category(one).some((code) => ['laboratory', 'vital-signs'].includes(code)),
    )
    const all = await collect('GET /fhir/R4/$export?_type=Observation', { scope })
    expect(covered.length).toBeGreaterThan(10)
    expect(keysOf(all.held)).toEqual(keysOf(covered))
    expect(all.manifest.output.some((file: object) => 'count' in file)).toBe(false)
    const part = await collect(
      'GET /fhir/R4/$export?_type=Observation&_typeFilter=Observation%3Fcategory%3Dvital-signs',
      { scope },
    )
    expect(keysOf(part.held)).toEqual(keysOf(covered.filter((one) => category(one).includes('vital-signs'))))
  })

  test('a list of patients, by POST', async () => {
    const [one, other] = resources.filter(({ resourceType }) => resourceType === 'Patient')
    const body = {
      resourceType: 'Parameters',
      parameter: [
        { name: 'patient', valueReference: { reference: `Patient/${one.id}` } },
        { name: '_type', valueString: 'Patient' },
      ],
    }
    const { held } = await collect('POST /fhir/R4/Patient/$export', { scope: 'system/Patient.rs', ...ASYNC, body })
    expect(keysOf(held)).toEqual([`Patient/${one.id}`])
    expect(other).toBeDefined()
  })

  test.each([
    ['no Parameters', { resourceType: 'Patient' }],
    ['no JSON', '{'],
    [
      'a member twice',
      '{"resourceType":"Parameters","parameter":[],"parameter":[{"name":"_type","valueString":"Patient"}]}',
    ],
    [
      'two values',
      { resourceType: 'Parameters', parameter: [{ name: '_type', valueString: 'Patient', valueCode: 'Group' }] },
    ],
    [
      'a resource',
      { resourceType: 'Parameters', parameter: [{ name: '_type', resource: { resourceType: 'Patient' } }] },
    ],
    [
      'somebody elsewhere',
      { resourceType: 'Parameters', parameter: [{ name: 'patient', valueReference: { reference: 'Group/1' } }] },
    ],
  ])('a POST with %s is refused', async (_, body) => {
    const before = store.requests.length
    const answer = await rig.ask('POST /fhir/R4/Patient/$export', { scope: 'system/*.rs', ...ASYNC, body })
    expect(verdictOf(answer)).toBe('400 body-invalid')
    expect(store.requests.length).toBe(before)
  })
})

describe('seals', () => {
  const owner = { scope: 'system/Patient.rs' }
  test('T37: status, files and cancellation are for the client who started it', async () => {
    const status = await start('GET /fhir/R4/$export', owner)
    const [file] = (await rig.ask(`GET ${status}`, owner)).json.output
    const others: RigAsk[] = [
      { scope: 'system/*.rs', claims: { client_id: 'app-2' } },
      { scope: 'system/*.rs', claims: { sub: 'user-2' } },
      { scope: 'system/*.rs', claims: { patient: 'p1' } },
    ]
    for (const other of others) {
      for (const line of [`GET ${status}`, `DELETE ${status}`, `GET ${local(file.url)}`]) {
        expect(verdictOf(await rig.ask(line, other))).toBe('404 not-found')
      }
    }
    expect((await rig.ask(`GET ${local(file.url)}`)).status).toBe(401)
    expect((await rig.ask(`GET ${local(file.url)}`, owner)).status).toBe(200)
  })

  test("today's grant decides: it must cover all that the job holds", async () => {
    const status = await start('GET /fhir/R4/$export', { scope: 'system/Patient.rs system/Condition.rs' })
    const manifest = (await rig.ask(`GET ${status}`, { scope: 'system/*.rs' })).json
    const file = manifest.output.find(({ type }: Resource) => type === 'Patient')
    for (const scope of ['system/Patient.rs', 'patient/*.rs user/*.rs', 'system/*.cud', 'system/*.s']) {
      const ask = { scope }
      expect(codeOf(await rig.ask(`GET ${status}`, ask))).toBe('scope-insufficient')
      expect(codeOf(await rig.ask(`GET ${local(file.url)}`, ask))).toBe('scope-insufficient')
      expect(codeOf(await rig.ask(`DELETE ${status}`, ask))).toBe('scope-insufficient')
    }
    const narrower = { scope: 'system/Condition.rs system/Patient.rs?gender=female' }
    const women = linesOf(await rig.ask(`GET ${local(file.url)}`, narrower))
    expect(women.length).toBeGreaterThan(0)
    expect(women.every(({ gender }) => gender === 'female')).toBe(true)
  })

  test('cancelled, it is gone', async () => {
    const status = await start('GET /fhir/R4/$export', owner)
    const cancelled = await rig.ask(`DELETE ${status}`, owner)
    expect([cancelled.status, cancelled.text]).toEqual([202, ''])
    const gone = await rig.ask(`GET ${status}`, owner)
    expect(verdictOf(gone)).toBe('404 not-found')
    expect(gone.json.resourceType).toBe('OperationOutcome')
  })

  test.each(['POST', 'PUT', 'PATCH', 'HEAD'])('%s is no way to ask', async (method) => {
    const status = await start('GET /fhir/R4/$export', owner)
    expect((await rig.ask(`${method} ${status}`, owner)).status).toBe(405)
  })

  test.each(['_export', '_export/', '_export/x', '_export/x/y', '_page/SEAL'])('%s is nothing', async (path) => {
    const status = await start('GET /fhir/R4/$export', owner)
    const target = path.replace('SEAL', status.split('/').at(-1)!)
    expect([400, 404]).toContain((await rig.ask(`GET /fhir/R4/${target}`, owner)).status)
  })
})
