// Batches and transactions: every entry is decided like a request of its own, and what arrives is the client's text with
// canonical URLs and nothing else changed. Conditional creates, which share the canonical form, are here too.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { entryVerdicts, verdictOf } from '../support/http-client.ts'
import { type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => {
  rig.upstream.reset()
  rig.upstream.script = () => ({ body: { resourceType: 'Bundle', type: 'batch-response' } })
})

const entry = (method: string, url: string, resource?: object, more: object = {}) => ({
  ...(resource && { resource }),
  request: { method, url, ...more },
})
const patient = { resourceType: 'Patient' }

function post(scope: string, type: string, entries: readonly object[]) {
  return rig.ask('POST /fhir/R4', { scope, body: { resourceType: 'Bundle', type, entry: entries } })
}

describe.each(['batch', 'transaction'])('%s', (type) => {
  test.each<[name: string, scope: string, entries: readonly object[]]>([
    [
      'reads and searches',
      'system/Patient.r system/Goal.s',
      [entry('GET', 'Patient/1'), entry('GET', 'Goal?status=x')],
    ],
    [
      'writes',
      'system/Patient.cud',
      [
        entry('POST', 'Patient', patient),
        entry('PUT', 'Patient/1', { ...patient, id: '1' }),
        entry('DELETE', 'Patient/2'),
      ],
    ],
    ['a conditional update', 'system/Patient.us', [entry('PUT', 'Patient?identifier=a', patient)]],
    ['a search for an include', 'system/Goal.s user/Patient.r', [entry('GET', 'Goal?_include=Goal:patient:Patient')]],
  ])('%s: let through', async (_, scope, entries) => {
    const answer = await post(scope, type, entries)
    expect(answer.status, answer.text).toBe(200)
    expect(rig.upstream.arrived.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST /base'])
  })

  test.each<[name: string, scope: string, entries: readonly object[], verdict: string]>([
    ['a search with read only', 'system/Patient.r', [entry('GET', 'Patient?name=x')], '403 scope-insufficient'],
    ['a read with search only', 'system/Patient.s', [entry('GET', 'Patient/1')], '403 scope-insufficient'],
    [
      'a condition without search',
      'system/Patient.c',
      [entry('POST', 'Patient', patient, { ifNoneExist: 'name=x' })],
      '403 scope-insufficient',
    ],
    ['a scope on Bundle itself', 'system/Bundle.cruds', [entry('GET', 'Patient/1')], '403 scope-insufficient'],
    [
      'an include without its type',
      'system/Goal.s',
      [entry('GET', 'Goal?_include=Goal:patient:Patient')],
      '403 scope-insufficient',
    ],
    [
      'a conditional reference',
      'system/Goal.c',
      [entry('POST', 'Goal', { resourceType: 'Goal', subject: { reference: 'Patient?name=x' } })],
      '403 scope-insufficient',
    ],
    ['an operation', 'system/*.cruds', [entry('GET', 'Patient/1/$everything')], '403 operation-not-listed'],
    ['a Bundle within', 'system/*.cruds', [entry('POST', '?', { resourceType: 'Bundle' })], '400 body-invalid'],
    ['an absolute URL', 'system/*.cruds', [entry('GET', 'http://127.0.0.1/base/Patient/1')], '400 target-ambiguous'],
    ['a path', 'system/*.cruds', [entry('GET', '/base/Patient/1')], '400 target-ambiguous'],
    ['a way out', 'system/*.cruds', [entry('GET', 'Patient/../../admin')], '400 target-ambiguous'],
    ['a fragment', 'system/*.cruds', [entry('GET', 'Patient/1#x')], '400 target-ambiguous'],
    [
      'another type than the URL',
      'system/*.cruds',
      [entry('POST', 'Patient', { resourceType: 'Group' })],
      '400 body-invalid',
    ],
    [
      'another id than the URL',
      'system/*.cruds',
      [entry('PUT', 'Patient/1', { ...patient, id: '2' })],
      '400 body-invalid',
    ],
    ['a method that is none', 'system/*.cruds', [entry('get', 'Patient/1')], '400 body-invalid'],
    ['no entry', 'system/*.cruds', [], '400 body-invalid'],
  ])('%s: refused', async (_, scope, entries, verdict) => {
    const answer = await post(scope, type, entries)
    const alone = type === 'batch' && entries.length === 1 ? entryVerdicts(answer)[0] : verdictOf(answer)
    expect(alone, answer.text).toBe(verdict)
    expect(rig.upstream.arrived).toEqual([])
  })
})

const MIXED = [
  entry('GET', 'Patient/1'),
  entry('GET', 'Goal/1'),
  entry('DELETE', 'Patient/2'),
  entry('GET', 'Patient/3'),
]

test('in a transaction, one entry outside refuses all', async () => {
  const answer = await post('system/Patient.r', 'transaction', MIXED)
  expect(verdictOf(answer), answer.text).toBe('403 scope-insufficient')
  expect(rig.upstream.arrived).toEqual([])
})

test('in a batch, an entry outside is answered at its place, and only the others go on', async () => {
  const found = (id: string) => ({ resource: { resourceType: 'Patient', id }, response: { status: '200 OK' } })
  rig.upstream.script = () => ({
    body: { resourceType: 'Bundle', type: 'batch-response', entry: [found('1'), found('3')] },
  })
  const answer = await post('system/Patient.r', 'batch', MIXED)
  expect(answer.status, answer.text).toBe(200)
  const urls = JSON.parse(rig.upstream.arrived[0]!.text).entry.map(
    ({ request }: { request: { url: string } }) => request.url,
  )
  expect(urls).toEqual(['Patient/1', 'Patient/3'])
  const [first, second, third, fourth] = answer.json.entry
  expect([first, fourth]).toEqual([found('1'), found('3')])
  for (const refused of [second, third]) {
    expect(refused.response.status).toMatch(/^403/)
    expect(refused.response.outcome.issue[0].details.coding[0].code).toBe('scope-insufficient')
  }
})

test('what arrives is what was sent, but for canonical URLs', async () => {
  const sent = (url: string, second: string, condition: string): string =>
    `{ "resourceType":"Bundle",\r\n\t"type" : "batch", "entry":[\n {"request":{"url":${JSON.stringify(url)}, "method":"GET"}},
    {"fullUrl":"urn:uuid:1", "request": {"method":"GET","url":${JSON.stringify(second)}, "ifNoneMatch":"W/\\"1\\""}},
    {"resource":{"resourceType":"Patient","multipleBirthInteger":1.50e0,"name":[{"text":"gr\\u00fc\\u00df 😀"}]},
     "request":{"method":"POST","url":"Patient","ifNoneExist":${JSON.stringify(condition)}}}] }`
  const body = sent('Patient?name=%c3%bc+x&family=', '%50atient/1', 'identifier=http://x|1')
  const answer = await rig.ask('POST /fhir/R4/', { scope: 'system/*.cruds', body })
  expect(answer.status, answer.text).toBe(200)
  const [arrived] = rig.upstream.arrived
  expect(arrived!.text).toBe(sent('Patient?name=%C3%BC%20x', 'Patient/1', 'identifier=http://x%7C1'))
  expect(arrived!.headers['content-length']).toBe(String(arrived!.body.length))
})

test.each<[name: string, body: string]>([
  [
    'a member twice',
    '{"resourceType":"Bundle","type":"batch","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}',
  ],
  [
    'a request twice',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1"},"request":{"method":"DELETE","url":"Patient/1"}}]}',
  ],
  [
    'a method in another case',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","Method":"DELETE","url":"Patient/1"}}]}',
  ],
  [
    'more after the end',
    '{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}{}',
  ],
  ['another kind of Bundle', '{"resourceType":"Bundle","type":"collection","entry":[]}'],
])('%s: refused, since two readers would take different ones', async (_, body) => {
  const answer = await rig.ask('POST /fhir/R4', { scope: 'system/*.cruds', body })
  expect(verdictOf(answer), answer.text).toBe('400 body-invalid')
  expect(rig.upstream.arrived).toEqual([])
})

describe('conditional create', () => {
  const create = (scope: string, ifNoneExist: string) =>
    rig.ask('POST /fhir/R4/Patient', { scope, body: patient, headers: { 'If-None-Exist': ifNoneExist } })

  test('the condition arrives in canonical form', async () => {
    const answer = await create('system/Patient.cs', 'identifier=http://x|1&name=%c3%bc+x&family=')
    expect(answer.status, answer.text).toBe(200)
    expect(rig.upstream.arrived[0]!.headers['if-none-exist']).toBe('identifier=http://x%7C1&name=%C3%BC%20x')
  })

  test.each<[scope: string, condition: string, verdict: string]>([
    ['system/Patient.c', 'identifier=1', '403 scope-insufficient'],
    ['system/Patient.cs', 'organization.name=x', '403 scope-insufficient'],
    ['system/Patient.cs', '', '400 header-ambiguous'],
    ['system/Patient.cs', '_count=1', '400 header-ambiguous'],
    ['system/Patient.cs', 'Patient?identifier=1', '400 header-ambiguous'],
    ['system/Patient.cs', 'identifier=%zz', '400 header-ambiguous'],
  ])('%s, If-None-Exist: %s: refused', async (scope, condition, verdict) => {
    const answer = await create(scope, condition)
    expect(verdictOf(answer), answer.text).toBe(verdict)
    expect(rig.upstream.arrived).toEqual([])
  })
})
