// What the upstream is told about the request and the caller: what the client asked for, what the gateway verified, and nothing
// that the client could have made up.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const READ = 'GET /fhir/R4/Patient/p1'
const PRACTITIONER = { fhirUser: 'Practitioner/7', sub: 'ada' }

let rig: Rig
beforeAll(async () => {
  const more = `
  - { name: open, upstream: store, match: { GET /open: public } }
  - { name: through, upstream: store, authorization: passthrough, match: { GET /through: app.read } }
  - { name: own-token, upstream: store, authorization: { bearer: backend-secret }, match: { GET /own-token: app.read } }
scopes:
  App:
    app.read: { description: Read., credentials: [oauth2] }
`
  rig = await startRig({ map: fhirMap({ more }) })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

async function arrivedWith(
  headers: Record<string, string>,
  claims: Record<string, unknown> = PRACTITIONER,
): Promise<Readonly<Record<string, string>>> {
  const answer = await rig.ask(READ, { scope: 'user/*.rs', claims, headers })
  expect(answer.status, answer.text).toBe(200)
  return rig.upstream.arrived[0]!.headers
}

test('what the client asks for goes along', async () => {
  const sent = {
    accept: 'application/fhir+json',
    'accept-encoding': 'gzip',
    'accept-language': 'de',
    prefer: 'return=minimal',
    'if-none-match': 'W/"1"',
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    'user-agent': 'app/1',
  }
  expect(await arrivedWith(sent)).toMatchObject(sent)
})

test('who the caller is, by the token alone', async () => {
  const headers = await arrivedWith({}, { ...PRACTITIONER, patient: 'p1', sub: 'Zoë 100%\nX-Auth-Client: root' })
  expect(headers).toMatchObject({
    'x-auth-subject': 'Zo%C3%AB 100%25%0AX-Auth-Client: root',
    'x-auth-client': 'app-1',
    'x-auth-fhiruser': 'Practitioner/7',
    'x-auth-patient': 'p1',
    'x-auth-scope': 'user/*.rs',
  })
  rig.upstream.reset()
  const nobody = await arrivedWith({}, { sub: 'ada' })
  expect(nobody).not.toHaveProperty('x-auth-fhiruser')
  expect(nobody).not.toHaveProperty('x-auth-patient')
})

describe('identity that the client makes up', () => {
  test('in our own spelling: replaced', async () => {
    const headers = await arrivedWith({ 'X-Auth-Subject': 'root', 'x-auth-patient': 'p9', 'X-AUTH-ROLE': 'admin' })
    expect(headers['x-auth-subject']).toBe('ada')
    expect(headers).not.toHaveProperty('x-auth-patient')
    expect(headers).not.toHaveProperty('x-auth-role')
  })

  // Servers behind fold `_` and `.` into `-`, so these would be read as ours.
  test.each([
    'X_Auth_Subject',
    'x-auth_subject',
    'X.Auth.Subject',
    'X-Auth.Patient',
    'X_API_KEY',
    'X_Forwarded_For',
    'X-HTTP.Method',
  ])('in a spelling that passes for one of ours, %s: refused', async (name) => {
    const answer = await rig.ask(READ, { scope: 'user/*.rs', headers: { [name]: 'root' } })
    expect(verdictOf(answer)).toBe('400 header-ambiguous')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('taken away by Connection: ours are added after that', async () => {
    const headers = await arrivedWith({
      Connection: 'keep-alive, X-Auth-Subject, X-Request-Id, X-Vendor',
      'X-Vendor': 'mine',
    })
    expect(headers['x-auth-subject']).toBe('ada')
    expect(headers).toHaveProperty('x-request-id')
    expect(headers).not.toHaveProperty('x-vendor')
  })

  test('on a public route, where nobody is known', async () => {
    await rig.ask('GET /open', { headers: { 'X-Auth-Subject': 'root', 'X-API-Key': 'k' } })
    expect(rig.upstream.arrived[0]!.headers).not.toHaveProperty('x-auth-subject')
    expect(rig.upstream.arrived[0]!.headers).not.toHaveProperty('x-api-key')
  })
})

test("the client's place is what its connection says, whatever it claims", async () => {
  const claimed = {
    'X-Forwarded-For': '10.0.0.1',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Proto': 'ftp',
    'X-Forwarded-Prefix': '/x',
    'X-Forwarded-Port': '1',
    Forwarded: 'for=10.0.0.1;host=evil.example',
    'X-Real-IP': '10.0.0.1',
    'True-Client-IP': '10.0.0.1',
    'X-Original-URL': '/admin',
    'X-Rewrite-URL': '/admin',
    'X-Request-Id': 'chosen-by-the-client',
    Via: '1.1 elsewhere',
  }
  const headers = await arrivedWith(claimed)
  expect(headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-host': 'api.example.org',
    'x-forwarded-proto': 'https',
    via: '1.1 elsewhere, 1.1 scopegate',
    host: `127.0.0.1:${rig.upstream.port}`,
  })
  expect(headers['x-request-id']).not.toBe('chosen-by-the-client')
  for (const name of [
    'x-forwarded-prefix',
    'x-forwarded-port',
    'forwarded',
    'x-real-ip',
    'true-client-ip',
    'x-original-url',
    'x-rewrite-url',
  ]) {
    expect(headers).not.toHaveProperty(name)
  }
})

test('what speaks about the connection stays here', async () => {
  const headers = await arrivedWith({
    Connection: 'keep-alive, X-Hop',
    'X-Hop': '1',
    'Keep-Alive': 'timeout=5',
    TE: 'trailers',
    'Proxy-Connection': 'keep-alive',
    'Proxy-Authorization': 'Basic eDp5',
    Cookie: 'session=1',
  })
  expect(headers['connection']).toBe('keep-alive')
  for (const name of ['x-hop', 'keep-alive', 'te', 'proxy-connection', 'proxy-authorization', 'cookie']) {
    expect(headers).not.toHaveProperty(name)
  }
})

test('the token stays here, unless the route says otherwise', async () => {
  expect(await arrivedWith({})).not.toHaveProperty('authorization')
  rig.upstream.reset()
  const token = await rig.token('app.read')
  await rig.ask('GET /through', { token })
  await rig.ask('GET /own-token', { token })
  const [through, own] = rig.upstream.arrived.map(({ headers }) => headers['authorization'])
  expect(through).toBe(`Bearer ${token}`)
  expect(own).toBe('Bearer backend-secret')
})

describe('another method in a header', () => {
  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])('%s: gone', async (name) => {
    const headers = await arrivedWith({ [name]: 'DELETE' })
    expect(headers).not.toHaveProperty(name.toLowerCase())
    expect(rig.upstream.arrived[0]!.method).toBe('GET')
  })

  test('in the query: refused', async () => {
    const answer = await rig.ask(`${READ}?_method=DELETE`, { scope: 'user/*.rs' })
    expect(verdictOf(answer)).toBe('400 target-ambiguous')
    expect(rig.upstream.arrived).toEqual([])
  })
})

test('fields in one spelling each: no two readers can take two of one name', async () => {
  await rig.ask(READ, { scope: 'user/*.rs', headers: ['Baggage', 'a=1', 'baggage', 'b=2', 'ACCEPT', '*/*'] })
  const { rawHeaders } = rig.upstream.arrived[0]!
  const names = rawHeaders.filter((_, i) => i % 2 === 0)
  expect(names).toEqual(names.map((name) => name.toLowerCase()))
  expect(names.filter((name) => name !== 'baggage')).toHaveLength(new Set(names).size - 1)
})
