import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { definitionsOf, type FhirVersion } from '../../../src/domain/fhir/definitions.ts'
import { evaluateClause, isEvaluable, tokenMatches } from '../../../src/domain/fhir/search-match.ts'
import { parseAtoms, type TokenAtom } from '../../../src/domain/fhir/search-value.ts'
import { tokenImplies } from '../../../src/domain/fhir/token-implication.ts'

const OWN = ['https://gateway.example/fhir/R4', 'http://10.0.0.1/fhir']

function matches(resource: { resourceType: string }, clause: string, version: FhirVersion = 'R4'): boolean {
  const equals = clause.indexOf('=')
  const parameter = definitionsOf(version).searchParameter(resource.resourceType, clause.slice(0, equals))!
  return evaluateClause(resource, parameter, parseAtoms(parameter.kind, clause.slice(equals + 1))!, OWN)
}

const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category'

const observation = {
  resourceType: 'Observation',
  id: 'o1',
  meta: {
    tag: [{ system: 'urn:tag', code: 'x' }],
    profile: ['http://p|2.0', 'http://q'],
    source: 'urn:source',
    lastUpdated: '2024-05-06T10:00:00Z',
  },
  status: 'final',
  identifier: [{ system: 'urn:ids', value: 'AbC' }, { value: 'bare' }],
  category: [
    { coding: [{ system: 'urn:local', code: 'Vitals' }] },
    { coding: [{ system: LAB, code: 'laboratory' }, { code: 'unsystematic' }], text: 'Lab' },
    { text: 'only text' },
  ],
  code: { coding: [{ system: 'http://loinc.org', code: '1234-5' }] },
  subject: { reference: 'Patient/p1/_history/3' },
  performer: [
    { reference: 'https://gateway.example/fhir/R4/Practitioner/d1' },
    { reference: 'https://else.example/Practitioner/d2' },
    { identifier: { value: 'd3' } },
  ],
  focus: [{ reference: '#c1' }, { reference: 'urn:uuid:6f0b' }],
  effectivePeriod: { start: '2024-01-01', end: '2024-02-29' },
  valueString: 'Ångström units',
  component: [{ code: { coding: [{ code: 'c1' }] }, valueCodeableConcept: { coding: [{ code: 'v1' }] } }],
}

describe('tokens', () => {
  test.each([
    [`category=${LAB}|laboratory`, true],
    [`category=${LAB}|vital-signs`, false],
    [`category=${LAB}|`, true],
    ['category=laboratory', true],
    ['category=|laboratory', false],
    ['category=|unsystematic', true],
    ['category=unsystematic', true],
    ['category=urn:other|', false],
    [`category=urn:other|x,${LAB}|laboratory`, true],
    // Systems to the letter; codes without regard to case only where the system may not care.
    [`category=${LAB}|Laboratory`, false],
    ['category=Laboratory', false],
    ['category=urn:local|VITALS', true],
    ['category=VITALS', true],
    ['category=URN:local|Vitals', false],
    [`category=${LAB.replace('http:', 'https:')}|laboratory`, false],
    [`category=${LAB}/|laboratory`, false],
    ['category=Lab', false],
    ['category=only text', false],
    ['status=final', true],
    ['status=Final', false],
    ['status=http://hl7.org/fhir/observation-status|final', true],
    ['status=http://hl7.org/fhir/observation-status|', true],
    ['status=urn:other|final', false],
    ['status=|final', false],
    ['identifier=urn:ids|AbC', true],
    ['identifier=urn:ids|abc', false],
    ['identifier=AbC', true],
    ['identifier=|bare', true],
    ['identifier=|AbC', false],
    ['identifier=urn:ids|', true],
    ['combo-code=c1', true],
    ['component-value-concept=v1', true],
    ['combo-value-concept=v1', true],
    ['_id=o1', true],
    ['_id=O1', false],
    ['_id=|o1', false],
    ['_tag=urn:tag|x', true],
    ['_security=urn:tag|x', false],
  ])('%s: %s', (clause, expected) => {
    expect(matches(observation, clause)).toBe(expected)
  })

  const patient = {
    resourceType: 'Patient',
    active: false,
    gender: 'female',
    telecom: [
      { system: 'phone', value: '555' },
      { system: 'email', value: 'a@b.example' },
    ],
  }
  test.each([
    ['active=false', true],
    ['active=true', false],
    ['active=|false', false],
    ['gender=female', true],
    ['phone=555', true],
    ['email=555', false],
    ['email=a@b.example', true],
    ['telecom=555', true],
    ['telecom=phone|555', false],
    ['_id=x', false],
  ])('Patient?%s: %s', (clause, expected) => {
    expect(matches(patient, clause)).toBe(expected)
  })

  test('R5 CodeableReference: the concept for tokens, the reference for references', () => {
    const request = {
      resourceType: 'MedicationRequest',
      medication: { concept: { coding: [{ system: 's', code: 'c' }] }, reference: { reference: 'Medication/m' } },
    }
    expect(matches(request, 'code=s|c', 'R5')).toBe(true)
    expect(matches(request, 'code=s|d', 'R5')).toBe(false)
    expect(matches(request, 'medication=Medication/m', 'R5')).toBe(true)
    expect(matches(request, 'medication=Medication/n', 'R5')).toBe(false)
  })
})

