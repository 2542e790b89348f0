// The shipped route map against the endpoints that the catalogue's own reference page shows, and the rules one by one.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { decidePlain } from '../../../src/domain/decision/decide-plain.ts'
import { scopeEndpoints } from '../../../src/domain/reference/scope-endpoints.ts'
import { settingsFrom } from '../../config/support/maps.ts'
import { bundleOf, verdictOn } from '../../support/fhir-requests.ts'
import { grantWith } from '../../support/grants.ts'
import { type Mapped, mappedOf } from '../../support/mapped-routes.ts'

const shipped = mappedOf(settingsFrom(readFileSync(new URL('../../../routes.yaml', import.meta.url), 'utf8')))

function endpointsOf(name: string, { settings, routes, catalogue }: Mapped = shipped): string[] {
  const scope = settings.scopes.find((one) => one.name === name)
  if (scope === undefined) throw new Error(`not in the catalogue: ${name}`)
  return scopeEndpoints(scope, routes, catalogue).map(({ method, path, limits, with: others }) =>
    [`${method} ${path}`, ...limits, ...others].join(' + '),
  )
}

const linesOf = (name: string): string[] => endpointsOf(name).map((line) => line.split(' + ')[0]!)

describe('the endpoints that the catalogue was conceived with', () => {
  test.each([
    ['cms.fhir.r4.read', 'GET /fhir/R4/{type}', 'GET /fhir/R4/{type}/{id}'],
    ['cms.fhir.r5.read', 'GET /fhir/R5/{type}'],
    ['cms.fhir.bundle.push', 'POST /fhir/R4'],
    ['cms.fhir.rest.write', 'POST /fhir/R4/{type}', 'PUT /fhir/R4/{type}/{id}'],
    ['cms.shc.verify', 'POST /beacon/shc/verify'],
    ['cms.shl.create', 'POST /beacon/shl/create'],
    ['cms.shl.resolve', 'GET /beacon/shl/{id}'],
    ['patient/Patient.read', 'GET /fhir/R4/Patient/{id}'],
    ['patient/Observation.read', 'GET /fhir/R4/Observation'],
    ['cms.identity.match', 'POST /api/identity/match'],
    ['cms.identity.resolve', 'POST /api/identity/resolve'],
    ['identity.merge', 'POST /api/identity/merge'],
    ['identity.split', 'POST /api/identity/split'],
    ['plexus.gpid.admin', 'POST /plexus/gpid/*'],
    ['prime.ingest.write', 'POST /prime/v1/wearables/events'],
    ['prime.ingest.read', 'GET /prime/v1/health'],
    ['horizon.query', 'POST /horizon/v1/query/nl', 'POST /horizon/v1/query/execute'],
    ['horizon.score', 'POST /horizon/v1/horizon-score/compute'],
    ['tefca.xcpd.read', 'POST /tefca/xcpd/search'],
    ['tefca.xcpd.write', 'POST /tefca/xcpd/discover'],
    ['tefca.xca.read', 'POST /tefca/xca/search'],
    ['tefca.xca.write', 'POST /tefca/xca/query'],
    ['velocity.clearinghouse.eligibility', 'POST /velocity/v1/clearinghouse/eligibility'],
    ['velocity.clearinghouse.claims.read', 'POST /velocity/v1/clearinghouse/claims/status'],
    ['velocity.clearinghouse.claims.write', 'POST /velocity/v1/clearinghouse/claims/submit'],
    ['cms.pipeline.read', 'GET /cms/partners/pipeline'],
    ['system/*.read', 'GET /fhir/R4/$export'],
    ['system/Patient.read', 'GET /fhir/R4/$export?_type=Patient'],
    ['system/*.write', 'POST /fhir/R4'],
  ])('%s', (scope, ...endpoints) => {
    expect(linesOf(scope)).toEqual(expect.arrayContaining(endpoints))
  })

  test.each(['launch/patient', 'launch-ehr', 'fhirUser', 'offline_access'])('%s opens nothing by itself', (scope) => {
    expect(endpointsOf(scope)).toEqual([])
  })
})

describe('exactly what a scope opens', () => {
  test.each<[string, string[]]>([
    ['cms.fhir.r4.read', ['GET /fhir/R4/{type}', 'GET /fhir/R4/{type}/{id}']],
    ['cms.fhir.bundle.push', ['POST /fhir/R4']],
    [
      'cms.fhir.rest.write',
      ['POST /fhir/R4/{type}', 'PUT /fhir/R4/{type}/{id}', 'PATCH /fhir/R4/{type}/{id}', 'DELETE /fhir/R4/{type}/{id}'],
    ],
    [
      'prime.fhir.device.write',
      [
        'POST /prime/fhir/R4/Device',
        'PUT /prime/fhir/R4/Device/{id}',
        'PATCH /prime/fhir/R4/Device/{id}',
        'POST /prime/fhir/R4',
      ],
    ],
    [
      'patient/Observation.read',
      [
        'GET /fhir/R4/Observation + patient',
        'GET /fhir/R4/Observation/{id} + patient',
        'POST /fhir/R4/Observation/$validate + patient',
        'GET /fhir/R4/Observation/$lastn + patient',
        'GET /prime/fhir/R4/Observation + patient',
        'GET /prime/fhir/R4/Observation/{id} + patient',
      ],
    ],
    [
      'patient/*.read',
      [
        'GET /fhir/R4/{type} + patient',
        'GET /fhir/R4/{type}/{id} + patient',
        'GET /fhir/R4/Patient/{id}/$everything + patient',
        'POST /fhir/R4/{type}/$validate + patient',
        'GET /fhir/R4/Observation/$lastn + patient',
        'GET /fhir/R4/DocumentReference/$docref + patient',
        'GET /prime/fhir/R4/{type} + patient',
        'GET /prime/fhir/R4/{type}/{id} + patient',
      ],
    ],
    [
      'system/Patient.read',
      [
        'GET /fhir/R4/Patient',
        'GET /fhir/R4/Patient/{id}',
        'POST /fhir/R4/Patient/$validate',
        'POST /fhir/R4/Patient/$match',
        'GET /fhir/R4/$export?_type=Patient',
        'GET /fhir/R4/Patient/$export?_type=Patient',
        'GET /prime/fhir/R4/Patient',
        'GET /prime/fhir/R4/Patient/{id}',
      ],
    ],
  ])('%s', (scope, endpoints) => {
    expect(endpointsOf(scope)).toEqual(endpoints)
  })
})

