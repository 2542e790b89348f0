// Every interaction, let through: what arrives at the upstream is what was decided, in method, path, canonical query and body.

import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const EVERYTHING = 'system/*.cruds'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const lines = (): string[] => rig.upstream.arrived.map(({ method, url }) => `${method} ${url}`)

// Which scope opens what is decided elsewhere; here everything is open.
describe('without a body', () => {
  test.each([
    ['read', 'GET /fhir/R4/Patient/p1', 'GET /base/Patient/p1'],
    ['read by HEAD', 'HEAD /fhir/R4/Patient/p1', 'HEAD /base/Patient/p1'],
    ['read of a part', 'GET /fhir/R4/Patient/p1?_elements=name', 'GET /base/Patient/p1?_elements=name'],
    ['vread', 'GET /fhir/R4/Patient/p1/_history/2', 'GET /base/Patient/p1/_history/2'],
    ['history of one', 'GET /fhir/R4/Patient/p1/_history?_count=2', 'GET /base/Patient/p1/_history?_count=2'],
    ['history of a type', 'GET /fhir/R4/Patient/_history', 'GET /base/Patient/_history'],
    ['history of all', 'GET /fhir/R4/_history?_since=2026-01-01', 'GET /base/_history?_since=2026-01-01'],
    ['search of a type', 'GET /fhir/R4/Observation?code=1-2', 'GET /base/Observation?code=1-2'],
    ['search by HEAD', 'HEAD /fhir/R4/Observation?code=1-2', 'HEAD /base/Observation?code=1-2'],
    ['search of all', 'GET /fhir/R4?_type=Patient,Goal', 'GET /base?_type=Patient,Goal'],
    ['search of all, with a slash', 'GET /fhir/R4/?_type=Patient', 'GET /base?_type=Patient'],
    ['search of a compartment', 'GET /fhir/R4/Patient/p1/Goal?status=x', 'GET /base/Patient/p1/Goal?status=x'],
    ['search of all of a compartment', 'GET /fhir/R4/Patient/p1/*', 'GET /base/Patient/p1/*'],
    ['delete', 'DELETE /fhir/R4/Patient/p1', 'DELETE /base/Patient/p1'],
    ['conditional delete', 'DELETE /fhir/R4/Patient?identifier=a', 'DELETE /base/Patient?identifier=a'],
  ])('%s', async (_, asked, arrived) => {
    const answer = await rig.ask(asked, { scope: EVERYTHING })
    expect(answer.status, answer.text).toBeLessThan(300)
    expect(lines()).toEqual([arrived])
    expect(rig.upstream.arrived[0]!.body).toHaveLength(0)
    expect(rig.upstream.arrived[0]!.headers).not.toHaveProperty('transfer-encoding')
  })
})

describe('the target is sent as it was understood', () => {
  test.each([
    [
      'raw characters that clients send',
      'Observation?code=http://loinc.org|1-2',
      'Observation?code=http://loinc.org%7C1-2',
    ],
    ['a space, both ways', 'Patient?name=a+b&family=a%20b', 'Patient?name=a%20b&family=a%20b'],
    ['a plus', 'Observation?date=ge2026-01-01T00:00:00%2B01:00', 'Observation?date=ge2026-01-01T00:00:00%2B01:00'],
    ['needless encoding', '%50atient/%70%31', 'Patient/p1'],
    ['lower-case encoding', 'Patient?name=%c3%bc', 'Patient?name=%C3%BC'],
    ['repeats in their order', 'Goal?status=b&status=a&status=b', 'Goal?status=b&status=a&status=b'],
    ['parameters without a value', 'Goal?status=&patient=1&category', 'Goal?patient=1'],
    ['pieces without a name', 'Goal?&&patient=1&=x&', 'Goal?patient=1'],
    ['an encoded separator in a value', 'Patient?name=a%26_id%3Db', 'Patient?name=a%26_id%3Db'],
    ['an encoded separator in a name', 'Patient?na%3Dme=a', 'Patient?na%3Dme=a'],
    ['escapes of FHIR itself', 'Patient?name=a%5C,b', 'Patient?name=a%5C,b'],
    ['a trailing slash', 'Patient/', 'Patient'],
    ['an empty query', 'Patient?', 'Patient'],
  ])('%s', async (_, asked, arrived) => {
    await rig.ask(`GET /fhir/R4/${asked}`, { scope: EVERYTHING })
    expect(lines()).toEqual([`GET /base/${arrived}`])
  })
})

// Unusual white space, escapes and number forms: any parsing and printing on the way would show.
const RESOURCE =
  '{ "resourceType" : "Observation",\r\n\t"id":"o1","valueQuantity":{"value":1.50e2},"note":[{"text":"gr\\u00fc\\u00df é 😀"}] }'