describe('references', () => {
  test.each([
    ['subject=Patient/p1', true],
    ['subject=p1', true],
    ['subject=Patient/p1/_history/9', true],
    ['subject=http://10.0.0.1/fhir/Patient/p1', true],
    ['subject=https://else.example/Patient/p1', false],
    ['subject=Group/p1', false],
    ['subject=Patient/P1', false],
    ['patient=p1', true],
    ['patient=Patient/p1', true],
    ['performer=Practitioner/d1', true],
    ['performer=d1', true],
    ['performer=https://else.example/Practitioner/d2', true],
    ['performer=Practitioner/d2', false],
    ['performer=d2', false],
    ['performer=d3', false],
    ['focus=c1', false],
    ['focus=urn:uuid:6f0b', true],
  ])('%s: %s', (clause, expected) => {
    expect(matches(observation, clause)).toBe(expected)
  })

  test('where(resolve() is Patient) needs a type that can be read', () => {
    for (const reference of ['Group/p1', '#p1', 'urn:uuid:p1', 'p1', 'Patient?identifier=p1']) {
      expect(
        matches(
          { resourceType: 'Observation', subject: { reference } } as never,
          `patient=${reference.replace('?', '')}`,
        ),
      ).toBe(false)
      expect(matches({ resourceType: 'Observation', subject: { reference } } as never, 'patient=p1')).toBe(false)
    }
  })

  test('a canonical without a version stands for every version', () => {
    const response = { resourceType: 'QuestionnaireResponse', questionnaire: 'http://q|2.0' }
    expect(matches(response, 'questionnaire=http://q')).toBe(true)
    expect(matches(response, 'questionnaire=http://q|2.0')).toBe(true)
    expect(matches(response, 'questionnaire=http://q|3.0')).toBe(false)
    expect(matches(response, 'questionnaire=http://')).toBe(false)
  })
})

describe('strings, uris, dates', () => {
  const patient = {
    resourceType: 'Patient',
    name: [{ family: 'Müller', given: ['Jörg', 'Éric'] }],
    address: [{ city: 'Łódź', line: ['Main St 1'] }],
    birthDate: '1980-05',
  }
  test.each([
    ['name=mull', true],
    ['name=MÜLLER', true],
    ['name=uller', false],
    ['given=eric', true],
    ['family=eric', false],
    ['address=main st', true],
    ['address-city=ł', true],
    ['birthdate=1980', true],
    ['birthdate=1980-05-01', false],
    ['birthdate=ge1980-05', true],
    ['birthdate=lt1980', false],
  ])('Patient?%s: %s', (clause, expected) => {
    expect(matches(patient, clause)).toBe(expected)
  })

  test.each([
    ['value-string=angstrom', true],
    ['_profile=http://q', true],
    ['_profile=http://p', false],
    ['_profile=http://p|2.0', true],
    ['_source=urn:source', true],
    ['_source=urn:sourc', false],
    ['date=2024', true],
    ['date=2024-01', false],
    ['date=ge2024-01-01', true],
    ['date=eb2024-03-01', true],
    ['date=sa2023-12-31', true],
    ['_lastUpdated=gt2024-05-06T09:00:00Z', true],
    ['_lastUpdated=gt2024-05-06T10:00:00Z', false],
  ])('Observation?%s: %s', (clause, expected) => {
    expect(matches(observation, clause)).toBe(expected)
  })

  test.each([
    [{ effectivePeriod: { start: '2024-01-10' } }, 'date=ge2024-01-01', true],
    [{ effectivePeriod: { end: '2024-01-10' } }, 'date=ge2024-02-01', false],
    [{ effectivePeriod: { start: 'soon', end: '2024-01-10' } }, 'date=lt2025', false],
    [{ effectivePeriod: {} }, 'date=ne2024', false],
    [{ effectiveTiming: { event: ['2024-01-10', '2024-01-05'] } }, 'date=2024-01', true],
    [{ effectiveTiming: { event: ['2024-01-10', '2024-02-05'] } }, 'date=2024-01', false],
    [
      { effectiveTiming: { repeat: { boundsPeriod: { start: '2024-01-01', end: '2024-01-05' } } } },
      'date=2024-01',
      true,
    ],
    [{ effectiveTiming: { repeat: { frequency: 1 } } }, 'date=ne2024-01', false],
    [{ effectiveInstant: '2024-01-10T10:00:00Z' }, 'date=2024-01-10T10:00:00Z', true],
    [{}, 'date=ne2024', false],
  ])('%j, %s: %s', (elements, clause, expected) => {
    expect(matches({ resourceType: 'Observation', ...elements }, clause)).toBe(expected)
  })
})

