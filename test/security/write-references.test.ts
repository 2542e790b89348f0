// Whose record a written resource is, where references can be read in more than one way (spec §2.6, §4.5): only a literal reference to
// the patient on this server proves it. In a transaction a reference is read as the server will read it: as the entry that has that
// fullUrl, whatever else it looks like.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { BASE } from '../support/rig.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
let full: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
  full = await startStoreRig('patientScopes: { compartment: full }')
})
afterAll(async () => {
  await rig.close()
  await full.close()
})

const STORED = [
  { resourceType: 'Patient', id: 'p1', identifier: [{ system: 'urn:mrn', value: '1' }] },
  { resourceType: 'Patient', id: 'p2', identifier: [{ system: 'urn:mrn', value: '2' }] },
  { resourceType: 'Observation', id: 'mine', subject: { reference: 'Patient/p1' } },
  { resourceType: 'Practitioner', id: 'dr', identifier: [{ system: 'urn:npi', value: '7' }] },
]
beforeEach(() => {
  rig.fill(STORED)
  full.fill(STORED)
})

const SCOPE = 'patient/*.cruds'
const observation = (subject: unknown, more: object = {}) => ({ resourceType: 'Observation', subject, ...more })
const ask = (line: string, body: object | string, scope = SCOPE, on = rig): Promise<Answer> =>
  on.ask(line, { scope, claims: { patient: 'p1' }, body })
const create = (body: object | string, scope?: string, on?: StoreRig): Promise<Answer> =>
  ask('POST /fhir/R4/Observation', body, scope, on)
const reference = (text: unknown, more: object = {}) => ({ reference: text, ...more })

describe('the patient of a resource that is written', () => {
  test.each([
    reference('Patient/p1'),
    reference('Patient/p1/_history/1'),
    reference(`${BASE}/Patient/p1`),
    reference('Patient/p1', { type: 'Patient', display: 'x', identifier: { value: '1' } }),
  ])('%j is the own one', async (subject) => {
    expect((await create(observation(subject))).status).toBe(201)
  })

  test.each<[unknown, object?]>([
    [reference('#p1'), { contained: [{ resourceType: 'Patient', id: 'p1' }] }],
    [{ identifier: { system: 'urn:mrn', value: '1' } }],
    [{ type: 'Patient', identifier: { system: 'urn:mrn', value: '1' } }],
    [{ display: 'Patient/p1' }],
    [reference('urn:uuid:0f1e2d3c-0000-4000-8000-000000000001')],
    [reference('urn:oid:1.2.3')],
    [reference('https://elsewhere.example/fhir/Patient/p1')],
    [reference(`${BASE}/other/Patient/p1`)],
    [reference('patient/p1')],
    [reference('Patient/P1')],
    [reference('Patient/p1/')],
    [reference('/Patient/p1')],
    [reference(' Patient/p1')],
    [reference('Group/p1')],
    [reference(['Patient/p1'])],
    [[reference('Patient/p1')]],
    ['Patient/p1'],
    [undefined],
    [null],
  ])('%j is nobody', async (subject, more) => {
    for (const on of [rig, full]) {
      expect(verdictOf(await create(observation(subject, more), SCOPE, on))).toBe('403 scope-insufficient')
      expect(on.upstream.arrived).toEqual([])
    }
  })

  test.each<[string, unknown]>([
    ['a logical reference', { identifier: { system: 'urn:mrn', value: '2' } }],
    ['a contained patient', reference('#p2')],
    ['a patient elsewhere', reference('https://elsewhere.example/fhir/Patient/p2')],
    ['another patient', reference('Patient/p2')],
  ])('%s as the subject is not made up for by the performer', async (_, subject) => {
    const body = observation(subject, { performer: [reference('Patient/p1')] })
    for (const on of [rig, full]) expect(verdictOf(await create(body, SCOPE, on))).toBe('403 scope-insufficient')
  })
})

