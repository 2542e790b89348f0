import { expect, test } from 'vitest'
import { definitionsOf, type FhirVersion, namesSeveralPatients } from '../../../src/domain/fhir/definitions.ts'

const VERSIONS: FhirVersion[] = ['R4', 'R4B', 'R5']

test.each([
  ['R4', 146],
  ['R4B', 141],
  ['R5', 158],
] as const)('%s has its %i concrete resource types, sorted, each once', (version, count) => {
  const { resourceTypes, isResourceType } = definitionsOf(version)
  expect(resourceTypes).toHaveLength(count)
  expect(new Set(resourceTypes).size).toBe(count)
  expect([...resourceTypes].sort()).toEqual(resourceTypes)
  expect(resourceTypes.every(isResourceType)).toBe(true)
})

test.each([
  ['MedicinalProduct', true, false, false],
  ['EffectEvidenceSynthesis', true, false, false],
  ['MedicinalProductDefinition', false, true, true],
  ['SubscriptionStatus', false, true, true],
  ['SubscriptionTopic', false, true, true],
  ['DocumentManifest', true, true, false],
  ['RequestGroup', true, true, false],
  ['RequestOrchestration', false, false, true],
  ['DeviceAssociation', false, false, true],
  ['Parameters', true, true, true],
  ['Binary', true, true, true],
])('%s is a resource type of R4: %s, R4B: %s, R5: %s', (type, r4, r4b, r5) => {
  expect(VERSIONS.map((version) => definitionsOf(version).isResourceType(type))).toEqual([r4, r4b, r5])
})

test.each([
  'Resource',
  'DomainResource',
  'CanonicalResource',
  'MetadataResource',
  'patient',
  'Patients',
  '',
  '*',
  'constructor',
  '__proto__',
  'toString',
  'compartments',
  'Bot',
  'Project',
])('%j is no resource type of any version, and nothing is known of it', (name) => {
  for (const version of VERSIONS) {
    const definitions = definitionsOf(version)
    expect(definitions.isResourceType(name)).toBe(false)
    expect(definitions.isCompartmentType(name)).toBe(false)
    expect(definitions.patientLinks(name)).toBeUndefined()
    expect(definitions.searchParameters(name)).toEqual([])
    if (name !== '*') expect(definitions.searchParameter(name, '_id')).toBeUndefined()
  }
})

test.each(VERSIONS)('%s has the five compartments', (version) => {
  const { resourceTypes, isCompartmentType } = definitionsOf(version)
  expect(resourceTypes.filter(isCompartmentType)).toEqual([
    'Device',
    'Encounter',
    'Patient',
    'Practitioner',
    'RelatedPerson',
  ])
})

test.each(VERSIONS)('%s: parameters of every type are found on each type and on *', (version) => {
  const definitions = definitionsOf(version)
  for (const [code, kind] of [
    ['_id', 'token'],
    ['_lastUpdated', 'date'],
    ['_tag', 'token'],
    ['_security', 'token'],
    ['_source', 'uri'],
  ] as const) {
    for (const type of ['*', 'Observation', 'Binary', 'Parameters']) {
      const parameter = definitions.searchParameter(type, code)
      expect(parameter?.kind).toBe(kind)
      expect(parameter?.paths).toHaveLength(1)
    }
  }
  expect(definitions.searchParameter('Observation', '_profile')?.paths?.[0]?.datatype).toBe('canonical')
  for (const code of ['_text', '_content']) {
    expect(definitions.searchParameter('Observation', code)).toMatchObject({ code, paths: undefined })
  }
})

const step = (name: string, many = false) => ({ name, many })

