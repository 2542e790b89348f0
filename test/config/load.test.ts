import { describe, expect, test } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import { mapWith, mapWithFhirKey, mapWithRoute, said, sample, settingsFrom } from './support/maps.ts'

describe('samples', () => {
  test('a FHIR route with only fhir, path, upstream and smart works with one issuer', () => {
    expect(said(sample('minimal'))).toEqual({ problems: [], warnings: [] })
  })

  test('two issuers and three routes with values from the environment load without a word', () => {
    expect(said(sample('several'))).toEqual({ problems: [], warnings: [] })
  })

  test('every key of the contract is known: the full example gives unbuilt keys and nothing else', () => {
    const { problems, warnings } = said(sample('contract'), { SECRET: 'x' })
    for (const line of [...problems, ...warnings]) expect(line).toContain('not built yet')
  })

  test('the plain map of outside checks loads, with warnings at most', () => {
    expect(said(sample('plain')).problems).toEqual([])
  })
})

describe('effective settings', () => {
  const settings = settingsFrom(sample('several'), { NEXUS_HOST: 'nexus.internal:80', LISTEN: '[::1]:8443' })

  test('units become milliseconds and bytes', () => {
    expect(settings.server.limits).toMatchObject({ header: 16 * 1024, body: 50 * 1024 * 1024, searchParameters: 200 })
    expect(settings.server.timeouts).toEqual({
      grace: 0,
      header: 10_000,
      idle: 60_000,
      minimumRate: 1024,
      request: 300_000,
      drain: 20_000,
    })
    expect(settings.upstreams['nexus']).toMatchObject({ timeout: 5000, connections: 64, publicBase: false })
    expect(settings.issuers[1]).toMatchObject({ clockSkew: 500, maxLifetime: 86_400_000 })
  })

  test('addresses and URLs are read once', () => {
    expect(settings.server.listen).toEqual({ host: '::1', port: 8443 })
    expect(settings.server.admin).toEqual({ listen: { host: '127.0.0.1', port: 9090 } })
    expect(settings.server.publicUrl).toBe('https://api.example.org')
    expect(settings.upstreams['nexus']).toMatchObject({
      name: 'nexus',
      url: ['http://nexus.internal:80/fhir'.replace(':80', '')],
    })
  })

  test('the identity of an issuer stays as written; shorthands are spelled out', () => {
    expect(settings.issuers[0]?.issuer).toBe('https://ehr.example.org/')
    expect(settings.issuers[1]).toMatchObject({
      audience: ['https://api.example.org'],
      jwksFile: 'keys/backend.json',
      algorithms: ['RS384', 'ES384', 'RS256', 'ES256'],
      claims: { scope: ['scope', 'scp'], patient: ['patient'], fhirUser: ['fhirUser'], client: ['client_id', 'azp'] },
    })
  })

  test('the catalogue is flat and keeps its categories', () => {
    expect(settings.scopes.map(({ name, category, credentials }) => [name, category, credentials])).toEqual([
      ['nexus.read', 'FHIR Platform', ['api-key', 'oauth2']],
      ['prime.events', 'Prime', ['oauth2']],
      ['prime.keys', 'Prime', ['service-key']],
    ])
  })

  test('a FHIR route knows its audience, grants and rules', () => {
    expect(settings.routes[0]).toMatchObject({
      kind: 'fhir',
      path: '/fhir/R4',
      audience: ['https://api.example.org/fhir/R4'],
      issuers: ['ehr', 'backend'],
      smart: { issuer: 'ehr' },
      grants: [{ name: 'nexus.read', scope: 'system/*.rs', via: ['rest', 'bundle'], criteria: false }],
      identityHeaders: { subject: 'X-User' },
      authorization: { bearer: 'nexus-token' },
      userScopes: 'delegate',
      sealPages: true,
      trustNarrowing: false,
      mode: 'enforce',
    })
  })

  test('a plain route knows its lines, and takes any audience of its issuers', () => {
    expect(settings.routes[1]).toMatchObject({
      kind: 'plain',
      audience: ['https://api.example.org'],
      identityHeaders: {},
      match: [
        { method: 'POST', path: '/prime/v1/events', requires: { anyOf: ['prime.events'] } },
        { method: 'GET', path: '/prime/v1/events/{id}', requires: { anyOf: ['prime.events', 'nexus.read'] } },
        { method: 'GET', path: '/prime/v1/files/*', requires: { allOf: ['prime.events', 'nexus.read'] } },
        { method: 'GET', path: '/prime/v1/health', requires: 'public' },
      ],
    })
    expect(settings.routes[2]).toMatchObject({
      name: '/prime/v1/keys',
      match: [{ method: 'GET', path: '/prime/v1/keys', requires: { anyOf: ['prime.keys'] } }],
    })
  })

  test('nothing of it can be changed', () => {
    expect(() => Object.assign(settings.server.limits, { body: 1 })).toThrow(TypeError)
    expect(() => (settings.routes[0]!.audience as string[]).push('x')).toThrow(TypeError)
  })

  test('smart: false is no SMART at all; a worth of several scopes counts one by one', () => {
    const [route] = settingsFrom(
      mapWith({ replace: ['smart: true', 'smart: false, grants: { product.read: "system/*.read system/Patient.c" }'] }),
    ).routes
    expect(route).not.toHaveProperty('smart')
    expect(route).toMatchObject({ grants: [{ scope: 'system/*.read' }, { scope: 'system/Patient.c' }] })
  })

  test('bare names of operations stand for all their places', () => {
    const [route] = settingsFrom(
      mapWithFhirKey('operations: { $export: { bulk: true }, "{type}/$validate": { requires: "{type}.read" } }'),
    ).routes
    expect(route).toMatchObject({
      operations: [
        { shape: '$export', bulk: true, contexts: ['system'] },
        { shape: 'Patient/$export', bulk: true },
        { shape: 'Group/{id}/$export', bulk: true },
        {
          shape: '{type}/$validate',
          bulk: false,
          requires: { type: '{type}', letters: 'rs' },
          methods: ['GET', 'POST'],
        },
      ],
    })
  })

  test('files that the map names lie beside it', () => {
    const loaded = loadRouteMap(sample('several'), { file: '/etc/scopegate/routes.yaml', env: {} })
    expect('settings' in loaded && loaded.settings.issuers[1]?.jwksFile).toBe('/etc/scopegate/keys/backend.json')
  })
})

