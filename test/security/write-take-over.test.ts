// Taking over or giving away a record: others checked only the new body, or only the stored one, or looked at the answer when the deed
// was done (spec §1.4, §4.5). Here both are checked before anything is written, and the write holds only for what was checked.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
})
afterAll(() => rig.close())

const LAB = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }
const VITAL = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'vital-signs' }],
}
const observation = (id: string | undefined, patient: string, more: object = {}) => ({
  resourceType: 'Observation',
  ...(id !== undefined && { id }),
  status: 'final',
  category: [LAB],
  subject: { reference: `Patient/${patient}` },
  ...more,
})

beforeEach(() => {
  rig.fill([
    { resourceType: 'Patient', id: 'p1' },
    { resourceType: 'Patient', id: 'p2' },
    observation('mine', 'p1', { focus: [{ reference: 'Patient/p2' }] }),
    observation('theirs', 'p2'),
    observation('both', 'p2', { performer: [{ reference: 'Patient/p1' }] }),
    observation('vital', 'p1', { category: [VITAL] }),
    {
      resourceType: 'Appointment',
      id: 'two',
      status: 'booked',
      participant: ['p1', 'p2'].map((id) => ({ actor: { reference: `Patient/${id}` }, status: 'accepted' })),
    },
  ])
})

const SCOPE = 'patient/*.cruds patient/Appointment.cruds'
const ask = (
  line: string,
  body?: object,
  { scope = SCOPE, headers = {} as Record<string, string> } = {},
): Promise<Answer> => rig.ask(line, { scope, claims: { patient: 'p1' }, headers, ...(body && { body }) })
const patch = (line: string, operations: object[], scope = SCOPE): Promise<Answer> =>
  ask(line, operations, { scope, headers: { 'content-type': 'application/json-patch+json' } })
const unchanged = (): void => expect(rig.written()).toEqual([])

describe('of another patient', () => {
  test('T31: a record cannot be taken over by a body that names the own patient', async () => {
    expect(verdictOf(await ask('PUT /fhir/R4/Observation/theirs', observation('theirs', 'p1')))).toBe('404 not-found')
    unchanged()
    expect(rig.stored('Observation', 'theirs').subject.reference).toBe('Patient/p2')
  })

  test('the own record cannot be given to another patient', async () => {
    const answer = await ask('PUT /fhir/R4/Observation/mine', observation('mine', 'p2'))
    expect(verdictOf(answer)).toBe('403 scope-insufficient')
    unchanged()
  })

  test.each([
    ['PUT', () => ask('PUT /fhir/R4/Observation/theirs', observation('theirs', 'p2')), '403 scope-insufficient'],
    [
      'PATCH',
      () => patch('PATCH /fhir/R4/Observation/theirs', [{ op: 'add', path: '/status', value: 'amended' }]),
      '404 not-found',
    ],
    ['DELETE', () => ask('DELETE /fhir/R4/Observation/theirs'), '404 not-found'],
    ['POST', () => ask('POST /fhir/R4/Observation', observation(undefined, 'p2')), '403 scope-insufficient'],
  ])('%s does nothing', async (_, send, verdict) => {
    expect(verdictOf(await send())).toBe(verdict)
    unchanged()
  })

  test('T25: a patch with a reading scope does nothing, on whatever it would find', async () => {
    const operations = [{ op: 'add', path: '/status', value: 'amended' }]
    for (const line of ['PATCH /fhir/R4/Observation/mine', 'PATCH /fhir/R4/Observation?subject=Patient/p1']) {
      expect(verdictOf(await patch(line, operations, 'patient/*.rs'))).toBe('403 scope-insufficient')
    }
    unchanged()
  })

  test('a patch cannot move the record', async () => {
    for (const operations of [
      [{ op: 'replace', path: '/subject/reference', value: 'Patient/p2' }],
      [{ op: 'replace', path: '/subject', value: { reference: 'Patient/p2' } }],
      [{ op: 'remove', path: '/subject' }],
      [{ op: 'copy', from: '/focus/0/reference', path: '/subject/reference' }],
      [{ op: 'add', path: '/subject/reference', value: '#p' }],
    ]) {
      expect(verdictOf(await patch('PATCH /fhir/R4/Observation/mine', operations))).toBe('403 scope-insufficient')
    }
    unchanged()
  })

  test('a patch that stays within goes through', async () => {
    const answer = await patch('PATCH /fhir/R4/Observation/mine', [{ op: 'add', path: '/status', value: 'amended' }])
    expect(answer.status, answer.text).toBe(200)
    expect(rig.stored('Observation', 'mine').status).toBe('amended')
  })

  test('of several launch patients each record stays with its own', async () => {
    const claims = { patient: ['p1', 'p2'] }
    const move = { scope: SCOPE, claims, body: observation('mine', 'p2') }
    expect(verdictOf(await rig.ask('PUT /fhir/R4/Observation/mine', move))).toBe('403 scope-insufficient')
    const stay = { scope: SCOPE, claims, body: observation('theirs', 'p2', { status: 'amended' }) }
    expect((await rig.ask('PUT /fhir/R4/Observation/theirs', stay)).status).toBe(200)
  })
})