test.each([
  [
    'Observation',
    'category',
    {
      code: 'category',
      kind: 'token',
      targets: [],
      paths: [{ steps: [step('category', true)], datatype: 'CodeableConcept', single: false }],
    },
  ],
  [
    'Observation',
    'subject',
    {
      code: 'subject',
      kind: 'reference',
      targets: ['Device', 'Group', 'Location', 'Patient'],
      paths: [{ steps: [step('subject')], datatype: 'Reference', single: true }],
    },
  ],
  [
    'Observation',
    'patient',
    {
      code: 'patient',
      kind: 'reference',
      targets: ['Patient'],
      paths: [{ steps: [step('subject')], datatype: 'Reference', only: 'Patient', single: true }],
    },
  ],
  [
    'Patient',
    'email',
    {
      code: 'email',
      kind: 'token',
      targets: [],
      paths: [
        {
          steps: [{ ...step('telecom', true), where: { member: 'system', value: 'email' } }],
          datatype: 'ContactPoint',
          single: false,
        },
      ],
    },
  ],
  [
    'Observation',
    'status',
    {
      code: 'status',
      kind: 'token',
      targets: [],
      paths: [
        { steps: [step('status')], datatype: 'code', system: 'http://hl7.org/fhir/observation-status', single: true },
      ],
    },
  ],
  [
    'Observation',
    'code-value-quantity',
    { code: 'code-value-quantity', kind: 'composite', targets: [], paths: undefined },
  ],
  ['Patient', 'deceased', { code: 'deceased', kind: 'token', targets: [], paths: undefined }],
])('R4 %s?%s', (type, code, expected) => {
  expect(definitionsOf('R4').searchParameter(type, code)).toEqual(expected)
})

test('choice types become the members that JSON writes', () => {
  const datatypes = (type: string, code: string): string[] =>
    definitionsOf('R4')
      .searchParameter(type, code)!
      .paths!.map(({ steps, datatype }) => `${steps.map(({ name }) => name).join('.')}: ${datatype}`)
  expect(datatypes('Observation', 'date')).toEqual([
    'effectiveDateTime: dateTime',
    'effectivePeriod: Period',
    'effectiveTiming: Timing',
    'effectiveInstant: instant',
  ])
  expect(datatypes('Observation', 'value-string')).toEqual(['valueString: string', 'valueCodeableConcept.text: string'])
  expect(datatypes('Immunization', 'date')).toEqual(['occurrenceDateTime: dateTime'])
  expect(datatypes('MedicationRequest', 'medication')).toEqual(['medicationReference: Reference'])
})

test('a reference to any type has no list of targets', () => {
  expect(definitionsOf('R4').searchParameter('Provenance', 'target')?.targets).toEqual([])
  expect(definitionsOf('R4').searchParameter('List', 'item')?.targets).toEqual([])
})

test('what the packages add to R4 is left out', () => {
  const { searchParameter, isResourceType } = definitionsOf('R4')
  expect(searchParameter('DetectedIssue', 'status')).toBeUndefined()
  expect(searchParameter('DeviceDefinition', 'classification')).toBeUndefined()
  expect(searchParameter('ServiceRequest', 'order-detail')).toBeUndefined()
  expect(isResourceType('SubscriptionStatus')).toBe(false)
})

test.each(VERSIONS)('%s: every target and every type of a path is a type of the version', (version) => {
  const definitions = definitionsOf(version)
  for (const type of definitions.resourceTypes) {
    for (const { code, targets, paths } of definitions.searchParameters(type)) {
      const named = [...targets, ...(paths ?? []).flatMap(({ only }) => only ?? [])]
      expect(
        named.filter((name) => !definitions.isResourceType(name)),
        `${type}?${code}`,
      ).toEqual([])
    }
  }
})

test('a type is read once, and known types that name several patients are marked', () => {
  expect(definitionsOf('R4')).toBe(definitionsOf('R4'))
  expect(definitionsOf('R4').searchParameter('Patient', 'name')).toBe(
    definitionsOf('R4').searchParameter('Patient', 'name'),
  )
  expect(definitionsOf('R4').resourceTypes.filter(namesSeveralPatients)).toEqual([
    'Appointment',
    'AppointmentResponse',
    'AuditEvent',
    'Group',
    'List',
    'Person',
    'Schedule',
  ])
})
