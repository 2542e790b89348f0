// Conditional writes within limits: the gateway finds out which one resource is meant, within the grant, and writes to that one by its
// id, conditional on its version. What lies outside is not found, whatever a server says that ignores the search.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
let upserting: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
  upserting = await startStoreRig('updateCreate: allow')
})
afterAll(async () => {
  await rig.close()
  await upserting.close()
})

const observation = (id: string | undefined, patient: string, tag: string, more: object = {}) => ({
  resourceType: 'Observation',
  ...(id !== undefined && { id }),
  subject: { reference: `Patient/${patient}` },
  identifier: [{ system: 'urn:x', value: tag }],
  ...more,
})
const STORED = [
  observation('a1', 'p1', 'a'),
  observation('a2', 'p2', 'a'),
  observation('b2', 'p2', 'b'),
  observation('c1', 'p1', 'c'),
  observation('c2', 'p1', 'c'),
]
beforeEach(() => {
  rig.fill(STORED)
  upserting.fill(STORED)
})

const ask = (line: string, body?: object, headers: Record<string, string> = {}, on = rig): Promise<Answer> =>
  on.ask(line, { scope: 'patient/Observation.cruds', claims: { patient: 'p1' }, headers, ...(body && { body }) })
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }
const AMEND = [{ op: 'add', path: '/status', value: 'amended' }]

describe.each<[method: string, body: object | undefined, headers: Record<string, string>]>([
  ['PUT', observation(undefined, 'p1', 'a', { status: 'amended' }), {}],
  ['PATCH', AMEND, JSON_PATCH],
  ['DELETE', undefined, {}],
])('%s', (method, body, headers) => {
  test('goes to the one match within the grant, by its id and version', async () => {
    const answer = await ask(`${method} /fhir/R4/Observation?identifier=urn:x|a`, body, headers)
    expect(answer.status, answer.text).toBeLessThan(300)
    expect(rig.written()).toEqual([`${method} /Observation/a1`])
    expect(rig.upstream.arrived.at(-1)!.headers['if-match']).toBe('W/"1"')
    expect(rig.stored('Observation', 'a2').status).toBeUndefined()
  })

  test('finds nothing outside the grant', async () => {
    const answer = await ask(`${method} /fhir/R4/Observation?identifier=urn:x|b`, body, headers)
    expect(verdictOf(answer)).toBe('404 not-found')
    expect(rig.written()).toEqual([])
  })

  test('that finds several does nothing', async () => {
    const answer = await ask(`${method} /fhir/R4/Observation?identifier=urn:x|c`, body, headers)
    expect(verdictOf(answer)).toBe('412 version-conflict')
    expect(rig.written()).toEqual([])
  })

  test('hits nothing outside through a server that ignores the search', async () => {
    const all = [STORED[1], STORED[2]].map((resource) => ({ resource, search: { mode: 'match' } }))
    rig.before = ({ url }) =>
      url.includes('?') ? { body: { resourceType: 'Bundle', type: 'searchset', entry: all } } : undefined
    expect(verdictOf(await ask(`${method} /fhir/R4/Observation?identifier=urn:x|zzz`, body, headers))).toBe(
      '404 not-found',
    )
    expect(rig.written()).toEqual([])
  })

  test('hits neither what was included nor what is on a further page', async () => {
    const entry = [
      { resource: STORED[3], search: { mode: 'include' } },
      { resource: STORED[0], search: { mode: 'match' } },
    ]
    const bundle = { resourceType: 'Bundle', type: 'searchset', entry }
    rig.before = ({ url }) => (url.includes('?') ? { body: bundle } : undefined)
    expect((await ask(`${method} /fhir/R4/Observation?identifier=urn:x|a`, body, headers)).status).toBeLessThan(300)
    const link = [{ relation: 'next', url: `${rig.upstream.url}/base?page=2` }]
    rig.fill(STORED)
    rig.before = ({ url }) => (url.includes('?') ? { body: { ...bundle, link } } : undefined)
    const answer = await ask(`${method} /fhir/R4/Observation?identifier=urn:x|a`, body, headers)
    expect(verdictOf(answer)).toBe('412 version-conflict')
  })
})

test('a conditional update needs u and s, a conditional delete d and s', async () => {
  for (const [line, scope] of [
    ['PUT /fhir/R4/Observation?identifier=urn:x|a', 'patient/Observation.cru'],
    ['DELETE /fhir/R4/Observation?identifier=urn:x|a', 'patient/Observation.crud'],
  ] as const) {
    const body = line.startsWith('PUT') ? { body: observation(undefined, 'p1', 'a') } : {}
    const answer = await rig.ask(line, { scope, claims: { patient: 'p1' }, ...body })
    expect(verdictOf(answer)).toBe('403 scope-insufficient')
  }
  expect(rig.upstream.arrived).toEqual([])
})

test('the match cannot be given another id', async () => {
  const answer = await ask('PUT /fhir/R4/Observation?identifier=urn:x|a', observation('a2', 'p1', 'a'))
  expect(verdictOf(answer)).toBe('400 body-invalid')
  expect(rig.written()).toEqual([])
})

