// Refusals on the wire: nothing reaches the upstream, and the answer has exactly the status, code, challenge and form of the
// contract (§4).

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { codeOf, verdictOf } from '../support/http-client.ts'
import { fhirMap, PUBLIC_URL, type Rig, type RigAsk, startRig } from '../support/rig.ts'

const PRODUCT = `
  - name: prime
    upstream: store
    match:
      GET /prime/alerts: prime.read
scopes:
  Prime:
    prime.read: { description: Read., credentials: [oauth2] }
`
const FHIR_METADATA = `resource_metadata="${PUBLIC_URL}/.well-known/oauth-protected-resource/fhir/R4"`
const REALM = 'Bearer realm="api.example.org"'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ more: PRODUCT }) })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const READ = 'GET /fhir/R4/Observation/o1'

describe('credentials', () => {
  const now = Math.floor(Date.now() / 1000)
  test.each<[name: string, ask: RigAsk, verdict: string, challenge: string | undefined]>([
    ['none', {}, '401 token-missing', REALM],
    ['another scheme', { headers: { authorization: 'Basic YTpi' } }, '401 token-missing', REALM],
    ['no token at all', { token: 'x' }, '401 token-invalid', 'error="invalid_token"'],
    ['expired', { claims: { iat: now - 700, exp: now - 100 } }, '401 token-expired', 'error="invalid_token"'],
    ['not yet', { claims: { nbf: now + 500 } }, '401 token-invalid', 'error="invalid_token"'],
    ['no expiry', { claims: { exp: undefined } }, '401 token-invalid', 'error="invalid_token"'],
    ['another issuer', { claims: { iss: 'https://other.example' } }, '401 token-invalid', 'error="invalid_token"'],
    ['another audience', { claims: { aud: 'https://other.example' } }, '401 token-invalid', 'error="invalid_token"'],
    ['sender-constrained', { claims: { cnf: { jkt: 'x' } } }, '401 token-invalid', 'error="invalid_token"'],
    [
      'two',
      { headers: ['authorization', 'Bearer a', 'authorization', 'Bearer b'] },
      '400 credential-ambiguous',
      'error="invalid_request"',
    ],
    [
      'two in one field',
      { headers: { authorization: 'Bearer a, Bearer b' } },
      '400 credential-ambiguous',
      'error="invalid_request"',
    ],
  ])('%s', async (_, ask, verdict, challenge) => {
    const answer = await rig.ask(READ, { ...(ask.claims && { scope: 'user/*.rs' }), ...ask })
    expect(verdictOf(answer)).toBe(verdict)
    const said = answer.headers['www-authenticate']
    expect(said).toContain(challenge)
    expect(said).toContain(FHIR_METADATA)
    if (verdict === '401 token-missing') expect(said).toBe(`${REALM}, ${FHIR_METADATA}`)
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('scopes', () => {
  test.each<[line: string, scope: string, claims: object, verdict: string, scopes: string | undefined]>([
    ['GET /fhir/R4/Observation/o1', 'user/Patient.rs', {}, '403 scope-insufficient', 'user/Observation.r'],
    ['GET /fhir/R4/Observation?code=x', 'user/Observation.r', {}, '403 scope-insufficient', 'user/Observation.s'],
    ['DELETE /fhir/R4/Observation/o1', 'system/Observation.cru', {}, '403 scope-insufficient', 'system/Observation.d'],
    [
      'GET /fhir/R4/Observation?_include=Observation:subject:Patient',
      'openid',
      { fhirUser: 'Practitioner/1' },
      '403 scope-insufficient',
      'user/Observation.s user/Patient.r',
    ],
    ['GET /fhir/R4/Observation?_unheard=x', 'system/Observation.rs', {}, '403 scope-insufficient', undefined],
    ['GET /fhir/R4/Observation/o1', 'patient/Observation.rs', {}, '403 launch-context-missing', undefined],
    ['GET /fhir/R4/Patient/p2', 'patient/Patient.rs', { patient: 'p1' }, '403 patient-mismatch', undefined],
    ['GET /fhir/R4/Observation/o1', 'nonsense', {}, '403 scope-insufficient', 'system/Observation.r'],
    ['GET /prime/alerts', 'system/*.cruds', {}, '403 scope-insufficient', 'prime.read'],
  ])('%s with %s', async (line, scope, claims, verdict, scopes) => {
    const answer = await rig.ask(line, { scope, claims: claims as Record<string, unknown> })
    expect(verdictOf(answer), answer.text).toBe(verdict)
    const challenge = answer.headers['www-authenticate']
    if (verdict.endsWith('patient-mismatch')) expect(challenge).toBeUndefined()
    else expect(challenge).toContain('error="insufficient_scope"')
    expect(/, scope="([^"]*)"/.exec(challenge ?? '')?.[1]).toBe(scopes)
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('requests that cannot be read', () => {
  test.each<[line: string, ask: RigAsk, verdict: string]>([
    ['GET /nowhere', {}, '404 route-unknown'],
    ['GET /fhir/R4x/Patient/p1', {}, '404 route-unknown'],
    ['POST /prime/alerts', {}, '405 interaction-unknown'],
    ['GET /fhir/R4/Unicorn/1', {}, '404 interaction-unknown'],
    ['GET /fhir/R4/patient/1', {}, '404 interaction-unknown'],
    ['GET /fhir/R4/Patient/p1/_history/1/x', {}, '404 interaction-unknown'],
    ['PUT /fhir/R4', { body: '{}' }, '405 interaction-unknown'],
    ['OPTIONS /fhir/R4/Patient', {}, '405 interaction-unknown'],
    ['GET /fhir/R4/Patient/$everything', {}, '403 operation-not-listed'],
    ['GET /fhir/R4/../admin', {}, '400 target-ambiguous'],
    ['GET /fhir/R4/Patient/p1;v=1', {}, '400 target-ambiguous'],
    ['GET /fhir/R4/Patient/p1%2F_history', {}, '400 target-ambiguous'],
    ['GET /fhir/R4/Patient?_ID=p1', {}, '400 target-ambiguous'],
    ['DELETE /fhir/R4/Patient', {}, '400 target-ambiguous'],
    ['DELETE /fhir/R4/Patient/p1', { body: '{}' }, '400 body-invalid'],
    ['GET /fhir/R4/Patient/p1', { headers: { X_Auth_Subject: 'root' } }, '400 header-ambiguous'],
    [
      'POST /fhir/R4/Patient',
      { body: '<Patient/>', headers: { 'content-type': 'application/fhir+xml' } },
      '400 body-invalid',
    ],
    ['POST /fhir/R4/Patient', { body: '{"resourceType":"Group"}' }, '400 body-invalid'],
    ['POST /fhir/R4/Patient', { body: '{"resourceType":"Patient","resourceType":"Group"}' }, '400 body-invalid'],
    ['PUT /fhir/R4/Patient/p1', { body: '{"resourceType":"Patient","id":"p2"}' }, '400 body-invalid'],
    ['POST /fhir/R4/Patient', { body: '{"resourceType":"Patient"' }, '400 body-invalid'],
    ['POST /fhir/R4/Patient', { body: '' }, '400 body-invalid'],
    ['PUT /fhir/R4/Patient/p1', { body: '' }, '400 body-invalid'],
    ['POST /fhir/R4/Patient/_search', { body: '{}' }, '400 body-invalid'],
    ['POST /fhir/R4', { body: '{"resourceType":"Patient"}' }, '400 body-invalid'],
    [`GET /fhir/R4/Patient?name=${'x'.repeat(9000)}`, {}, '414 target-too-long'],
    [`GET /fhir/R4/Patient?${'name=x&'.repeat(201)}`, {}, '414 target-too-long'],
    ['GET /fhir/R4/Patient/p1', { headers: { 'x-long': 'x'.repeat(17_000) } }, '431 headers-too-large'],
    ['POST /fhir/R4/Patient', { body: '{}', headers: { 'content-length': '99999999' } }, '413 body-too-large'],
  ])('%s %j', async (line, ask, verdict) => {
    const answer = await rig.ask(line, { scope: 'system/*.cruds prime.read', ...ask })
    expect(verdictOf(answer)).toBe(verdict)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(rig.upstream.arrived.filter(({ method }) => method !== 'POST')).toEqual([])
    expect(rig.upstream.arrived.filter(({ text }) => text !== '')).toEqual([])
  })

  test('a 405 says what is allowed', async () => {
    const plain = await rig.ask('POST /prime/alerts', { scope: 'prime.read' })
    expect(plain.headers['allow']).toBe('GET, HEAD')
    const fhir = await rig.ask('POST /fhir/R4/Patient/p1', { scope: 'system/*.cruds', body: '{}' })
    expect([fhir.status, fhir.headers['allow']]).toEqual([405, 'GET, HEAD, PUT, PATCH, DELETE'])
  })
})

describe('the form of a refusal', () => {
  test('an OperationOutcome on FHIR routes', async () => {
    const answer = await rig.ask(READ, { scope: 'user/Patient.rs' })
    expect(answer.headers['content-type']).toBe('application/fhir+json; charset=utf-8')
    expect(answer.json).toMatchObject({
      resourceType: 'OperationOutcome',
      id: answer.headers['x-request-id'],
      issue: [
        {
          severity: 'error',
          code: 'forbidden',
          details: { coding: [{ system: 'urn:scopegate:code', code: 'scope-insufficient' }] },
        },
      ],
    })
  })

  test.each<[line: string, accept: string]>([
    [READ, 'application/fhir+xml'],
    [`${READ}?_format=xml`, 'application/fhir+json'],
  ])('in XML when that is asked for: %s, Accept %s', async (line, accept) => {
    const answer = await rig.ask(line, { scope: 'user/Patient.rs', headers: { accept } })
    expect(answer.headers['content-type']).toBe('application/fhir+xml; charset=utf-8')
    expect(answer.text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?><OperationOutcome xmlns="http:\/\/hl7.org\/fhir">/,
    )
    expect(codeOf(answer)).toBe('scope-insufficient')
  })

  test('problem details elsewhere', async () => {
    const answer = await rig.ask('GET /prime/alerts', { scope: 'x', headers: { accept: 'application/fhir+xml' } })
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.json).toMatchObject({
      code: 'scope-insufficient',
      status: 403,
      requestId: answer.headers['x-request-id'],
    })
    const nowhere = await rig.ask('GET /nowhere')
    expect(nowhere.headers['content-type']).toBe('application/problem+json')
  })

  test('nothing of a HEAD but its fields', async () => {
    const answer = await rig.ask('HEAD /fhir/R4/Observation/o1', { scope: 'user/Patient.rs' })
    expect([answer.status, answer.text]).toEqual([403, ''])
    expect(answer.headers['www-authenticate']).toContain('scope="user/Observation.r"')
  })

  test('the connection serves on after a refusal', async () => {
    await rig.ask(READ, { scope: 'user/Patient.rs' })
    expect((await rig.ask(READ, { scope: 'user/*.rs' })).status).toBe(200)
  })
})
