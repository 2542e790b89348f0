import { describe, expect, test } from 'vitest'
import { loadRouteMap } from '../../../src/config/load.ts'
import type { FhirRoute, Settings } from '../../../src/config/settings.ts'
import type { IssuerMetadata } from '../../../src/domain/discovery/issuer-metadata.ts'
import { protectedResource, resourcePathOf } from '../../../src/domain/discovery/protected-resource.ts'
import { smartConfiguration } from '../../../src/domain/discovery/smart-configuration.ts'
import { commonPath } from '../../../src/domain/discovery/well-known.ts'

const issuer = 'https://ehr.example.org'

function settingsWith(smart: string, mayGrant = '["patient/*", "user/*", openid]'): Settings {
  const text = `
version: 1
server: { listen: 127.0.0.1:8080, publicUrl: https://api.example.org }
issuers:
  - { name: ehr, issuer: ${issuer}, audience: [a], jwks: ${issuer}/jwks, mayGrant: ${mayGrant} }
  - { name: other, issuer: https://other.example.org, audience: [a], jwks: https://other.example.org/jwks, mayGrant: [x] }
upstreams: { nexus: { url: http://127.0.0.1:8101/fhir } }
scopes:
  Some:
    cms.read: { credentials: [oauth2, api-key] }
    patient/Patient.read: { credentials: [smart] }
    launch-ehr: { credentials: [smart] }
    fhirUser: {}
    prime.read: { credentials: [api-key] }
routes:
  - { name: r4, fhir: R4, path: /fhir/R4, upstream: nexus, issuers: [ehr], smart: ${smart}, grants: { cms.read: "system/*.rs" } }
  - { name: prime, upstream: nexus, issuers: [ehr, other], match: { GET /prime/v1/a: prime.read, "POST /prime/v1/b/{id}": { allOf: [prime.read, cms.read] } } }
  - { name: open, upstream: nexus, issuers: [other], match: { GET /prime/v1/*: public } }
`
  const loaded = loadRouteMap(text, { file: '/routes.yaml', env: {} })
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  return loaded.settings
}

const enforced = { patientScopes: true, operations: true, crossOrigin: true }
const tokenOnly: IssuerMetadata = { issuer, token_endpoint: `${issuer}/token` }

function configuration(smart: string, metadata: IssuerMetadata | undefined, change: { mayGrant?: string } = {}) {
  const settings = settingsWith(smart, change.mayGrant)
  const route = settings.routes[0] as FhirRoute
  return smartConfiguration({ route, issuer: settings.issuers[0]!, metadata, catalogue: settings.scopes, enforced })
}

describe('smart-configuration', () => {
  test('has every required field, and PKCE only by S256', () => {
    expect(configuration('true', tokenOnly)).toEqual({
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      grant_types_supported: ['client_credentials'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['patient/Patient.read', 'launch-ehr', 'fhirUser'],
      capabilities: ['permission-v1', 'permission-v2', 'permission-patient', 'permission-user'],
    })
  })

  test('does not exist without a token endpoint', () => {
    expect(configuration('true', undefined)).toBeUndefined()
    expect(configuration('true', { token_endpoint: 'javascript:alert(1)' })).toBeUndefined()
    expect(configuration('{ endpoints: { token: "https://as/t" } }', undefined)).toMatchObject({
      token_endpoint: 'https://as/t',
    })
  })

  test('says what the issuer says of itself, and the route map overrules it', () => {
    const metadata = {
      ...tokenOnly,
      authorization_endpoint: `${issuer}/auth`,
      introspection_endpoint: `${issuer}/introspect`,
      grant_types_supported: ['authorization_code', 'refresh_token', 7],
      response_types_supported: ['code'],
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt', 'client_secret_basic'],
      code_challenge_methods_supported: ['plain', 'S256'],
      scopes_supported: ['openid', 'fhirUser', 'offline_access'],
      capabilities: ['launch-standalone', 'permission-v1', 'permission-online', 'context-standalone-patient'],
    }
    expect(
      configuration(
        '{ endpoints: { introspection: "https://as/i" }, scopesSupported: [openid, user/Patient.r] }',
        metadata,
      ),
    ).toEqual({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      introspection_endpoint: 'https://as/i',
      jwks_uri: `${issuer}/jwks`,
      grant_types_supported: ['authorization_code', 'refresh_token'],
      response_types_supported: ['code'],
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt', 'client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['patient/Patient.read', 'launch-ehr', 'fhirUser', 'openid', 'user/Patient.r'],
      capabilities: [
        'permission-v1',
        'permission-v2',
        'permission-patient',
        'permission-user',
        'launch-standalone',
        'permission-online',
        'context-standalone-patient',
        'client-public',
        'client-confidential-symmetric',
        'client-confidential-asymmetric',
        'sso-openid-connect',
        'permission-offline',
      ],
    })
  })

  test('promises only permissions that the issuer may grant', () => {
    expect(configuration('true', tokenOnly, { mayGrant: '["system/*"]' })).toMatchObject({
      capabilities: ['permission-v1', 'permission-v2'],
    })
  })

  test('lists the operator’s capabilities, but none whose fields are missing', () => {
    const smart = '{ capabilities: [launch-ehr, sso-openid-connect, context-banner] }'
    expect(configuration(smart, tokenOnly)).toMatchObject({
      issuer,
      capabilities: ['sso-openid-connect', 'context-banner'],
    })
  })

  test('us-core-7 stands for all its scopes', () => {
    const scopes = configuration('{ scopesSupported: [us-core-7] }', tokenOnly)!['scopes_supported'] as string[]
    expect(scopes).not.toContain('us-core-7')
    for (const scope of [
      'patient/Specimen.rs',
      'system/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
      'user/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
    ])
      expect(scopes).toContain(scope)
  })
})

describe('protected-resource metadata', () => {
  const settings = settingsWith('true')
  const facts = { ...settings.server, issuers: settings.issuers, catalogue: settings.scopes }

  test('of a FHIR base', () => {
    expect(protectedResource('/fhir/R4', [settings.routes[0]!], facts)).toEqual({
      resource: 'https://api.example.org/fhir/R4',
      resource_name: 'r4',
      authorization_servers: [issuer],
      scopes_supported: ['patient/Patient.read', 'launch-ehr', 'fhirUser', 'cms.read'],
      bearer_methods_supported: ['header'],
    })
  })

  test('of a path that several routes share', () => {
    const routes = settings.routes.filter((route) => resourcePathOf(route) === '/prime/v1')
    expect(protectedResource('/prime/v1', routes, facts)).toMatchObject({
      resource: 'https://api.example.org/prime/v1',
      resource_name: 'prime, open',
      authorization_servers: [issuer, 'https://other.example.org'],
      scopes_supported: ['prime.read', 'cms.read'],
    })
  })
})

test.each<[string[], string]>([
  [[], ''],
  [['/a/b'], '/a/b'],
  [['/a/b', '/a/c/d'], '/a'],
  [['/a/{id}/c', '/a/b'], '/a'],
  [['/a/b/*'], '/a/b'],
  [['/a', '/b'], ''],
  [['/ab', '/a'], ''],
])('the common path of %j is "%s"', (templates, path) => {
  expect(commonPath(templates)).toBe(path)
})