describe('rules of a route', () => {
  const map = (route: string, scopes: string): Mapped =>
    mappedOf(
      settingsFrom(`
version: 1
server: { listen: 127.0.0.1:8080 }
issuers: [{ name: ehr, issuer: https://ehr.example.org, audience: [http://127.0.0.1:8080/f], jwks: https://ehr.example.org/jwks }]
upstreams: { a: { url: http://127.0.0.1:1 } }
scopes: { C: { ${scopes} } }
routes: [{ name: r, upstream: a, ${route} }]
`),
    )
  const fhir = (keys: string, scopes: string) => map(`fhir: R4, path: /f, ${keys}`, scopes)

  test('a product scope that only some operation asks for', () => {
    const mapped = fhir('operations: { "{type}/$validate": { requires: { scope: v }, methods: [POST] } }', 'v: {}')
    expect(endpointsOf('v', mapped)).toEqual(['POST /f/{type}/$validate'])
  })

  test('{type} in an operation stands for the type of the scope', () => {
    const operations = 'smart: true, operations: { "{type}/$validate": { requires: "{type}.r", contexts: [user] } }'
    const mapped = fhir(
      operations,
      '"user/Device.rs": { credentials: [smart] }, "system/Device.rs": { credentials: [smart] }',
    )
    expect(endpointsOf('user/Device.rs', mapped)).toContain('GET /f/Device/$validate')
    expect(endpointsOf('system/Device.rs', mapped)).not.toContain('GET /f/Device/$validate')
  })

  test('where SMART scopes do not count, or user/ scopes are refused, there is nothing', () => {
    const scopes = '"user/Device.rs": { credentials: [smart] }'
    expect(endpointsOf('user/Device.rs', fhir('smart: false', scopes))).toEqual([])
    expect(endpointsOf('user/Device.rs', fhir('smart: true, userScopes: refuse', scopes))).toEqual([])
  })

  test('a Group is many patients, and a type that FHIR lacks is nothing', () => {
    const mapped = fhir(
      'smart: true',
      '"patient/Group.rs": { credentials: [smart] }, "system/Nothing.rs": { credentials: [smart] }',
    )
    expect(endpointsOf('patient/Group.rs', mapped)).toEqual([])
    expect(endpointsOf('system/Nothing.rs', mapped)).toEqual([])
  })

  test('a worth with a filter is limited by it', () => {
    const mapped = fhir('grants: { lab: "system/Observation.rs?category=laboratory" }', 'lab: {}')
    expect(endpointsOf('lab', mapped)).toEqual(['GET /f/Observation + filter', 'GET /f/Observation/{id} + filter'])
  })

  test('scopes that are needed together name each other', () => {
    const mapped = map(
      'match: { GET /x: { allOf: [a, b] }, GET /y: { anyOf: [a, b] }, GET /z: public }',
      'a: {}, b: {}',
    )
    expect(endpointsOf('a', mapped)).toEqual(['GET /x + b', 'GET /y'])
  })

  test('every endpoint without a limit is one that a decision forwards for that scope alone', () => {
    const { settings, routes, catalogue } = shipped
    let decided = 0
    for (const scope of settings.scopes) {
      const kind = (['bearer', 'api-key', 'service-key'] as const).find((one) => catalogue.mayCarry(scope.name, one))!
      for (const { method, path, limits } of scopeEndpoints(scope, routes, catalogue)) {
        if (limits.length > 0 || path.includes('$')) continue
        const mapped = routes.find(({ route }) => route.kind === 'fhir' && path.startsWith(route.path))
        const grant = grantWith(scope.name, { kind })
        if (mapped?.kind === 'fhir') {
          const below =
            path.slice(mapped.route.path.length).replace('{type}', 'Observation').replace('{id}', 'x') || '/'
          const bundle = bundleOf(
            'batch',
            [
              ...(['Observation', 'Device'] as const).map((resourceType) => ({
                request: { method: 'POST', url: resourceType },
                resource: { resourceType },
              })),
            ].filter(
              ({ resource }) => scope.name.includes(resource.resourceType.toLowerCase()) || /[*]|cms/.test(scope.name),
            ),
          )
          const extras = below === '/' ? { body: bundle } : {}
          expect([scope.name, method, path, verdictOn(`${method} ${below}`, grant, mapped.policy, extras)]).toEqual([
            scope.name,
            method,
            path,
            'forward',
          ])
        } else {
          const requires = routes
            .flatMap(({ route }) => (route.kind === 'plain' ? route.match : []))
            .find((match) => match.method === method && match.path === path)!.requires
          expect(decidePlain(requires, grant, catalogue).outcome).toBe('forward')
        }
        decided++
      }
    }
    expect(decided).toBeGreaterThan(50)
  })
})
