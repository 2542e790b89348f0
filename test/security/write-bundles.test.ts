// Entries of Bundles under limits: each is decided, narrowed, checked and made conditional like a request of its own (T30, T34, T35).
// A batch goes on without its refused entries, which answer at their places; one refused entry refuses a transaction whole.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
})
afterAll(() => rig.close())

const observation = (id: string | undefined, patient: string, more: object = {}) => ({
  resourceType: 'Observation',
  ...(id !== undefined && { id }),
  subject: { reference: `Patient/${patient}` },
  ...more,
})
const EACH = 600
beforeEach(() => {
  rig.fill([
    { resourceType: 'Patient', id: 'p1' },
    { resourceType: 'Patient', id: 'p2' },
    ...Array.from({ length: EACH }, (_, i) => observation(`o${i}`, 'p1')),
    ...['a', 'b', 'c'].map((id) => observation(`x${id}`, 'p2')),
  ])
})

type Entry = { resource?: object; request: { method: string; url: string } }
const get = (url: string): Entry => ({ request: { method: 'GET', url } })
const remove = (url: string): Entry => ({ request: { method: 'DELETE', url } })
const post = (resource: object): Entry => ({ resource, request: { method: 'POST', url: 'Observation' } })
const put = (id: string, patient = 'p1'): Entry => ({
  resource: observation(id, patient, { status: 'amended' }),
  request: { method: 'PUT', url: `Observation/${id}` },
})
const patch = (id: string, operations: object[]): Entry => ({
  resource: {
    resourceType: 'Binary',
    contentType: 'application/json-patch+json',
    data: Buffer.from(JSON.stringify(operations)).toString('base64'),
  },
  request: { method: 'PATCH', url: `Observation/${id}` },
})
const AMEND = [{ op: 'add', path: '/status', value: 'amended' }]
const MOVE = [{ op: 'add', path: '/subject', value: { reference: 'Patient/p2' } }]

const send = (type: string, entry: readonly object[], scope = 'patient/*.cruds'): Promise<Answer> =>
  rig.ask('POST /fhir/R4', { scope, claims: { patient: 'p1' }, body: { resourceType: 'Bundle', type, entry } })
const statuses = ({ json }: Answer): string[] =>
  json.entry.map(({ response }: { response: { status: string } }) => response.status.slice(0, 3))

/** Each with the status that it has alone. */
const MIXED: readonly (readonly [entry: Entry, status: string])[] = [
  [get('Observation/o0'), '200'],
  [get('Observation/xa'), '404'],
  [get('Observation/nothing'), '404'],
  [get('Patient/p2'), '403'],
  [get('Observation?patient=p2'), '403'],
  [get('Observation?_id=o1,xa'), '200'],
  [post(observation(undefined, 'p1')), '201'],
  [post(observation(undefined, 'p2')), '403'],
  [put('o2'), '200'],
  [put('xb'), '404'],
  [put('o3', 'p2'), '403'],
  [put('nothing'), '404'],
  [patch('o4', AMEND), '200'],
  [patch('o5', MOVE), '403'],
  [patch('xc', AMEND), '404'],
  [remove('Observation/o6'), '204'],
  [remove('Observation/xa'), '404'],
  [remove('Practitioner/1'), '403'],
  [remove('Observation?_id=o7'), '204'],
  [remove('Observation?_id=xa'), '404'],
]

describe('a batch', () => {
  test('has its refused entries answered at their places, and the others carried out, as one batch', async () => {
    const answer = await send(
      'batch',
      MIXED.map(([entry]) => entry),
    )
    expect(answer.status, answer.text).toBe(200)
    expect(statuses(answer)).toEqual(MIXED.map(([, status]) => status))
    expect(rig.written()).toEqual(['POST '])
    expect(answer.text).not.toContain('Patient/p2')
    for (const id of ['xa', 'xb', 'xc', 'o3', 'o5']) expect(rig.stored('Observation', id).status, id).toBeUndefined()
    for (const id of ['o2', 'o4']) expect(rig.stored('Observation', id).status, id).toBe('amended')
    for (const id of ['o6', 'o7']) expect(rig.stored('Observation', id), id).toBeUndefined()
  })

  test('in any order, each entry with the answer that it has alone', async () => {
    for (let turn = 1; turn < MIXED.length; turn += 3) {
      const order = [...MIXED.slice(turn), ...MIXED.slice(0, turn)].reverse()
      rig.fill([
        { resourceType: 'Patient', id: 'p1' },
        ...Array.from({ length: 9 }, (_, i) => observation(`o${i}`, 'p1')),
        ...['a', 'b', 'c'].map((id) => observation(`x${id}`, 'p2')),
      ])
      expect(
        statuses(
          await send(
            'batch',
            order.map(([entry]) => entry),
          ),
        ),
      ).toEqual(order.map(([, status]) => status))
    }
  })

  test('T34: an entry does not escape the limits of its client', async () => {
    const answer = await send('batch', [get('Observation'), get('Observation/xa/_history'), get('Patient?name=x')])
    expect(answer.text).not.toContain('Patient/p2')
    const [search] = JSON.parse(rig.upstream.arrived.at(-1)!.text).entry
    expect(search.request.url).toBe('Observation?patient=Patient/p1')
  })

  test('T35: a search is a search and needs s; a search by POST is no create', async () => {
    const answer = await send(
      'batch',
      [
        get('Observation?code=x'),
        get('Observation/o1'),
        { request: { method: 'POST', url: 'Observation/_search?code=x' } },
      ],
      'patient/Observation.cr',
    )
    expect(statuses(answer)).toEqual(['403', '200', '403'])
  })

  test('T30: a scope for Bundle opens no entry', async () => {
    for (const scope of ['patient/Bundle.cruds', 'system/Bundle.*']) {
      const entries = [post(observation(undefined, 'p1'))]
      expect(statuses(await send('batch', entries, scope))).toEqual(['403'])
      expect(verdictOf(await send('transaction', entries, scope))).toBe('403 scope-insufficient')
      expect(rig.upstream.arrived).toEqual([])
    }
  })
})