test.each([
  ['Observation', 'code-value-quantity', false],
  ['Observation', 'value-quantity', false],
  ['Observation', '_text', false],
  ['Patient', 'deceased', false],
  ['Observation', 'category', true],
  ['Observation', 'date', true],
  ['Observation', '_profile', true],
])('whether %s?%s can be evaluated: %s', (type, code, expected) => {
  expect(isEvaluable(definitionsOf('R4').searchParameter(type, code)!)).toBe(expected)
})

describe('shapes that are not FHIR', () => {
  const clauses = [
    `category=${LAB}|laboratory`,
    'status=final',
    'subject=Patient/p1',
    'patient=Patient/p1',
    'date=2024',
    'identifier=a|b',
    '_id=o1',
    '_profile=urn:p',
    'value-string=x',
    'combo-code=c',
  ]
  test.each([
    { category: { coding: [{ system: LAB, code: 'laboratory' }] } },
    { category: [{ coding: { system: LAB, code: 'laboratory' } }] },
    { category: [[{ coding: [{ system: LAB, code: 'laboratory' }] }]] },
    { category: 'laboratory' },
    { category: [{ coding: [{ system: [LAB], code: 'laboratory' }] }] },
    { category: [{ coding: [{ system: LAB, code: ['laboratory'] }] }] },
    { category: [null, 1, true, 'x', [], {}] },
    { status: ['final'], subject: [{ reference: 'Patient/p1' }], id: ['o1'] },
    { status: { value: 'final' }, subject: 'Patient/p1', id: { value: 'o1' } },
    { subject: { reference: ['Patient/p1'] } },
    { subject: { reference: { reference: 'Patient/p1' } } },
    { effectiveDateTime: ['2024'], effectivePeriod: '2024', effectiveTiming: { event: '2024' } },
    { identifier: { system: 'a', value: 'b' }, meta: [{ profile: ['urn:p'] }] },
    { meta: { profile: 'urn:p' }, valueString: ['x'], component: { code: { coding: [{ code: 'c' }] } } },
  ])('%j matches nothing', (elements) => {
    for (const clause of clauses)
      expect(matches({ resourceType: 'Observation', ...elements } as never, clause)).toBe(false)
  })

  test('nothing that JSON can say makes an evaluation throw', () => {
    const element = fc.jsonValue({ maxDepth: 5 })
    const members = fc.constantFrom(
      'category',
      'status',
      'subject',
      'effectivePeriod',
      'effectiveTiming',
      'identifier',
      'meta',
      'valueString',
      'component',
    )
    fc.assert(
      fc.property(fc.dictionary(members, element), (resource) => {
        for (const clause of clauses)
          expect(typeof matches({ ...resource, resourceType: 'Observation' }, clause)).toBe('boolean')
      }),
    )
    for (const resource of [null, undefined, 1, 'x', [], [observation]]) {
      expect(
        evaluateClause(
          resource,
          definitionsOf('R4').searchParameter('Observation', 'status')!,
          parseAtoms('token', 'final')!,
        ),
      ).toBe(false)
    }
  })
})

test('an atom that implies another matches no concept that the other does not', () => {
  const system = fc.constantFrom('s', 't', 'http://hl7.org/fhir/u', '')
  const code = fc.constantFrom('c', 'C', 'd')
  const atom = fc
    .oneof(
      fc.tuple(system, code).map(([one, other]) => `${one}|${other}`),
      code,
      fc.constantFrom('s|', 't|'),
    )
    .map((text) => parseAtoms('token', text)![0] as TokenAtom)
  const coding = fc
    .record({ system, code })
    .map(({ system: given, code: letter }) => (given === '' ? { code: letter } : { system: given, code: letter }))
  fc.assert(
    fc.property(atom, atom, fc.array(coding, { maxLength: 3 }), (narrow, wide, codings) => {
      if (tokenImplies(narrow, wide) && tokenMatches(narrow, { coding: codings }, 'CodeableConcept')) {
        expect(tokenMatches(wide, { coding: codings }, 'CodeableConcept')).toBe(true)
      }
    }),
    { numRuns: 2000 },
  )
})
