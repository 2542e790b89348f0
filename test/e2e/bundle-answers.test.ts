// Answers that are Bundles: their links are rewritten as they stream, everything else comes through byte for byte, and the
// upstream's address is never shown. What cannot be rewritten is not passed on.

import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { BASE, fhirMap, type Rig, startRig } from '../support/rig.ts'

const EVERYTHING = { scope: 'system/*.cruds' }

let rig: Rig
beforeAll(async () => {
  const more = `
  - { name: writes-public, fhir: R4, path: /public, upstream: public-store, smart: true, audience: "${BASE}", sealPages: false }
`
  const map = fhirMap({ more })
  rig = await startRig({
    map: (at) =>
      map(at).replace('upstreams:', `upstreams:\n  public-store: { url: "${at.upstream}/base", publicBase: true }`),
  })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const up = (): string => `${rig.upstream.url}/base`
const json = (body: object | string) => () => ({ body })

test('searchset: fullUrl, self and paging links', async () => {
  rig.upstream.script = json({
    resourceType: 'Bundle',
    type: 'searchset',
    link: [
      { relation: 'self', url: `${up()}/Patient?name=x&_internal=1` },
      { relation: 'next', url: `${up()}?_getpages=1234&_getpagesoffset=2` },
      { relation: 'related', url: 'https://other.example/x' },
      { relation: 'admin', url: `${rig.upstream.url}/admin` },
      { relation: 'last', url: 'http://127.0.0.1:1/elsewhere' },
    ],
    entry: [
      {
        fullUrl: `${up()}/Patient/1`,
        resource: { resourceType: 'Patient', id: '1', link: [{ other: { reference: `${up()}/Patient/2` } }] },
      },
      { fullUrl: 'urn:uuid:4bf92f35-77b3-4da6-a3ce-929d0e0e4736', resource: { resourceType: 'Patient' } },
      { fullUrl: 'https://other.example/fhir/Patient/3', resource: { resourceType: 'Patient', id: '3' } },
      { fullUrl: `${rig.upstream.url}/admin/Patient/4`, resource: { resourceType: 'Patient', id: '4' } },
    ],
  })
  const answer = await rig.ask('GET /fhir/R4/Patient?name=x', EVERYTHING)
  expect(answer.json.link).toEqual([
    { relation: 'self', url: `${BASE}/Patient?name=x` },
    { relation: 'next', url: expect.stringMatching(/^https:\/\/api\.example\.org\/fhir\/R4\/_page\/[\w-]+$/) },
    { relation: 'related', url: 'https://other.example/x' },
  ])
  expect(answer.json.entry.map(({ fullUrl }: { fullUrl?: string }) => fullUrl)).toEqual([
    `${BASE}/Patient/1`,
    'urn:uuid:4bf92f35-77b3-4da6-a3ce-929d0e0e4736',
    'https://other.example/fhir/Patient/3',
    undefined,
  ])
  expect(answer.headers['x-intermediary']).toBe('scopegate')
  // What a resource itself says is content: rewriting it would falsify it.
  expect(answer.json.entry[0].resource.link[0].other.reference).toBe(`${up()}/Patient/2`)
})

test('resources come through byte for byte', async () => {
  const resource =
    '{ "resourceType" : "Patient","id":"1" , "extension":[{"valueDecimal":1.50e+00}],"name":[{"text":"gr\\u00fc\\u00df é 😀 \\/ "}]\r\n}'
  rig.upstream.script = json(
    `{"resourceType":"Bundle","type":"searchset","entry":[{"fullUrl":"${up()}/Patient/1","resource":${resource}}]}`,
  )
  const answer = await rig.ask('GET /fhir/R4/Patient', EVERYTHING)
  expect(answer.text).toBe(
    `{"resourceType":"Bundle","type":"searchset","entry":[{"fullUrl":"${BASE}/Patient/1","resource":${resource}}]}`,
  )
  expect(answer.headers['content-length']).toBe(String(answer.bytes.length))
})

test('history: request and response of each entry', async () => {
  rig.upstream.script = json({
    resourceType: 'Bundle',
    type: 'history',
    entry: [
      {
        fullUrl: `${up()}/Patient/1`,
        request: { method: 'PUT', url: 'Patient/1' },
        response: { status: '200', location: `${up()}/Patient/1/_history/2` },
      },
    ],
  })
  const { json: bundle } = await rig.ask('GET /fhir/R4/Patient/1/_history', EVERYTHING)
  expect(bundle.entry[0].request.url).toBe('Patient/1')
  expect(bundle.entry[0].response.location).toBe(`${BASE}/Patient/1/_history/2`)
})

test('batch: locations, and the searchsets within', async () => {
  const inner = {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [{ relation: 'self', url: `${up()}/Goal` }],
    entry: [{ fullUrl: `${up()}/Goal/1` }],
  }
  rig.upstream.script = json({
    resourceType: 'Bundle',
    type: 'batch-response',
    link: [{ relation: 'self', url: up() }],
    entry: [
      { response: { status: '201', location: `${up()}/Patient/1/_history/1` } },
      { resource: inner, response: { status: '200' } },
    ],
  })
  const body = { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: 'Goal' } }] }
  const answer = await rig.ask('POST /fhir/R4', { ...EVERYTHING, body })
  expect(answer.status, answer.text).toBe(200)
  expect(answer.json.entry[0].response.location).toBe(`${BASE}/Patient/1/_history/1`)
  expect(answer.json.entry[1].resource.entry[0].fullUrl).toBe(`${BASE}/Goal/1`)
  expect(answer.text).not.toContain(rig.upstream.url)
})