describe('an update whose condition finds nothing', () => {
  const put = (body: object, on: StoreRig, tag = 'new'): Promise<Answer> =>
    ask(`PUT /fhir/R4/Observation?identifier=urn:x|${tag}`, body, {}, on)

  test('makes nothing by itself', async () => {
    expect(verdictOf(await put(observation(undefined, 'p1', 'new'), rig))).toBe('404 not-found')
    expect(rig.written()).toEqual([])
  })

  test('makes the resource where the route says so, unless another did meanwhile', async () => {
    const answer = await put(observation(undefined, 'p1', 'new'), upserting)
    expect(answer.status, answer.text).toBe(201)
    expect(upserting.written()).toEqual(['POST /Observation'])
    expect(upserting.upstream.arrived.at(-1)!.headers['if-none-exist']).toBe(
      'identifier=urn:x%7Cnew&patient=Patient/p1',
    )
  })

  test('is made an update where another made it meanwhile', async () => {
    upserting.before = ({ method }) => {
      if (method === 'POST') upserting.store.resources.write('Observation', 'n1', observation('n1', 'p1', 'new'), 'PUT')
      return undefined
    }
    const answer = await put(observation(undefined, 'p1', 'new', { status: 'amended' }), upserting)
    expect(answer.status, answer.text).toBe(200)
    expect(upserting.written()).toEqual(['POST /Observation', 'PUT /Observation/n1'])
    expect(upserting.stored('Observation', 'n1').status).toBe('amended')
  })

  test('with an id of its own, only where that is free', async () => {
    expect((await put(observation('free', 'p1', 'new'), upserting)).status).toBe(201)
    expect(upserting.upstream.arrived.at(-1)!.headers['if-none-match']).toBe('*')
    for (const id of ['a2', 'c1'])
      expect(verdictOf(await put(observation(id, 'p1', 'x'), upserting, 'x'))).toBe('404 not-found')
  })

  test('never in the name of another patient', async () => {
    expect(verdictOf(await put(observation(undefined, 'p2', 'new'), upserting))).toBe('403 scope-insufficient')
    expect(upserting.written()).toEqual([])
  })

  test('as an entry of a transaction', async () => {
    const entry = [
      {
        resource: observation(undefined, 'p1', 'new'),
        request: { method: 'PUT', url: 'Observation?identifier=urn:x|new' },
      },
      {
        resource: observation(undefined, 'p1', 'a'),
        request: { method: 'PUT', url: 'Observation?identifier=urn:x|a' },
      },
    ]
    const answer = await ask('POST /fhir/R4', { resourceType: 'Bundle', type: 'transaction', entry }, {}, upserting)
    expect(answer.json?.entry?.map(({ response }: { response: { status: string } }) => response.status)).toEqual([
      '201 Created',
      '200 OK',
    ])
    expect(
      JSON.parse(upserting.upstream.arrived.at(-1)!.text).entry.map(({ request }: { request: object }) => request),
    ).toEqual([
      { method: 'POST', url: 'Observation', ifNoneExist: 'identifier=urn:x%7Cnew&patient=Patient/p1' },
      { method: 'PUT', url: 'Observation/a1', ifMatch: 'W/"1"' },
    ])
  })
})

describe('PUT to a free id, where the route says so', () => {
  test('makes the resource, on condition that it is still free', async () => {
    const answer = await ask('PUT /fhir/R4/Observation/free', observation('free', 'p1', 'x'), {}, upserting)
    expect(answer.status, answer.text).toBe(201)
    expect(upserting.upstream.arrived.at(-1)!.headers['if-none-match']).toBe('*')
  })

  test('not in the name of another patient, and not over what is there', async () => {
    const foreign = await ask('PUT /fhir/R4/Observation/free', observation('free', 'p2', 'x'), {}, upserting)
    expect(verdictOf(foreign)).toBe('403 scope-insufficient')
    const taken = await ask('PUT /fhir/R4/Observation/a2', observation('a2', 'p1', 'x'), {}, upserting)
    expect(verdictOf(taken)).toBe('404 not-found')
  })

  test('what another made meanwhile is not overwritten', async () => {
    upserting.before = ({ method }) => {
      if (method !== 'PUT') return undefined
      upserting.store.resources.write(
        'Observation',
        'free',
        { resourceType: 'Observation', subject: { reference: 'Patient/p2' } },
        'PUT',
      )
      return undefined
    }
    const answer = await ask('PUT /fhir/R4/Observation/free', observation('free', 'p1', 'x'), {}, upserting)
    expect(verdictOf(answer)).toBe('404 not-found')
    expect(upserting.stored('Observation', 'free').subject.reference).toBe('Patient/p2')
  })

  test.each(['batch', 'transaction'])('in a %s, with the same condition of the client', async (type) => {
    const request = { method: 'PUT', url: 'Observation/free', ifNoneMatch: '*' }
    const body = { resourceType: 'Bundle', type, entry: [{ resource: observation('free', 'p1', 'x'), request }] }
    const answer = await ask('POST /fhir/R4', body, {}, upserting)
    expect(answer.json.entry[0].response.status).toMatch(/^201/)
    expect(JSON.parse(upserting.upstream.arrived.at(-1)!.text).entry[0].request).toEqual(request)
  })
})