describe('two readers', () => {
  test.each<[string, string]>([
    [
      'a member twice',
      '{"resourceType":"Observation","subject":{"reference":"Patient/p1"},"subject":{"reference":"Patient/p2"}}',
    ],
    [
      'in another spelling',
      '{"resourceType":"Observation","subject":{"reference":"Patient/p1"},"subj\\u0065ct":{"reference":"Patient/p2"}}',
    ],
    ['deeper', '{"resourceType":"Observation","subject":{"reference":"Patient/p1","reference":"Patient/p2"}}'],
    ['the type', '{"resourceType":"Observation","resourceType":"Patient","subject":{"reference":"Patient/p1"}}'],
    [
      'more behind the end',
      '{"resourceType":"Observation","subject":{"reference":"Patient/p1"}} {"resourceType":"Observation"}',
    ],
  ])('%s: refused, alone and in a Bundle', async (_, text) => {
    expect(verdictOf(await create(text))).toBe('400 body-invalid')
    const bundle = `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"POST","url":"Observation"},"resource":${text}}]}`
    expect(verdictOf(await ask('POST /fhir/R4', bundle))).toBe('400 body-invalid')
    expect(rig.upstream.arrived).toEqual([])
  })

  test.each<[string, object]>([
    ['a twin of the subject', { subject: reference('Patient/p1'), Subject: reference('Patient/p2') }],
    ['a twin in the reference', { subject: reference('Patient/p1', { Reference: 'Patient/p2' }) }],
    ['another spelling of what is missing', { SUBJECT: reference('Patient/p2'), performer: [reference('Patient/p1')] }],
    ['another spelling of the id', { subject: reference('Patient/p1'), ID: 'x' }],
  ])('%s: a server that ignores case would read another one', async (_, more) => {
    const body = { resourceType: 'Observation', ...more }
    expect(verdictOf(await create(body))).toBe('400 body-invalid')
    const operations = Object.entries(more).map(([name, value]) => ({ op: 'add', path: `/${name}`, value }))
    const sent = { scope: SCOPE, claims: { patient: 'p1' }, body: operations }
    const headers = { 'content-type': 'application/json-patch+json' }
    expect(verdictOf(await rig.ask('PATCH /fhir/R4/Observation/mine', { ...sent, headers }))).toBe('400 body-invalid')
    expect(rig.written()).toEqual([])
  })

  test.each([
    [
      'another type than the URL',
      'PUT /fhir/R4/Observation/mine',
      { resourceType: 'Condition', id: 'mine', subject: reference('Patient/p1') },
    ],
    [
      'another id than the URL',
      'PUT /fhir/R4/Observation/mine',
      { ...observation(reference('Patient/p1')), id: 'other' },
    ],
    ['no id', 'PUT /fhir/R4/Observation/mine', observation(reference('Patient/p1'))],
    ['no object', 'POST /fhir/R4/Observation', [observation(reference('Patient/p1'))]],
  ])('%s: refused', async (_, line, body) => {
    expect(verdictOf(await ask(line, body))).toBe('400 body-invalid')
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('a conditional reference in a single write asks what exists', () => {
  const body = observation(reference('Patient/p1'), { performer: [reference('Practitioner?identifier=urn:npi|7')] })
  test.each<[scope: string, verdict: string]>([
    ['system/Observation.c', '403 scope-insufficient'],
    ['system/Observation.c system/Practitioner.r', '403 scope-insufficient'],
    ['system/Observation.c system/Practitioner.s', '201'],
    ['system/Observation.c system/Practitioner.s?active=true', '403 constraint-unenforceable'],
    ['patient/Observation.c', '403 scope-insufficient'],
    ['patient/Observation.c system/Practitioner.s', '201'],
  ])('%s: %s', async (scope, verdict) => {
    expect(verdictOf(await create(body, scope))).toBe(verdict)
    expect(rig.upstream.arrived.length).toBe(verdict === '201' ? 1 : 0)
  })

  test('whatever stands before the query', async () => {
    for (const text of [
      `${BASE}/Practitioner?identifier=1`,
      '/Practitioner?identifier=1',
      'Practitioner/7?x=1',
      'urn:x?y',
    ]) {
      expect(verdictOf(await create(observation(reference(text)), 'system/*.c'))).toBe('400 body-invalid')
    }
    expect(rig.upstream.arrived).toEqual([])
  })

  test('nor does a patch put one in', async () => {
    const headers = { 'content-type': 'application/json-patch+json' }
    const operations = [{ op: 'add', path: '/performer', value: [{ reference: 'Practitioner?identifier=urn:npi|7' }] }]
    const sent = { scope: SCOPE, claims: { patient: 'p1' }, headers, body: operations }
    expect(verdictOf(await rig.ask('PATCH /fhir/R4/Observation/mine', sent))).toBe('400 body-invalid')
    expect(rig.written()).toEqual([])
  })
})

const URN = 'urn:uuid:0f1e2d3c-0000-4000-8000-000000000001'
const entry = (method: string, url: string, resource: object, more: object = {}) => ({
  ...more,
  resource,
  request: { method, url },
})
const send = (type: string, entries: readonly object[], scope = SCOPE): Promise<Answer> =>
  ask('POST /fhir/R4', { resourceType: 'Bundle', type, entry: entries }, scope)

describe('an entry that refers to another', () => {
  const about = (text: string) => entry('POST', 'Observation', observation(reference(text)))
  const own = { resourceType: 'Patient', id: 'p1', active: true }

  test('a urn of the own Patient, which is updated in the same transaction, is the own Patient', async () => {
    const answer = await send('transaction', [entry('PUT', 'Patient/p1', own, { fullUrl: URN }), about(URN)])
    expect(answer.status, answer.text).toBe(200)
    const [made] = [...rig.store.resources.all('Observation')].slice(-1)
    expect(made!.resource).toMatchObject({ subject: { reference: 'Patient/p1' } })
  })

  test('in a batch it is nobody: entries of a batch do not know each other', async () => {
    const answer = await send('batch', [entry('PUT', 'Patient/p1', own, { fullUrl: URN }), about(URN)])
    expect(answer.json.entry.map(({ response }: { response: { status: string } }) => response.status)).toEqual([
      '200 OK',
      '403',
    ])
  })

  test('a urn that no entry has is nobody', async () => {
    expect(verdictOf(await send('transaction', [entry('PUT', 'Patient/p1', own), about(URN)]))).toBe(
      '403 scope-insufficient',
    )
    expect(rig.written()).toEqual([])
  })

  // Who may write any Patient is no wiser whose Observation this is.
  const mixed = 'patient/Observation.cruds system/Patient.cu'
  test.each<[name: string, first: object, text: string]>([
    ['a new Patient', entry('POST', 'Patient', { resourceType: 'Patient' }, { fullUrl: URN }), URN],
    ['another Patient', entry('PUT', 'Patient/p2', { resourceType: 'Patient', id: 'p2' }, { fullUrl: URN }), URN],
    [
      'another Patient under the own address',
      entry('PUT', 'Patient/p2', { resourceType: 'Patient', id: 'p2' }, { fullUrl: `${BASE}/Patient/p1` }),
      `${BASE}/Patient/p1`,
    ],
    [
      'the same by a relative reference',
      entry('PUT', 'Patient/p2', { resourceType: 'Patient', id: 'p2' }, { fullUrl: `${BASE}/Patient/p1` }),
      'Patient/p1',
    ],
    [
      'a new Patient under the own address',
      entry('POST', 'Patient', { resourceType: 'Patient' }, { fullUrl: `${BASE}/Patient/p1` }),
      `${BASE}/Patient/p1`,
    ],
    [
      'a new Patient that brings the own id',
      entry('POST', 'Patient', { resourceType: 'Patient', id: 'p1' }),
      'Patient/p1',
    ],
    [
      'an address elsewhere',
      entry('POST', 'Patient', { resourceType: 'Patient' }, { fullUrl: 'https://elsewhere.example/fhir/Patient/p1' }),
      'Patient/p1',
    ],
    [
      'a version of it',
      entry('POST', 'Patient', { resourceType: 'Patient' }, { fullUrl: `${BASE}/Patient/p1` }),
      `${BASE}/Patient/p1/_history/1`,
    ],
  ])('%s is not the own patient', async (_, first, text) => {
    for (const entries of [
      [first, about(text)],
      [about(text), first],
    ]) {
      const answer = await send('transaction', entries, mixed)
      expect(verdictOf(answer), answer.text).toBe('403 scope-insufficient')
    }
    expect(rig.written()).toEqual([])
  })

  test('two entries with one fullUrl are nobody', async () => {
    const entries = [
      entry('PUT', 'Patient/p1', own, { fullUrl: URN }),
      entry('PUT', 'Patient/p2', { resourceType: 'Patient', id: 'p2' }, { fullUrl: URN }),
      about(URN),
    ]
    expect(verdictOf(await send('transaction', entries, mixed))).toBe('403 scope-insufficient')
  })

  test('references to what is no Patient do not matter', async () => {
    const entries = [
      entry('POST', 'Encounter', { resourceType: 'Encounter', subject: reference('Patient/p1') }, { fullUrl: URN }),
      entry('POST', 'Observation', observation(reference('Patient/p1'), { encounter: reference(URN) })),
    ]
    expect((await send('transaction', entries)).status).toBe(200)
  })

  test('in a batch what refers to a refused entry is refused too, and the others are not', async () => {
    const second = 'urn:uuid:0f1e2d3c-0000-4000-8000-000000000002'
    const answer = await send('batch', [
      entry('POST', 'Encounter', { resourceType: 'Encounter', subject: reference('Patient/p2') }, { fullUrl: URN }),
      entry('POST', 'Observation', observation(reference('Patient/p1'), { encounter: reference(URN) }), {
        fullUrl: second,
      }),
      entry('POST', 'Observation', observation(reference('Patient/p1'), { hasMember: [reference(second)] })),
      entry('POST', 'Observation', observation(reference('Patient/p1'))),
    ])
    expect(answer.json.entry.map(({ response }: { response: { status: string } }) => response.status)).toEqual([
      '403',
      '400',
      '400',
      '201 Created',
    ])
  })
})

describe('a conditional reference in a transaction', () => {
  const about = (query: string) => entry('POST', 'Observation', observation(reference(query)))
  const sent = (): unknown => JSON.parse(rig.upstream.arrived.at(-1)!.text).entry[0].resource.subject

  test('that finds the own patient goes on as the address of the match', async () => {
    const answer = await send(
      'transaction',
      [about('Patient?identifier=urn:mrn|1')],
      'patient/Observation.c patient/Patient.s',
    )
    expect(answer.status, answer.text).toBe(200)
    expect(sent()).toEqual({ reference: 'Patient/p1' })
  })

  test('finds nothing outside the grant, there or not', async () => {
    for (const value of ['2', '3']) {
      const answer = await send(
        'transaction',
        [about(`Patient?identifier=urn:mrn|${value}`)],
        'patient/Observation.c patient/Patient.s',
      )
      expect(verdictOf(answer)).toBe('404 not-found')
    }
    expect(rig.written()).toEqual([])
  })

  test('that may find anything is looked up before it is decided whose record this is', async () => {
    const scope = 'patient/Observation.c system/Patient.s'
    expect((await send('transaction', [about('Patient?identifier=urn:mrn|1')], scope)).status).toBe(200)
    expect(sent()).toEqual({ reference: 'Patient/p1' })
    expect(verdictOf(await send('transaction', [about('Patient?identifier=urn:mrn|2')], scope))).toBe(
      '403 scope-insufficient',
    )
  })

  test('without limits is left to the server, byte for byte', async () => {
    const answer = await send(
      'transaction',
      [about('Patient?identifier=urn:mrn|2')],
      'system/Observation.c system/Patient.s',
    )
    expect(answer.status, answer.text).toBe(200)
    expect(sent()).toEqual({ reference: 'Patient?identifier=urn:mrn|2' })
    expect(rig.upstream.arrived).toHaveLength(1)
  })

  test('is looked up once, however often it stands', async () => {
    const entries = Array.from({ length: 20 }, () => about('Patient?identifier=urn:mrn|1'))
    expect((await send('transaction', entries, 'patient/Observation.c patient/Patient.s')).status).toBe(200)
    expect(rig.upstream.arrived.filter(({ method }) => method === 'GET')).toHaveLength(1)
  })

  test('needs s', async () => {
    expect(
      verdictOf(
        await send('transaction', [about('Patient?identifier=urn:mrn|1')], 'patient/Observation.c patient/Patient.r'),
      ),
    ).toBe('403 scope-insufficient')
  })
})
