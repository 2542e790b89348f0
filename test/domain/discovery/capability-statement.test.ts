import { expect, test } from 'vitest'
import {
  type CapabilityStatementFacts,
  isCapabilityStatement,
  patchCapabilityStatement,
} from '../../../src/domain/discovery/capability-statement.ts'

const base = 'https://api.example.org/fhir/R4'
const facts: CapabilityStatementFacts = {
  base,
  smart: true,
  operations: [],
  endpoints: {},
  enforced: { patientScopes: false, operations: true, crossOrigin: false },
  mapUrl: (url) => {
    if (url.startsWith('http://inside:8080/fhir')) return base + url.slice('http://inside:8080/fhir'.length)
    return url.startsWith('http://inside:8080') ? undefined : url
  },
}

const operation = (shape: string) =>
  ({
    shape,
    bulk: false,
    methods: ['GET', 'POST'],
    contexts: ['user'],
    requires: { type: '*', letters: 'rs' },
  }) as const

const upstream = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  kind: 'instance',
  url: 'http://inside:8080/console',
  fhirVersion: '4.0.1',
  software: { name: 'Some server' },
  implementation: { description: 'Test', url: 'http://inside:8080/fhir' },
  messaging: [{ endpoint: [{ address: 'http://inside:8080/messages' }] }],
  rest: [
    { mode: 'client' },
    {
      mode: 'server',
      security: { cors: true, description: 'none at all' },
      interaction: [{ code: 'transaction' }, { code: 'history-system' }, { code: 'something-new' }],
      operation: [
        { name: 'export', definition: 'http://inside:8080/fhir/OperationDefinition/export' },
        { name: 'reindex', definition: 'http://inside:8080/fhir/OperationDefinition/reindex' },
      ],
      resource: [
        {
          type: 'Patient',
          interaction: [{ code: 'read' }, { code: 'search-type' }, { code: 'purge' }],
          operation: [{ name: '$everything' }, { name: 'match' }, { name: 'validate' }],
          searchParam: [{ name: 'name', type: 'string', definition: 'http://hl7.org/fhir/SearchParameter/name' }],
        },
      ],
    },
  ],
}

type Statement = { readonly rest: readonly Record<string, unknown>[] } & Record<string, unknown>
const patched = (change: Partial<CapabilityStatementFacts> = {}): Statement =>
  patchCapabilityStatement(upstream, { ...facts, ...change }) as Statement

test('the base is the gateway, and nothing shows the upstream', () => {
  const statement = patched()
  expect(statement).toMatchObject({
    implementation: { description: 'Test', url: base },
    software: { name: 'Some server' },
  })
  expect(statement).not.toHaveProperty('url')
  expect(statement).not.toHaveProperty('messaging')
  expect(JSON.stringify(statement)).not.toContain('inside')
  expect(JSON.stringify(statement)).toContain('http://hl7.org/fhir/SearchParameter/name')
  expect(isCapabilityStatement(statement)).toBe(true)
})

test('security is the gateway’s own', () => {
  const { rest } = patched()
  expect(rest).toHaveLength(1)
  expect(rest[0]!['security']).toMatchObject({
    cors: false,
    service: [
      {
        coding: [{ system: 'http://terminology.hl7.org/CodeSystem/restful-security-service', code: 'SMART-on-FHIR' }],
      },
    ],
  })
  expect(JSON.stringify(rest)).not.toContain('none at all')
  expect(patched({ smart: false }).rest[0]!['security']).toMatchObject({ service: [{ coding: [{ code: 'OAuth' }] }] })
})

test('old clients find the endpoints once both mandatory ones are known', () => {
  const half = patched({ endpoints: { token: 'https://as/token' } })
  expect(half.rest[0]!['security']).not.toHaveProperty('extension')
  const whole = patched({ endpoints: { token: 'https://as/token', authorization: 'https://as/auth' } })
  expect(whole.rest[0]!['security']).toMatchObject({
    extension: [
      {
        extension: [
          { url: 'authorize', valueUri: 'https://as/auth' },
          { url: 'token', valueUri: 'https://as/token' },
        ],
      },
    ],
  })
})

test.each<[string[], string[], string[] | undefined]>([
  [[], [], undefined],
  [['$export'], ['export'], undefined],
  [['Patient/{id}/$everything'], [], ['$everything']],
  [['{type}/$validate', 'Patient/$match'], [], ['match', 'validate']],
  [['Group/{id}/$export', 'Observation/$match'], [], undefined],
])('operations %j leave %j at the root and %j on Patient', (shapes, atRoot, onPatient) => {
  const [rest] = patched({ operations: shapes.map(operation) }).rest
  const names = (list: unknown) => (list as { name: string }[] | undefined)?.map(({ name }) => name)
  expect(names(rest!['operation']) ?? []).toEqual(atRoot)
  const [patient] = rest!['resource'] as Record<string, unknown>[]
  expect(names(patient!['operation'])).toEqual(onPatient)
  expect(patient!['interaction']).toEqual([{ code: 'read' }, { code: 'search-type' }])
  expect(rest!['interaction']).toEqual([{ code: 'transaction' }, { code: 'history-system' }])
})

test('no operation is promised while none is opened', () => {
  const enforced = { ...facts.enforced, operations: false }
  expect(JSON.stringify(patched({ operations: [operation('$export')], enforced }))).not.toContain('"operation"')
})

test('a statement with next to nothing in it becomes one that stands', () => {
  const statement = patchCapabilityStatement({ resourceType: 'CapabilityStatement', rest: 'oops' }, facts) as Statement
  expect(statement).toMatchObject({ kind: 'instance', implementation: { description: expect.any(String), url: base } })
  expect(statement.rest).toMatchObject([{ mode: 'server', security: { cors: false } }])
})

test('a member called __proto__ stays a member', () => {
  const nasty = JSON.parse('{"resourceType":"CapabilityStatement","__proto__":{"x":"http://inside:8080/fhir/a"}}')
  expect(JSON.stringify(patchCapabilityStatement(nasty, facts))).toContain(`"__proto__":{"x":"${base}/a"}`)
})