describe('an answer that cannot be rewritten is not passed on', () => {
  const html = { body: '<html>', headers: { 'content-type': 'text/html' } }
  const xml = { body: '<Bundle/>', headers: { 'content-type': 'application/fhir+xml' } }
  test.each<[name: string, scripted: object]>([
    ['a page for people', html],
    ['XML', xml],
    ['no type', { body: '{}', headers: { 'content-type': '' } }],
    ['broken JSON', { body: '{"resourceType":"Bundle",' }],
    [
      'compressed against the asking',
      { body: gzipSync('{"resourceType":"Bundle"}'), headers: { 'content-encoding': 'gzip' } },
    ],
  ])('%s', async (_, scripted) => {
    rig.upstream.script = () => scripted
    const answer = await rig.ask('GET /fhir/R4/Patient', EVERYTHING)
    expect(verdictOf(answer)).toBe('502 upstream-broken')
    expect(rig.upstream.arrived[0]!.headers['accept-encoding']).toBe('identity')
    expect(rig.upstream.arrived[0]!.headers['accept']).toBe('application/fhir+json')
  })

  test('asking for XML or for a part of the bytes', async () => {
    const answer = await rig.ask('GET /fhir/R4/Patient?_format=xml', EVERYTHING)
    expect(verdictOf(answer)).toBe('406 interaction-unknown')
    expect(rig.upstream.arrived).toEqual([])
    await rig.ask('GET /fhir/R4/Patient', { ...EVERYTHING, headers: { Range: 'bytes=0-9' } })
    expect(rig.upstream.arrived[0]!.headers).not.toHaveProperty('range')
  })
})

test("a refusal of the upstream's own comes through", async () => {
  const body = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid' }] }
  rig.upstream.script = () => ({ status: 400, body })
  const answer = await rig.ask('GET /fhir/R4/Patient?birthdate=x', EVERYTHING)
  expect([answer.status, answer.json]).toEqual([400, body])
})

test('an upstream that writes the public base by itself, without seals, is not read', async () => {
  const text = '{"resourceType":"Bundle" , "link":[{"relation":"next","url":"https://api.example.org/public?x"}]}'
  rig.upstream.script = () => ({ body: text, headers: { etag: '"strong"' } })
  const answer = await rig.ask('GET /public/Patient', EVERYTHING)
  expect(answer.text).toBe(text)
  expect(answer.headers).not.toHaveProperty('x-intermediary')
  expect(answer.headers['etag']).toBe('"strong"')
})

test("a rewritten answer keeps no validator of the upstream's bytes", async () => {
  const headers = { etag: '"strong"', 'content-md5': 'x', digest: 'sha-256=x', 'accept-ranges': 'bytes' }
  rig.upstream.script = () => ({ headers, body: { resourceType: 'Bundle', type: 'searchset' } })
  const answer = await rig.ask('GET /fhir/R4/Patient', EVERYTHING)
  for (const name of Object.keys(headers)) expect(answer.headers).not.toHaveProperty(name)
})

test('a searchset that answers a read in a batch, beside an entry that is refused', async () => {
  rig.upstream.script = json({
    resourceType: 'Bundle',
    type: 'batch-response',
    entry: [
      {
        resource: {
          resourceType: 'Bundle',
          type: 'searchset',
          link: [{ relation: 'self', url: `${up()}/Observation` }],
          entry: [{ fullUrl: `${up()}/Observation/1`, resource: { resourceType: 'Observation', id: '1' } }],
        },
        response: { status: '200' },
      },
    ],
  })
  const entry = ['Observation/1', 'Condition/1'].map((url) => ({ request: { method: 'GET', url } }))
  const body = { resourceType: 'Bundle', type: 'batch', entry }
  const answer = await rig.ask('POST /fhir/R4', { scope: 'system/Observation.rs', body })
  expect(answer.json.entry[0].resource.link).toEqual([{ relation: 'self', url: `${BASE}/Observation` }])
  expect(answer.json.entry[1].response.status).toBe('403')
  expect(answer.text).not.toContain(rig.upstream.url)
})
