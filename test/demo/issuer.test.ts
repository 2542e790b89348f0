import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startIssuer, type TokenIssuer } from '../../src/demo/issuer.ts'
import { call } from './fhir-client.ts'

const AUDIENCE = ['http://127.0.0.1:8080/fhir/R4', 'urn:other']
let issuer: TokenIssuer
beforeAll(async () => {
  issuer = await startIssuer({ audience: AUDIENCE })
})
afterAll(() => issuer.close())

const form = (
  path: string,
  fields: Record<string, string> | [string, string][],
  headers: Record<string, string> = {},
) =>
  call(issuer.url + path, {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  })
const token = (fields: Record<string, string>) => form('/token', { grant_type: 'client_credentials', ...fields })

test('a token carries what was asked for and verifies against the published keys', async () => {
  const scope = 'patient/Observation.rs?category=http://x/y|laboratory patient/Patient.r launch/patient'
  const answer = await token({ scope, patient: '3', fhirUser: 'Patient/3', client_id: 'app', expires_in: '60' })
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: 60, scope, patient: '3' })
  const keys = createRemoteJWKSet(new URL(issuer.jwksUrl))
  const { payload } = await jwtVerify(answer.body.access_token, keys, {
    issuer: issuer.url,
    audience: AUDIENCE[1]!,
    typ: 'at+jwt',
  })
  expect(payload).toMatchObject({
    aud: AUDIENCE,
    scope,
    patient: '3',
    fhirUser: 'Patient/3',
    sub: 'Patient/3',
    client_id: 'app',
  })
  expect(payload.exp! - payload.iat!).toBe(60)
})

test('without patient and user the token names the client only', async () => {
  const answer = await form(
    '/token',
    { grant_type: 'client_credentials', scope: 'system/*.rs' },
    {
      authorization: `Basic ${Buffer.from('backend:secret').toString('base64')}`,
    },
  )
  const claims = decodeJwt(answer.body.access_token)
  expect(claims).toMatchObject({ sub: 'backend', client_id: 'backend' })
  expect(claims).not.toHaveProperty('patient')
  expect(decodeProtectedHeader(answer.body.access_token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
})

const mistakes: readonly [fields: Record<string, string> | [string, string][], error: string][] = [
  [{ scope: 'x' }, 'invalid_request'],
  [{ grant_type: 'password', scope: 'x' }, 'unsupported_grant_type'],
  [{ grant_type: 'client_credentials' }, 'invalid_scope'],
  [{ grant_type: 'client_credentials', scope: 'a  b' }, 'invalid_scope'],
  [{ grant_type: 'client_credentials', scope: 'a"b' }, 'invalid_scope'],
  [{ grant_type: 'client_credentials', scope: 'a', expires_in: 'soon' }, 'invalid_request'],
  [
    [
      ['grant_type', 'client_credentials'],
      ['scope', 'a'],
      ['scope', 'b'],
    ],
    'invalid_request',
  ],
]

test.each(mistakes)('%j is answered %s', async (fields, error) => {
  const answer = await form('/token', fields)
  expect([answer.status, answer.body.error]).toEqual([400, error])
  expect(answer.body.error_description).not.toBe('')
})

test('a form must be a form, and an address must exist', async () => {
  expect((await call(`${issuer.url}/token`, { method: 'POST', body: { scope: 'x' } })).status).toBe(400)
  expect((await call(`${issuer.url}/nowhere`)).status).toBe(404)
  expect((await call(`${issuer.url}/token`, { method: 'PUT' })).status).toBe(405)
})

test('discovery names what exists, and nothing else', async () => {
  const { body } = await call(`${issuer.url}/.well-known/openid-configuration`)
  expect(body).toMatchObject({
    issuer: issuer.url,
    jwks_uri: issuer.jwksUrl,
    grant_types_supported: ['client_credentials'],
  })
  expect(body).not.toHaveProperty('authorization_endpoint')
  const { keys } = (await call(body.jwks_uri)).body
  expect(keys[0]).not.toHaveProperty('d')
})

test('introspection tells a good token from a revoked or foreign one', async () => {
  const access = (await token({ scope: 'user/*.rs' })).body.access_token
  const basic = { authorization: 'Basic Z3c6cw==' }
  expect((await form('/introspect', { token: access })).status).toBe(401)
  expect((await form('/introspect', { token: access }, basic)).body).toMatchObject({ active: true, scope: 'user/*.rs' })
  expect((await form('/revoke', { token: access })).status).toBe(200)
  expect((await form('/introspect', { token: access }, basic)).body).toEqual({ active: false })
  expect((await form('/introspect', { token: 'a.b.c' }, basic)).body).toEqual({ active: false })
})

test('other algorithms, and minting without a request', async () => {
  const other = await startIssuer({ audience: ['urn:one'], algorithm: 'RS256' })
  try {
    const minted = await other.mint({ scope: 'x', clientId: 'c', expiresIn: 10 })
    expect(decodeProtectedHeader(minted).alg).toBe('RS256')
    expect(decodeJwt(minted).aud).toBe('urn:one')
  } finally {
    await other.close()
  }
})