describe('T32: two patients in one resource', () => {
  test('one whose subject is another is not the own one, whoever performed it', async () => {
    expect(verdictOf(await ask('DELETE /fhir/R4/Observation/both'))).toBe('404 not-found')
    const body = observation(undefined, 'p2', { performer: [{ reference: 'Patient/p1' }] })
    expect(verdictOf(await ask('POST /fhir/R4/Observation', body))).toBe('403 scope-insufficient')
    unchanged()
  })

  test('one that several share can be written by none of them', async () => {
    expect(verdictOf(await ask('DELETE /fhir/R4/Appointment/two'))).toBe('404 not-found')
    const body = { ...rig.stored('Appointment', 'two'), id: undefined }
    expect(verdictOf(await ask('POST /fhir/R4/Appointment', body))).toBe('403 scope-insufficient')
    unchanged()
  })
})

test('what is not there and what is not the own look alike, byte for byte', async () => {
  const same = async (line: (id: string) => string, body?: (id: string) => object, headers = {}): Promise<void> => {
    const [absent, foreign] = await Promise.all(
      ['nothing', 'theirs'].map((id) => ask(line(id), body?.(id), { scope: SCOPE, headers })),
    )
    const fields = ({ rawHeaders }: Answer): string[] =>
      rawHeaders.filter((_, i) => !/^(x-request-id|date|content-length)$/i.test(rawHeaders[i - (i % 2)]!))
    const text = ({ text: all, headers: { 'x-request-id': id = '-' } }: Answer): string => all.replaceAll(id, 'ID')
    expect(absent!.status).toBe(404)
    expect([foreign!.status, text(foreign!), fields(foreign!)]).toEqual([
      absent!.status,
      text(absent!),
      fields(absent!),
    ])
  }
  await same(
    (id) => `PUT /fhir/R4/Observation/${id}`,
    (id) => observation(id, 'p1'),
  )
  await same(
    (id) => `PUT /fhir/R4/Observation/${id}`,
    (id) => observation(id, 'p1'),
    { 'if-match': 'W/"1"' },
  )
  await same(
    (id) => `PUT /fhir/R4/Observation/${id}`,
    (id) => observation(id, 'p1'),
    { 'if-none-match': '*' },
  )
  await same((id) => `DELETE /fhir/R4/Observation/${id}`)
  await same((id) => `DELETE /fhir/R4/Observation?_id=${id}`)
  await same(
    (id) => `PATCH /fhir/R4/Observation/${id}`,
    () => [],
    { 'content-type': 'application/json-patch+json' },
  )
  await same(
    (id) => `PATCH /fhir/R4/Observation/${id}`,
    () => ({ resourceType: 'Parameters' }),
  )
  await same(
    (id) => `PUT /fhir/R4/Observation?_id=${id}`,
    () => observation(undefined, 'p1'),
  )
  unchanged()
})

test.each<[name: string, answer: { status: number; body: string | object }, verdict: string]>([
  ['forbidden by the server', { status: 403, body: { resourceType: 'OperationOutcome' } }, '404 not-found'],
  ['refused by the server', { status: 400, body: '' }, '404 not-found'],
  ['gone', { status: 410, body: '' }, '404 not-found'],
  ['no JSON', { status: 200, body: '{"resourceType":"Observation"' }, '404 not-found'],
  [
    'JSON with a member twice',
    { status: 200, body: '{"resourceType":"Observation","id":"theirs","id":"theirs"}' },
    '404 not-found',
  ],
  ['another resource', { status: 200, body: observation('mine', 'p1') }, '404 not-found'],
  ['a broken server', { status: 500, body: '' }, '502 upstream-broken'],
  ['a server that asks us to log in', { status: 401, body: '' }, '502 upstream-broken'],
  ['a server that has enough', { status: 429, body: '' }, '429 rate-limited'],
])('what the look finds is %s', async (_, answer, verdict) => {
  rig.before = ({ method }) => (method === 'GET' ? answer : undefined)
  expect(verdictOf(await ask('PUT /fhir/R4/Observation/theirs', observation('theirs', 'p1')))).toBe(verdict)
  unchanged()
})

