// T22, T24, T39–T41: operations that other gateways let any token run, or whose answers nobody looked at. The upstream here answers
// every operation with somebody else's record, in every form that an answer can have.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const ROUTE = `
operations:
  "Patient/{id}/$everything": { requires: "*.rs" }
  "Observation/$lastn": { requires: "Observation.rs" }
  "Observation/$stats": { requires: "Observation.rs" }
  "Observation/{id}/$meta": { requires: "Observation.r" }
  "DocumentReference/$docref": { requires: "DocumentReference.rs" }
  "Observation/$count": { requires: "Observation.r" }
  "CodeSystem/$lookup": { requires: "CodeSystem.r" }
  "Patient/$match": { requires: "Patient.s", contexts: [user, system] }
`
let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ route: ROUTE }) })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const claims = { patient: 'p1' }
const MINE = { resourceType: 'Observation', id: 'o1', subject: { reference: 'Patient/p1' } }
const THEIRS = { resourceType: 'Observation', id: 'SECRET', subject: { reference: 'Patient/p2' } }
const SECRETS = /SECRET|p2/

describe('T39–T41: what the route map does not list is refused, whatever the scopes', () => {
  test.each([
    'Patient/$everything',
    'Composition/c1/$document',
    'Patient/$member-match',
    'Group/$member-match',
    'Patient/p1/$meta',
    'Observation/o1/$meta-add',
    '$graphql?query=%7BPatient%7Bid%7D%7D',
    'Patient/p1/$graphql?query=%7Bid%7D',
    '$meta',
    '$convert',
    '$process-message',
    '$export',
    'Group/g1/$everything',
    'List/l1/$find',
    'Observation/$LASTN',
    'Observation/$lastn-x',
  ])('%s', async (target) => {
    for (const method of ['GET', 'POST']) {
      const body = method === 'POST' ? { body: { resourceType: 'Parameters' } } : {}
      const answer = await rig.ask(`${method} /fhir/R4/${target}`, { scope: 'system/*.cruds', claims, ...body })
      expect(verdictOf(answer)).toBe('403 operation-not-listed')
    }
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('what is listed still needs its scopes', () => {
  test.each([
    ['T24', 'patient/Patient.r', 'Patient/p1/$everything'],
    ['T24: with Patient.rs', 'patient/Patient.rs', 'Patient/p1/$everything'],
    ['T22', 'patient/Patient.rs', 'Observation/$lastn'],
    ['T39', 'patient/Patient.rs', 'DocumentReference/$docref?patient=p1'],
    ['T39: searching is not reading', 'patient/DocumentReference.s', 'DocumentReference/$docref?patient=p1'],
    ['T40', 'patient/*.cruds', 'Patient/$match'],
    ['a chain where only reading is asked for', 'system/Observation.r', 'Observation/$count?subject:Patient.name=x'],
  ])('%s: %s on %s', async (_, scope, target) => {
    const answer = await rig.ask(`GET /fhir/R4/${target}`, { scope, claims })
    expect(verdictOf(answer)).toBe('403 scope-insufficient')
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('T22: what an operation answers is looked at, in whatever form it comes', () => {
  const bundle = (...resources: object[]): object => ({
    resourceType: 'Bundle',
    type: 'searchset',
    total: resources.length,
    entry: resources.map((resource) => ({ resource })),
  })
  const parameters = (...parameter: object[]): object => ({ resourceType: 'Parameters', parameter })

  test.each([
    ['a Bundle', bundle(MINE, THEIRS), bundle(MINE)],
    [
      'Parameters',
      parameters({ name: 'a', resource: MINE }, { name: 'b', resource: THEIRS }),
      parameters({ name: 'a', resource: MINE }),
    ],
    [
      'parts of Parameters',
      parameters({
        name: 'a',
        part: [
          { name: 'b', resource: THEIRS },
          { name: 'c', part: [{ name: 'd', resource: MINE }] },
        ],
      }),
      parameters({ name: 'a', part: [{ name: 'c', part: [{ name: 'd', resource: MINE }] }] }),
    ],
    [
      'a Bundle in Parameters',
      parameters({ name: 'a', resource: { ...bundle(MINE, THEIRS), link: [{ relation: 'next', url: 'SECRET' }] } }),
      parameters({ name: 'a', resource: { resourceType: 'Bundle', type: 'searchset', entry: [{ resource: MINE }] } }),
    ],
    [
      'values that sum up',
      parameters({ name: 'a', valueString: 'SECRET' }, { name: 'b', resource: MINE }),
      parameters({ name: 'b', resource: MINE }),
    ],
    ['a resource of the patient', MINE, MINE],
  ])('%s', async (_, body, wanted) => {
    rig.upstream.script = () => ({ body })
    const answer = await rig.ask('GET /fhir/R4/Observation/$stats', { scope: 'patient/Observation.rs', claims })
    expect(answer.status).toBe(200)
    const { total: _total, ...shown } = wanted as { total?: number }
    expect(answer.json).toEqual(shown)
    expect(answer.text).not.toMatch(SECRETS)
  })

  test.each([
    ['a resource of somebody else', THEIRS],
    ['Parameters with nothing else', parameters({ name: 'a', resource: THEIRS })],
    ['Parameters with values only', parameters({ name: 'a', valueString: 'SECRET' })],
    ['a container in a container', parameters({ name: 'a', resource: parameters({ name: 'b', resource: THEIRS }) })],
    ['a type that the scopes do not name', { resourceType: 'Patient', id: 'p2' }],
    ['an outcome with more in it', { resourceType: 'OperationOutcome', contained: [THEIRS] }],
    ['no type at all', { id: 'SECRET' }],
    [
      'two types',
      '{"resourceType":"OperationOutcome","resourceType":"Observation","id":"SECRET","subject":{"reference":"Patient/p2"}}',
    ],
    ['a list', [THEIRS]],
    ['another form', { headers: { 'content-type': 'text/plain' } }],
  ])('%s is as good as nothing', async (_, body) => {
    const form = typeof body === 'object' && 'headers' in body ? 'text/plain' : 'application/fhir+json'
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    rig.upstream.script = () => ({
      headers: { 'content-type': form },
      body: `${text}${form === 'text/plain' ? 'SECRET' : ''}`,
    })
    const answer = await rig.ask('GET /fhir/R4/Observation/$stats', { scope: 'patient/Observation.rs', claims })
    expect([404, 502]).toContain(answer.status)
    expect(answer.text).not.toMatch(SECRETS)
  })

  test('a scope on one type does not open what comes along', async () => {
    rig.upstream.script = () => ({ body: bundle(MINE, THEIRS, { resourceType: 'Patient', id: 'SECRET' }) })
    const answer = await rig.ask('GET /fhir/R4/Observation/$lastn?_include=Observation:subject', {
      scope: 'system/Observation.rs',
    })
    expect(
      answer.json.entry.map(({ resource }: { resource: { resourceType: string } }) => resource.resourceType),
    ).toEqual(['Observation', 'Observation'])
  })

  test('an operation on one record asks for that record first', async () => {
    rig.upstream.script = ({ url }) => ({
      body: url.includes('$') ? parameters({ name: 'return', valueString: 'SECRET' }) : { ...THEIRS, id: 'o1' },
    })
    const ask = { scope: 'patient/Observation.r', claims }
    const theirs = await rig.ask('GET /fhir/R4/Observation/o1/$meta', ask)
    expect(verdictOf(theirs)).toBe('404 not-found')
    expect(rig.upstream.arrived.map(({ url }) => url)).toEqual(['/base/Observation/o1'])
    rig.upstream.script = ({ url }) => ({
      body: url.includes('$') ? parameters({ name: 'return', valueString: 'meta' }) : MINE,
    })
    const mine = await rig.ask('GET /fhir/R4/Observation/o1/$meta', ask)
    expect(mine.json).toEqual(parameters({ name: 'return', valueString: 'meta' }))
  })

  test('terminology is nobody’s record', async () => {
    const meaning = parameters({ name: 'display', valueString: 'Body weight' })
    rig.upstream.script = () => ({ body: meaning })
    const answer = await rig.ask('GET /fhir/R4/CodeSystem/$lookup?code=x', {
      scope: 'user/CodeSystem.r',
      claims: { fhirUser: 'Practitioner/1' },
    })
    expect(answer.json).toEqual(meaning)
  })
})
