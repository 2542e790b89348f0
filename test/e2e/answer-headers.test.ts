// What the client is told by the upstream's answer: the resource, never the upstream's place, software or connection.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { BASE, fhirMap, PUBLIC_URL, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  const more = `
  - { name: open, upstream: store, match: { GET /open: public } }
`
  rig = await startRig({ map: fhirMap({ more }) })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const EVERYTHING = { scope: 'system/*.cruds' }

test('what the upstream says about itself stays behind', async () => {
  const headers = {
    server: 'Jetty(9.4)',
    'x-powered-by': 'HAPI FHIR',
    'set-cookie': 'JSESSIONID=1',
    'www-authenticate': 'Basic realm="inside"',
    'alt-svc': 'h3=":443"',
    refresh: '0; url=http://inside',
    link: '<http://inside>; rel="next"',
    'access-control-allow-origin': '*',
    'x-accel-redirect': '/inside',
    connection: 'keep-alive, x-hop',
    'x-hop': '1',
    'proxy-authenticate': 'Basic',
    'x-request-id': 'upstream-id',
  }
  rig.upstream.script = () => ({ headers, body: { resourceType: 'Patient' } })
  const answer = await rig.ask('GET /fhir/R4/Patient/p1', EVERYTHING)
  expect(answer.status).toBe(200)
  for (const name of Object.keys(headers).filter((name) => !['connection', 'x-request-id'].includes(name))) {
    expect(answer.headers).not.toHaveProperty(name)
  }
  expect(answer.headers['connection']).toBe('keep-alive')
  expect(answer.headers['x-request-id']).not.toBe('upstream-id')
  expect(answer.headers['x-request-id']).toBe(rig.upstream.arrived[0]!.headers['x-request-id'])
})

test('answers to a credential are kept by no cache; public ones as the upstream says', async () => {
  rig.upstream.script = () => ({
    headers: {
      'cache-control': 'public, max-age=600',
      expires: 'Sat, 01 Aug 2027 00:00:00 GMT',
      age: '3',
      vary: 'Accept',
    },
    body: { resourceType: 'Patient' },
  })
  const secret = await rig.ask('GET /fhir/R4/Patient/p1', EVERYTHING)
  expect(secret.headers).toMatchObject({ 'cache-control': 'no-store', vary: 'Accept, Authorization' })
  expect(secret.headers).not.toHaveProperty('expires')
  expect(secret.headers).not.toHaveProperty('age')
  const open = await rig.ask('GET /open')
  expect(open.headers).toMatchObject({ 'cache-control': 'public, max-age=600', vary: 'Accept' })
})

const upstreamBase = (): string => `${rig.upstream.url}/base`

test.each<[name: string, location: () => string, shown: string | undefined]>([
  ['absolute', () => `${upstreamBase()}/Patient/p1/_history/1`, `${BASE}/Patient/p1/_history/1`],
  ['a path', () => '/base/Patient/p1/_history/1', '/fhir/R4/Patient/p1/_history/1'],
  ['relative', () => 'Patient/p1/_history/1', 'Patient/p1/_history/1'],
  ['public already', () => `${BASE}/Patient/p1`, `${BASE}/Patient/p1`],
  ['another server', () => 'https://other.example/Patient/p1', 'https://other.example/Patient/p1'],
  ['elsewhere on the upstream', () => `${rig.upstream.url}/admin`, undefined],
  ['another port of its machine', () => 'http://127.0.0.1:1/base/Patient/p1', undefined],
  ['with a user name', () => upstreamBase().replace('//', '//a@') + '/Patient/p1', `${BASE}/Patient/p1`],
  ['in capitals', () => upstreamBase().replace('http', 'HTTP') + '/Patient/p1', `${BASE}/Patient/p1`],
])('Location: %s', async (_, location, shown) => {
  const headers = { location: location(), 'content-location': location() }
  rig.upstream.script = () => ({ status: 201, headers, body: { resourceType: 'Patient', id: 'p1' } })
  const answer = await rig.ask('POST /fhir/R4/Patient', { ...EVERYTHING, body: { resourceType: 'Patient' } })
  expect(answer.status).toBe(201)
  expect([answer.headers['location'], answer.headers['content-location']]).toEqual([shown, shown])
})

test('a redirect is passed on with the public address, and never followed', async () => {
  rig.upstream.script = () => ({ status: 302, headers: { location: `${upstreamBase()}/Patient/p2` } })
  const answer = await rig.ask('GET /fhir/R4/Patient/p1', EVERYTHING)
  expect([answer.status, answer.headers['location']]).toEqual([302, `${BASE}/Patient/p2`])
  expect(rig.upstream.arrived).toHaveLength(1)
})

test('on another route the public address is the gateway itself', async () => {
  rig.upstream.script = () => ({ status: 201, headers: { location: `${upstreamBase()}/things/1` } })
  expect((await rig.ask('GET /open')).headers['location']).toBe(`${PUBLIC_URL}/things/1`)
})
