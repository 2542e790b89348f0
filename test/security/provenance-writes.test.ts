// A Provenance is the patient's when everything that it is about is (spec §4.4): the Patient, what is stored and may be read, and what the
// same transaction writes. Nobody vouches for somebody else's record, nor learns by trying which records there are.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, entryVerdicts, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
})
afterAll(() => rig.close())

const ref = (reference: string) => ({ reference })
const observation = (id: string | undefined, patient: string, more: object = {}) => ({
  resourceType: 'Observation',
  ...(id !== undefined && { id }),
  subject: ref(`Patient/${patient}`),
  ...more,
})
const provenance = (targets: readonly string[], id?: string) => ({
  resourceType: 'Provenance',
  ...(id !== undefined && { id }),
  target: targets.map(ref),
  recorded: '2026-01-01T00:00:00Z',
  agent: [{ who: ref('Practitioner/7') }],
})
beforeEach(() =>
  rig.fill([
    { resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:mrn', value: '1' }] },
    { resourceType: 'Patient', id: 'p2', identifier: [{ system: 'urn:mrn', value: '2' }] },
    { resourceType: 'Practitioner', id: '7' },
    { resourceType: 'Practitioner', id: '8' },
    observation('mine', 'p1', { identifier: [{ system: 'urn:x', value: 'mine' }] }),
    observation('also', 'p1'),
    observation('foreign', 'p2', { identifier: [{ system: 'urn:x', value: 'foreign' }] }),
    { resourceType: 'Observation', id: 'both', subject: ref('Patient/p1'), performer: [ref('Patient/p2')] },
    provenance(['Observation/mine'], 'old'),
    provenance(['Observation/foreign'], 'old-foreign'),
  ]),
)

const SCOPE = 'patient/Provenance.cud patient/Observation.crus patient/Practitioner.r patient/Patient.r'
const ask = (line: string, body?: object, scope = SCOPE, headers: Record<string, string> = {}): Promise<Answer> =>
  rig.ask(line, { scope, claims: { patient: 'p1' }, headers, ...(body && { body }) })
const create = (targets: readonly string[], scope = SCOPE): Promise<Answer> =>
  ask('POST /fhir/R4/Provenance', provenance(targets), scope)

describe('about what is stored', () => {
  test.each<[targets: readonly string[]]>([
    [['Patient/p1']],
    [['Observation/mine']],
    [['Observation/mine/_history/1']],
    [['https://api.example.org/fhir/R4/Observation/mine']],
    [['Observation/mine', 'Observation/also', 'Patient/p1']],
    [['Observation/mine', 'Practitioner/8']],
  ])('%j: made', async (targets) => {
    const answer = await create(targets)
    expect(answer.status, answer.text).toBe(201)
  })

  test.each<[targets: readonly string[]]>([
    [['Observation/foreign']],
    [['Observation/absent']],
    [['Observation/mine', 'Observation/foreign']],
    [['Observation/mine', 'Patient/p2']],
    [['Patient/p1', 'Observation/foreign']],
    [['Observation/both', 'Patient/p2']],
    [['Practitioner/8']],
    [['Device/1']],
    [['https://elsewhere.example.org/fhir/Observation/mine']],
    [['#contained']],
    [[]],
  ])('%j: refused, all alike', async (targets) => {
    const answer = await create(targets)
    expect(verdictOf(answer)).toBe('403 scope-insufficient')
    expect(answer.json.issue[0].diagnostics).toBe(
      'The resource that would be written is outside what the scopes cover.',
    )
    expect(rig.written()).toEqual([])
  })

  test('what may not be read is as if it were not there', async () => {
    const scope = 'patient/Provenance.cud patient/Observation.cu'
    for (const target of ['mine', 'foreign', 'absent'])
      expect(verdictOf(await create([`Observation/${target}`], scope))).toBe('403 scope-insufficient')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('contexts are not mixed: what another scope may read is not the patient’s', async () => {
    const scope = 'patient/Provenance.c system/Observation.r'
    expect((await create(['Observation/mine'], scope)).status).toBe(201)
    expect(verdictOf(await create(['Observation/foreign'], scope))).toBe('403 scope-insufficient')
  })

  test('more than can be looked up', async () => {
    const many = Array.from({ length: 101 }, (_, i) => `Observation/n${i}`)
    expect(verdictOf(await create(many))).toBe('403 scope-insufficient')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('a server that does not answer is no word about a target', async () => {
    rig.upstream.raw = (request) => void request.socket.destroy()
    expect(verdictOf(await create(['Observation/mine']))).toBe('502 upstream-broken')
  })
})

describe('changing one', () => {
  const headers = { 'content-type': 'application/json-patch+json' }
  const patch = (id: string, targets: readonly string[]): Promise<Answer> =>
    ask(
      `PATCH /fhir/R4/Provenance/${id}`,
      [{ op: 'replace', path: '/target', value: targets.map(ref) }],
      SCOPE,
      headers,
    )
  const put = (id: string, targets: readonly string[]): Promise<Answer> =>
    ask(`PUT /fhir/R4/Provenance/${id}`, provenance(targets, id))

  test('from the own to the own', async () => {
    expect((await put('old', ['Observation/also'])).status).toBe(200)
    expect((await patch('old', ['Observation/mine'])).status).toBe(200)
    expect((await ask('DELETE /fhir/R4/Provenance/old')).status).toBe(204)
  })

  test('not from or to anything else', async () => {
    expect(verdictOf(await put('old', ['Observation/foreign']))).toBe('403 scope-insufficient')
    expect(verdictOf(await patch('old', ['Observation/foreign']))).toBe('403 scope-insufficient')
    for (const id of ['old-foreign', 'absent']) {
      expect(verdictOf(await put(id, ['Observation/mine']))).toBe('404 not-found')
      expect(verdictOf(await patch(id, ['Observation/mine']))).toBe('404 not-found')
      expect(verdictOf(await ask(`DELETE /fhir/R4/Provenance/${id}`))).toBe('404 not-found')
    }
    expect(rig.written()).toEqual([])
  })
})

const URN = 'urn:uuid:0f1e2d3c-0000-4000-8000-000000000001'
const entry = (method: string, url: string, resource: object, more: object = {}) => ({
  resource,
  request: { method, url },
  ...more,
})
const send = (entries: readonly object[], scope = SCOPE, type = 'transaction'): Promise<Answer> =>
  ask('POST /fhir/R4', { resourceType: 'Bundle', type, entry: entries }, scope)
const about = (target: string): object => entry('POST', 'Provenance', provenance([target]))
const stored = (): string[] =>
  [...rig.store.resources.journal]
    .filter(({ type }) => type === 'Provenance')
    .map(({ resource }) => JSON.stringify(resource))

describe('about what the same transaction writes', () => {
  const made = entry('POST', 'Observation', observation(undefined, 'p1'), { fullUrl: URN })
  const updated = entry('PUT', 'Observation/mine', observation('mine', 'p1'), { fullUrl: URN })

  test.each([
    ['a new resource', made],
    ['an update', updated],
  ])('%s of the patient, in any order', async (_, written) => {
    for (const entries of [
      [written, about(URN)],
      [about(URN), written],
    ]) {
      const answer = await send(entries)
      expect(answer.status, answer.text).toBe(200)
    }
    expect(stored().at(-1)).not.toContain('urn:')
  })

  test('and nothing else beside it', async () => {
    for (const other of ['Observation/foreign', 'Patient/p2', 'urn:uuid:0f1e2d3c-0000-4000-8000-000000000009'])
      expect(verdictOf(await send([made, entry('POST', 'Provenance', provenance([URN, other]))]))).toBe(
        '403 scope-insufficient',
      )
    expect((await send([made, entry('POST', 'Provenance', provenance([URN, 'Observation/also']))])).status).toBe(200)
  })

  test("not of somebody else's, though another scope may write that", async () => {
    const foreign = entry('POST', 'Observation', observation(undefined, 'p2'), { fullUrl: URN })
    const scope = `${SCOPE} system/Observation.c`
    expect(verdictOf(await send([foreign, about(URN)], scope))).toBe('403 scope-insufficient')
    expect(rig.written()).toEqual([])
  })

  test.each([
    ['Observation/foreign', { fullUrl: 'https://elsewhere.example.org/Observation/foreign' }],
    ['Observation/foreign', { fullUrl: 'Observation/foreign' }],
  ])('a name that a server may read as an address is none: %s', async (target, more) => {
    const written = entry('POST', 'Observation', observation(undefined, 'p1'), more)
    expect(verdictOf(await send([written, about(target)]))).toBe('403 scope-insufficient')
  })

  test('an id that a new resource carries is no address', async () => {
    const written = entry('POST', 'Observation', observation('foreign', 'p1'), { fullUrl: URN })
    expect(verdictOf(await send([written, about('Observation/foreign')]))).toBe('403 scope-insufficient')
  })

  test('entries of a batch do not know each other', async () => {
    expect(entryVerdicts(await send([made, about(URN)], SCOPE, 'batch'))[1]).toBe('403 scope-insufficient')
  })
})

describe('a reference to what a condition finds or makes', () => {
  const conditional = (type: string, condition: string, resource: object): object => ({
    fullUrl: URN,
    resource,
    request: { method: 'POST', url: type, ifNoneExist: condition },
  })
  const person = (value: string): object =>
    conditional('Patient', `identifier=urn:mrn|${value}`, { resourceType: 'Patient', active: true })
  const WIDE = 'system/Patient.cs patient/Observation.cru patient/Provenance.c'
  const ofUrn = entry('POST', 'Observation', { resourceType: 'Observation', subject: ref(URN) })

  test('to the own Patient: made, with the address of the match', async () => {
    const answer = await send([person('1'), ofUrn], WIDE)
    expect(answer.status, answer.text).toBe(200)
    const sent = JSON.parse(rig.upstream.arrived.at(-1)!.text).entry
    expect(sent[1].resource.subject).toEqual(ref('Patient/p1'))
    expect(sent[0].request.ifNoneExist).toBe('identifier=urn:mrn%7C1')
  })

  test.each(['2', 'nobody'])('to another one, or to a new one: refused (%s)', async (value) => {
    expect(verdictOf(await send([person(value), ofUrn], WIDE))).toBe('403 scope-insufficient')
    expect(rig.written()).toEqual([])
  })

  test('needs s, or stays what it is: a new Patient', async () => {
    expect(verdictOf(await send([person('1'), ofUrn], 'system/Patient.c patient/Observation.c'))).toBe(
      '403 scope-insufficient',
    )
  })

  test('a version of it, or its bare id, is not the match', async () => {
    for (const text of [`${URN}/_history/1`, 'Patient/x']) {
      const subject = entry('POST', 'Observation', { resourceType: 'Observation', subject: ref(text) })
      const named = { ...(person('1') as { resource: object }), resource: { resourceType: 'Patient', id: 'x' } }
      expect((await send([named, subject], WIDE)).status).toBe(403)
    }
    expect(rig.written()).toEqual([])
  })

  test('a Provenance about it: of what it finds', async () => {
    const found = conditional('Observation', 'identifier=urn:x|mine', observation(undefined, 'p1'))
    const answer = await send([found, about(URN)])
    expect(answer.status, answer.text).toBe(200)
    expect(stored().at(-1)).toContain('"Observation/mine"')
    const fresh = conditional('Observation', 'identifier=urn:x|new', observation(undefined, 'p1'))
    expect((await send([fresh, about(URN)])).status).toBe(200)
    expect(stored().at(-1)).not.toContain('urn:')
    // With that the server might find anybody's, once the gateway has looked.
    const wide = `${SCOPE} system/Observation.crus`
    const other = conditional('Observation', 'identifier=urn:x|other', observation(undefined, 'p1'))
    expect(verdictOf(await send([other, about(URN)], wide))).toBe('403 scope-insufficient')
    const foreign = conditional('Observation', 'identifier=urn:x|foreign', observation(undefined, 'p1'))
    expect(verdictOf(await send([foreign, about(URN)], wide))).toBe('403 scope-insufficient')
  })

  test('a server that does not answer is no word about a match', async () => {
    rig.upstream.raw = (request) => void request.socket.destroy()
    expect(verdictOf(await send([person('1'), ofUrn], WIDE))).toBe('502 upstream-broken')
  })
})