describe('with a body, which arrives byte for byte', () => {
  test.each([
    ['create', 'POST /fhir/R4/Observation', 'POST /base/Observation', 'application/fhir+json'],
    ['update', 'PUT /fhir/R4/Observation/o1', 'PUT /base/Observation/o1', 'application/json; charset=utf-8'],
    ['conditional update', 'PUT /fhir/R4/Observation?code=a', 'PUT /base/Observation?code=a', 'application/fhir+json'],
    ['patch', 'PATCH /fhir/R4/Observation/o1', 'PATCH /base/Observation/o1', 'application/json-patch+json'],
    [
      'conditional patch',
      'PATCH /fhir/R4/Observation?code=a',
      'PATCH /base/Observation?code=a',
      'application/json-patch+json',
    ],
  ])('%s', async (_, asked, arrived, type) => {
    const answer = await rig.ask(asked, { scope: EVERYTHING, body: RESOURCE, headers: { 'Content-Type': type } })
    expect(answer.status, answer.text).toBeLessThan(300)
    expect(lines()).toEqual([arrived])
    const { body, headers } = rig.upstream.arrived[0]!
    expect(body.equals(Buffer.from(RESOURCE))).toBe(true)
    expect(headers['content-type']).toBe(type)
    expect(headers['content-length']).toBe(String(Buffer.byteLength(RESOURCE)))
  })

  test('in chunks', async () => {
    const headers = { 'transfer-encoding': 'chunked' }
    const answer = await rig.ask('POST /fhir/R4/Observation', { scope: EVERYTHING, body: RESOURCE, headers })
    expect(answer.status, answer.text).toBe(201)
    expect(rig.upstream.arrived[0]!.text).toBe(RESOURCE)
    expect(rig.upstream.arrived[0]!.headers['transfer-encoding']).toBe('chunked')
    expect(rig.upstream.arrived[0]!.headers).not.toHaveProperty('content-length')
  })

  test('a Binary of any content, compressed as it came', async () => {
    const body = gzipSync(Buffer.from([0, 255, 1, 254]))
    const headers = { 'content-type': 'image/png', 'content-encoding': 'gzip' }
    const answer = await rig.ask('PUT /fhir/R4/Binary/b1', { scope: EVERYTHING, body, headers })
    expect(answer.status, answer.text).toBe(200)
    const arrived = rig.upstream.arrived[0]!
    expect(arrived.body.equals(body)).toBe(true)
    expect(arrived.headers).toMatchObject(headers)
  })
})

test('the root is a path like others on a route with `match`', async () => {
  const root = await startRig({
    map: fhirMap({ more: '  - { name: root, upstream: store, match: { GET /: public } }' }),
  })
  expect([(await root.ask('GET /?a=1')).status, (await root.ask('GET /b')).status]).toEqual([200, 404])
  expect(root.upstream.arrived.map(({ url }) => url)).toEqual(['/base/?a=1'])
  await root.close()
})

test('what the upstream answers comes back unread: status, fields, bytes', async () => {
  const body = '{"resourceType":"Patient" ,"id":"p1","text":{"div":"<div>http://127.0.0.1/ é</div>"}}'
  const headers = {
    etag: 'W/"3"',
    'last-modified': 'Sat, 01 Aug 2026 00:00:00 GMT',
    'content-type': 'application/fhir+json;charset=UTF-8',
    'x-vendor': ['one', 'two'],
  }
  rig.upstream.script = () => ({ body, headers })
  const answer = await rig.ask('GET /fhir/R4/Patient/p1', { scope: EVERYTHING })
  expect(answer.text).toBe(body)
  expect(answer.headers).toMatchObject({
    ...headers,
    'x-vendor': 'one, two',
    'content-length': String(Buffer.byteLength(body)),
  })
  expect(answer.headers).not.toHaveProperty('x-intermediary')

  rig.upstream.script = () => ({ status: 404, body: { resourceType: 'OperationOutcome', issue: [] } })
  const absent = await rig.ask('GET /fhir/R4/Patient/p2', { scope: EVERYTHING })
  expect([absent.status, absent.text]).toEqual([404, '{"resourceType":"OperationOutcome","issue":[]}'])

  rig.upstream.script = () => ({ status: 304, headers: { etag: 'W/"3"' } })
  const same = await rig.ask('GET /fhir/R4/Patient/p1', { scope: EVERYTHING, headers: { 'If-None-Match': 'W/"3"' } })
  expect([same.status, same.text, same.headers['etag']]).toEqual([304, '', 'W/"3"'])
  expect(rig.upstream.arrived.at(-1)!.headers['if-none-match']).toBe('W/"3"')
})

test('HEAD has the fields of GET and no body', async () => {
  rig.upstream.script = () => ({ body: { resourceType: 'Patient', id: 'p1' }, headers: { etag: 'W/"3"' } })
  const get = await rig.ask('GET /fhir/R4/Patient/p1', { scope: EVERYTHING })
  const head = await rig.ask('HEAD /fhir/R4/Patient/p1', { scope: EVERYTHING })
  expect(head.text).toBe('')
  const told = (from: typeof get) => ({ ...from.headers, date: '', 'x-request-id': '' })
  expect(told(head)).toEqual(told(get))
})