describe('warnings', () => {
  test.each([
    ['delegate without identity', mapWithFhirKey('identityHeaders: false'), 'userScopes: delegate'],
    [
      'delegate with the client header only',
      mapWithFhirKey('identityHeaders: { client: X-C }'),
      'userScopes: delegate',
    ],
    [
      'SMART without issuers',
      mapWith({ replace: [/issuers:\n.*\n/.exec(mapWith({}))![0], ''] }),
      'no issuer is defined',
    ],
    ['an audience that no issuer lists', mapWithFhirKey('audience: https://other.example.org'), 'lists the audience'],
    [
      'the usual audience, where no issuer lists it',
      mapWith({ replace: ['8080 }', '8080, publicUrl: https://api.example.org/ }'] }),
      '"https://api.example.org/fhir" (publicUrl + path)',
    ],
    [
      'listening to everyone without a public URL',
      mapWith({ replace: ['127.0.0.1:8080', '0.0.0.0:8080'] }),
      'publicUrl is not written',
    ],
    ['tokens in clear', mapWith({ replace: ['8080 }', '8080, publicUrl: http://api.example.org }'] }), 'in clear'],
    [
      'self service without a key',
      mapWith({ replace: ['credentials: [oauth2] }', 'credentials: [oauth2], selfService: true }'] }),
      'no key can carry',
    ],
    [
      'no scope opens a FHIR route',
      mapWith({ replace: ['smart: true', 'operations: { $match: { requires: Patient.s } }'] }),
      'routes.yaml:12:5: no scope opens this route: write smart: true',
    ],
    [
      'a scope for keys without keys',
      mapWith({ replace: ['credentials: [oauth2] }', 'credentials: [api-key] }'] }),
      'only keys carry "product.write", and without apiKeys no key counts',
    ],
  ])('%s', (_, text, expected) => {
    const { problems, warnings } = said(text)
    expect(problems).toEqual([])
    expect(warnings.join('\n')).toContain(expected)
  })

  test('delegate is fine where the upstream gets the token itself', () => {
    expect(said(mapWithFhirKey('identityHeaders: false, authorization: passthrough')).warnings).toEqual([])
    expect(said(mapWithRoute('{ upstream: hapi, match: GET /x, requires: public }')).warnings).toEqual([])
  })
})