test("the look is the gateway's own question: nothing of the client's conditions goes with it", async () => {
  const headers = {
    Range: 'bytes=0-10',
    'If-None-Match': 'W/"1"',
    'If-Match': 'W/"1"',
    Prefer: 'respond-async',
    'Cache-Control': 'only-if-cached',
  }
  await ask('DELETE /fhir/R4/Observation/mine', undefined, { headers })
  const [look] = rig.upstream.arrived
  expect(Object.keys(look!.headers)).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(range|if-.*|prefer|content-.*)$/)]),
  )
  expect(look!.headers).toMatchObject({
    accept: 'application/fhir+json',
    'accept-encoding': 'identity',
    'cache-control': 'no-cache',
  })
})

describe('granular scopes hold for what is written', () => {
  const scope =
    'patient/Observation.cruds?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory'
  test.each<[line: string, body: object | undefined, verdict: string]>([
    ['POST /fhir/R4/Observation', observation(undefined, 'p1'), '201'],
    ['POST /fhir/R4/Observation', observation(undefined, 'p1', { category: [VITAL] }), '403 scope-insufficient'],
    ['POST /fhir/R4/Observation', observation(undefined, 'p1', { category: [VITAL, LAB] }), '201'],
    ['PUT /fhir/R4/Observation/mine', observation('mine', 'p1', { status: 'amended' }), '200'],
    ['PUT /fhir/R4/Observation/mine', observation('mine', 'p1', { category: [VITAL] }), '403 scope-insufficient'],
    ['PUT /fhir/R4/Observation/vital', observation('vital', 'p1'), '404 not-found'],
    ['DELETE /fhir/R4/Observation/vital', undefined, '404 not-found'],
    ['DELETE /fhir/R4/Observation/mine', undefined, '204'],
  ])('%s: %j: %s', async (line, body, verdict) => {
    expect(verdictOf(await ask(line, body, { scope }))).toBe(verdict)
  })
})

describe('If-Match', () => {
  const put = (ifMatch: string | undefined, id = 'mine'): Promise<Answer> =>
    ask(`PUT /fhir/R4/Observation/${id}`, observation(id, 'p1'), {
      headers: ifMatch === undefined ? {} : { 'If-Match': ifMatch },
    })

  test.each<[ifMatch: string | undefined, verdict: string]>([
    [undefined, '200'],
    ['W/"1"', '200'],
    ['"1"', '200'],
    ['W/"7", W/"1"', '200'],
    ['*', '200'],
    ['W/"2"', '412 version-conflict'],
    ['1', '412 version-conflict'],
  ])('%s: %s', async (ifMatch, verdict) => {
    expect(verdictOf(await put(ifMatch))).toBe(verdict)
    if (verdict === '200') expect(rig.upstream.arrived.at(-1)!.headers['if-match']).toBe('W/"1"')
    else unchanged()
  })

  test('of a record that is not the own one it tells nothing', async () => {
    for (const ifMatch of ['W/"1"', 'W/"9"', '*']) expect(verdictOf(await put(ifMatch, 'theirs'))).toBe('404 not-found')
  })

  test('a deletion goes upstream with the version that was looked at', async () => {
    await ask('DELETE /fhir/R4/Observation/mine')
    expect(rig.upstream.arrived.at(-1)!.headers['if-match']).toBe('W/"1"')
  })
})

test('T29: what is refused was not stored first', async () => {
  await ask('POST /fhir/R4/Observation', observation(undefined, 'p2'))
  await ask('PUT /fhir/R4/Observation/new', observation('new', 'p1'))
  await ask('POST /fhir/R4/Patient', { resourceType: 'Patient', id: 'p1' })
  await ask('PUT /fhir/R4/Patient/p2', { resourceType: 'Patient', id: 'p2' })
  await ask('POST /fhir/R4/Practitioner', { resourceType: 'Practitioner' })
  unchanged()
  expect(rig.store.resources.journal).toHaveLength(7)
})

test('the own Patient is known by its id', async () => {
  const answer = await ask('PUT /fhir/R4/Patient/p1', { resourceType: 'Patient', id: 'p1', active: true })
  expect(answer.status, answer.text).toBe(200)
  expect(rig.upstream.arrived).toHaveLength(1)
})