describe('a transaction', () => {
  test.each(
    MIXED.flatMap(([entry, status]) => (/[45]../.test(status) && entry.request.method !== 'GET' ? [entry] : [])),
  )('is refused whole for one refused write, and nothing of it goes upstream: %j', async (refused) => {
    for (const entries of [
      [refused, put('o8')],
      [put('o8'), get('Observation/o1'), refused],
    ]) {
      const answer = await send('transaction', entries)
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
    expect(rig.written()).toEqual([])
    expect(rig.stored('Observation', 'o8').status).toBeUndefined()
  })

  test('of 500 mixed entries goes on as one, each write conditional on what was checked', async () => {
    const entries = Array.from({ length: 500 }, (_, i) => (i === 437 ? put('xa') : put(`o${i}`)))
    expect(verdictOf(await send('transaction', entries))).toBe('404 not-found')
    expect(rig.written()).toEqual([])
  })

  test('that writes one resource twice is refused, since neither write would know what the other leaves', async () => {
    for (const entries of [
      [put('o1'), patch('o1', AMEND)],
      [remove('Observation/o1'), put('o1')],
      [remove('Observation?_id=o1'), put('o1')],
    ]) {
      expect(verdictOf(await send('transaction', entries))).toBe('400 body-invalid')
    }
    expect(rig.written()).toEqual([])
  })

  test('keeps the bytes of resources whose requests are changed', async () => {
    const resource =
      '{ "resourceType":"Observation","id":"o1",\t"subject":{"reference":"Patient\\/p1"},"valueQuantity":{"value":1.00e0}}'
    const text = `{"resourceType":"Bundle","type":"transaction","entry":[ {"resource":${resource},"request":{"method":"PUT","url":"Observation/o1"}} ]}`
    const answer = await rig.ask('POST /fhir/R4', { scope: 'patient/*.cruds', claims: { patient: 'p1' }, body: text })
    expect(answer.status, answer.text).toBe(200)
    expect(rig.upstream.arrived.at(-1)!.text).toContain(resource)
    expect(rig.upstream.arrived.at(-1)!.text).toContain(
      '"request":{"method":"PUT","url":"Observation/o1","ifMatch":"W/\\"1\\""}',
    )
  })

  test("an entry's own ifMatch must allow the version that was looked at, and is made that version", async () => {
    const withMatch = (ifMatch: string): object => ({ ...put('o1'), request: { ...put('o1').request, ifMatch } })
    expect(verdictOf(await send('transaction', [withMatch('W/"9"')]))).toBe('412 version-conflict')
    expect((await send('transaction', [withMatch('*')])).status).toBe(200)
    expect(JSON.parse(rig.upstream.arrived.at(-1)!.text).entry[0].request.ifMatch).toBe('W/"1"')
  })
})

describe('limits of what a Bundle may be', () => {
  test.each([
    [
      'a Bundle within',
      { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: 'Bundle' } },
    ],
    [
      'an operation',
      { resource: { resourceType: 'Parameters' }, request: { method: 'POST', url: 'Observation/$validate' } },
    ],
    [
      'a Bundle to be processed',
      { resource: { resourceType: 'Bundle', type: 'batch' }, request: { method: 'POST', url: '/' } },
    ],
    ['GraphQL', { request: { method: 'GET', url: '$graphql?query=x' } }],
  ])('%s: refused', async (_, entry) => {
    expect((await send('transaction', [entry])).status).toBeGreaterThanOrEqual(400)
    expect(rig.upstream.arrived).toEqual([])
    expect(statuses(await send('batch', [get('Observation/o1'), entry]))).toEqual(['200', expect.stringMatching(/^4/)])
    expect(JSON.parse(rig.upstream.arrived[0]!.text).entry).toHaveLength(1)
  })
})

describe('a Subscription sends out what its criteria find', () => {
  const body = (criteria: string) => ({
    resourceType: 'Subscription',
    id: 's1',
    status: 'requested',
    reason: 'x',
    criteria,
    channel: { type: 'rest-hook', endpoint: 'https://app.example.org/hook' },
  })
  const write = (criteria: string): Promise<Answer> =>
    rig.ask('PUT /fhir/R4/Subscription/s1', { scope: 'system/Subscription.cud system/Goal.rs', body: body(criteria) })

  test('within what its writer may search and read: written as it came', async () => {
    const answer = await write('Goal?lifecycle-status=active')
    expect([answer.status, answer.text]).toEqual([201, ''])
    expect(JSON.parse(rig.upstream.arrived.at(-1)!.text)).toEqual(body('Goal?lifecycle-status=active'))
  })

  test('beyond: refused before anything is asked', async () => {
    expect(verdictOf(await write('Observation?code=x'))).toBe('403 scope-insufficient')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('must be what the URL names', async () => {
    const sent = { scope: 'system/*.cruds', body: { ...body('Goal?x=1'), id: 'other' } }
    expect(verdictOf(await rig.ask('PUT /fhir/R4/Subscription/s1', sent))).toBe('400 body-invalid')
    expect(verdictOf(await rig.ask('PUT /fhir/R4/Subscription/s1', { scope: 'system/*.cruds', body: '' }))).toBe(
      '400 body-invalid',
    )
    expect(rig.upstream.arrived).toEqual([])
  })
})
