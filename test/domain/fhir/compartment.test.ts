import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type CompartmentRule,
  isInPatientCompartment,
  patientsNamedBy,
  provenanceTargets,
} from '../../../src/domain/fhir/compartment.ts'
import { definitionsOf, type FhirVersion } from '../../../src/domain/fhir/definitions.ts'

const OWN = 'https://gateway.example/fhir/R4'

function inside(resource: unknown, rule: Partial<CompartmentRule> = {}): boolean {
  return isInPatientCompartment(resource, {
    version: 'R4',
    patients: ['P'],
    mode: 'primary',
    ownBases: [OWN, 'http://10.0.0.1/fhir'],
    ...rule,
  })
}

const about = (reference: unknown) => ({ resourceType: 'Observation', subject: { reference } })

describe('forms of a reference', () => {
  test.each([
    ['Patient/P', true],
    ['Patient/P/_history/3', true],
    [`${OWN}/Patient/P`, true],
    [`${OWN}/Patient/P/_history/3`, true],
    ['http://10.0.0.1/fhir/Patient/P', true],
    ['Patient/p', false],
    ['Patient/Q', false],
    ['patient/P', false],
    ['/Patient/P', false],
    ['P', false],
    ['Group/P', false],
    ['Patient/P/', false],
    ['Patient/P#x', false],
    ['Patient/P?x', false],
    ['Patient/P|1', false],
    ['Patient/P/_history/', false],
    ['Patient/P/_history/3/4', false],
    ['Patient/P/Observation/1', false],
    [' Patient/P', false],
    ['Patient/P\n', false],
    ['Patient//P', false],
    ['Patient/%50', false],
    ['Practitioner/../Patient/P', false],
    ['https://else.example/fhir/R4/Patient/P', false],
    ['https://gateway.example/fhir/R4/x/Patient/P', false],
    ['https://gateway.example/fhir/Patient/P', false],
    ['http://gateway.example/fhir/R4/Patient/P', false],
    ['//gateway.example/fhir/R4/Patient/P', false],
    ['#P', false],
    ['#', false],
    ['urn:uuid:P', false],
    ['Patient?identifier=P', false],
    ['Patient?_id=P', false],
    ['', false],
    [undefined, false],
    [null, false],
    [['Patient/P'], false],
    [{ reference: 'Patient/P' }, false],
  ])('%j: %s', (reference, expected) => {
    expect(inside(about(reference))).toBe(expected)
  })

  test.each([
    { identifier: { value: 'P' }, type: 'Patient' },
    { display: 'P' },
    { type: 'Patient', id: 'P' },
    { resource: { resourceType: 'Patient', id: 'P' } },
  ])('%j names nobody', (subject) => {
    expect(inside({ resourceType: 'Observation', subject })).toBe(false)
  })
})

describe('primary and secondary', () => {
  const by = (subject: unknown) => ({
    resourceType: 'Observation',
    ...(subject === undefined ? {} : { subject }),
    performer: [{ reference: 'Patient/P' }],
  })
  test.each([
    ['no subject', undefined, true, true],
    ['a group', { reference: 'Group/g' }, true, true],
    ['a device of another server', { reference: 'https://else.example/Device/d' }, true, true],
    ['a logical reference that says it is a group', { type: 'Group', identifier: { value: 'g' } }, true, true],
    ['the same patient', { reference: 'Patient/P' }, true, true],
    ['another patient', { reference: 'Patient/Q' }, false, true],
    ['a patient of another server', { reference: 'https://else.example/Patient/P' }, false, true],
    ['a contained patient', { reference: '#p' }, false, true],
    ['a patient of the same bundle', { reference: 'urn:uuid:p' }, false, true],
    ['a conditional reference', { reference: 'Patient?identifier=x' }, false, true],
    ['a logical reference', { identifier: { value: 'x' } }, false, true],
    ['a logical reference that says it is a patient', { type: 'Patient', identifier: { value: 'x' } }, false, true],
    ['a name', { display: 'Somebody' }, false, true],
    [
      'a masked reference',
      { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' }] },
      false,
      true,
    ],
    ['a broken one', 'Patient/Q', false, true],
    ['null', null, false, true],
    ['an array', [{ reference: 'Group/g' }], false, true],
  ])('about %s, performed by the patient', (_, subject, primary, full) => {
    expect(inside(by(subject))).toBe(primary)
    expect(inside(by(subject), { mode: 'full' })).toBe(full)
  })

  test('secondary parameters never count for somebody else', () => {
    expect(inside({ resourceType: 'Observation', performer: [{ reference: 'Patient/Q' }] }, { mode: 'full' })).toBe(
      false,
    )
    expect(inside({ resourceType: 'Observation', performer: [{ reference: '#P' }] }, { mode: 'full' })).toBe(false)
  })

  test('a child’s coverage held by the parent is the child’s', () => {
    const coverage = {
      resourceType: 'Coverage',
      beneficiary: { reference: 'Patient/child' },
      policyHolder: { reference: 'Patient/P' },
      payor: [{ reference: 'Patient/P' }],
    }
    expect(inside(coverage)).toBe(false)
    expect(inside(coverage, { patients: ['child'] })).toBe(true)
    expect(inside(coverage, { mode: 'full' })).toBe(true)
  })
})

describe('types', () => {
  const P = { reference: 'Patient/P' }
  test.each([
    [{ resourceType: 'Patient', id: 'P' }, true],
    [{ resourceType: 'Patient', id: 'Q' }, false],
    [{ resourceType: 'Patient', id: 'Q', link: [{ other: P }] }, false],
    [{ resourceType: 'Patient', id: ['P'] }, false],
    [{ resourceType: 'Patient' }, false],
    [{ resourceType: 'Device', id: 'd', patient: P }, true],
    [{ resourceType: 'Task', for: P }, true],
    [{ resourceType: 'Task', owner: P, for: { reference: 'Patient/Q' } }, false],
    [{ resourceType: 'Contract', subject: [P] }, true],
    [{ resourceType: 'GuidanceResponse', subject: P }, true],
    [{ resourceType: 'SupplyRequest', deliverTo: P }, true],
    [{ resourceType: 'EnrollmentRequest', candidate: P }, true],
    [{ resourceType: 'ResearchSubject', individual: P }, true],
    [{ resourceType: 'Appointment', participant: [{ actor: { reference: 'Practitioner/1' } }, { actor: P }] }, true],
    [{ resourceType: 'AuditEvent', entity: [{ what: P }] }, true],
    [{ resourceType: 'Person', link: [{ target: P }] }, true],
    [{ resourceType: 'Account', subject: [{ reference: 'Patient/Q' }, P] }, true],
    [{ resourceType: 'CarePlan', subject: { reference: 'Group/g' }, activity: [{ detail: { performer: [P] } }] }, true],
    [{ resourceType: 'Group', type: 'person', member: [{ entity: P }] }, false],
    [{ resourceType: 'Practitioner', id: 'P', subject: P, patient: P }, false],
    [{ resourceType: 'Organization', id: 'P' }, false],
    [{ resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Patient', id: 'P' } }] }, false],
    [{ resourceType: 'Binary', securityContext: P }, false],
    [{ resourceType: 'Basic', subject: P, code: {} }, true],
    [{ resourceType: 'observation', subject: P }, false],
    [{ resourceType: ['Observation'], subject: P }, false],
    [{ subject: P }, false],
  ])('%j: %s', (resource, expected) => {
    expect(inside(resource)).toBe(expected)
    expect(inside(resource, { patients: [] })).toBe(false)
    expect(inside(resource, { patients: ['other'] })).toBe(false)
  })

  test('several linked patients are a union', () => {
    expect(inside(about('Patient/Q'), { patients: ['P', 'Q'] })).toBe(true)
    expect(inside({ resourceType: 'Patient', id: 'Q' }, { patients: ['P', 'Q'] })).toBe(true)
  })

  test('each version by its own definitions', () => {
    const task = { resourceType: 'Task', focus: P }
    expect(inside(task)).toBe(false)
    expect(inside(task, { version: 'R5' })).toBe(true)
    expect(inside({ resourceType: 'Task', focus: P, for: { reference: 'Patient/Q' } }, { version: 'R5' })).toBe(false)
    expect(inside({ resourceType: 'Device', patient: P }, { version: 'R5' })).toBe(false)
    expect(inside({ resourceType: 'DeviceAssociation', subject: P }, { version: 'R5' })).toBe(true)
    expect(inside({ resourceType: 'Consent', patient: P }, { version: 'R5' })).toBe(false)
    expect(inside({ resourceType: 'Consent', subject: P }, { version: 'R5' })).toBe(true)
    expect(inside({ resourceType: 'Media', subject: P }, { version: 'R5' })).toBe(false)
  })
})

describe('Provenance', () => {
  const provenance = (...targets: unknown[]) => ({ resourceType: 'Provenance', target: targets })
  test.each([
    [provenance({ reference: 'Patient/P' }), true],
    [provenance({ reference: 'Patient/P' }, { reference: 'Patient/Q' }), false],
    [provenance({ reference: 'Observation/1' }), false],
    [provenance({ reference: 'Patient/P' }, { reference: 'Observation/1' }), false],
    [provenance(), false],
    [{ resourceType: 'Provenance', target: { reference: 'Patient/P' } }, false],
    [{ resourceType: 'Provenance', agent: [{ who: { reference: 'Patient/P' } }] }, false],
  ])('%j: %s', (resource, expected) => {
    expect(inside(resource)).toBe(expected)
    expect(inside(resource, { mode: 'full' })).toBe(expected)
  })

  test('targets are told for the caller to decide each, all or none', () => {
    expect(
      provenanceTargets(provenance({ reference: 'Observation/1' }, { reference: `${OWN}/Condition/2/_history/1` })),
    ).toEqual([
      { base: '', type: 'Observation', id: '1' },
      { base: OWN, type: 'Condition', id: '2' },
    ])
    for (const target of [
      { reference: '#a' },
      { identifier: {} },
      null,
      'Observation/1',
      { reference: 'urn:uuid:1' },
    ]) {
      expect(provenanceTargets(provenance({ reference: 'Observation/1' }, target))).toBeUndefined()
    }
    expect(provenanceTargets(provenance())).toBeUndefined()
    expect(provenanceTargets(null)).toBeUndefined()
  })

  test('R5 has a patient besides, who must be the same', () => {
    const resource = (patient: unknown) => ({ ...provenance({ reference: 'Patient/P' }), patient })
    expect(inside(resource({ reference: 'Patient/P' }), { version: 'R5' })).toBe(true)
    expect(inside(resource({ reference: 'Patient/Q' }), { version: 'R5' })).toBe(false)
    expect(inside(resource({ display: 'Q' }), { version: 'R5' })).toBe(false)
  })
})

test('who is named, and how', () => {
  const resource = {
    resourceType: 'Observation',
    subject: { reference: `${OWN}/Patient/Q` },
    performer: [{ reference: 'Patient/P' }, { reference: 'Practitioner/1' }, { reference: '#x' }],
  }
  expect(patientsNamedBy(resource, 'Observation', 'R4')).toEqual({
    primary: [{ base: OWN, type: 'Patient', id: 'Q' }],
    secondary: [{ base: '', type: 'Patient', id: 'P' }],
    unclear: false,
  })
  expect(patientsNamedBy(resource, 'Practitioner', 'R4')).toEqual({ primary: [], secondary: [], unclear: false })
})

test('nothing that JSON can say throws, and only a literal reference brings anything inside', () => {
  const types = fc.constantFrom(...definitionsOf('R4').resourceTypes)
  const member = fc.constantFrom(
    'subject',
    'patient',
    'performer',
    'participant',
    'actor',
    'target',
    'link',
    'id',
    'for',
    'member',
    'beneficiary',
    'entity',
    'agent',
  )
  const version = fc.constantFrom<FhirVersion>('R4', 'R4B', 'R5')
  const mode = fc.constantFrom<'primary' | 'full'>('primary', 'full')
  fc.assert(
    fc.property(
      types,
      fc.dictionary(member, fc.jsonValue({ maxDepth: 5 })),
      version,
      mode,
      (resourceType, members, ofVersion, ofMode) => {
        expect(inside({ ...members, resourceType }, { version: ofVersion, mode: ofMode, patients: ['zzzz'] })).toBe(
          false,
        )
      },
    ),
    { numRuns: 500 },
  )
  for (const resource of [null, undefined, 1, 'Patient/P', [], [about('Patient/P')]])
    expect(inside(resource)).toBe(false)
})

test('members that every object inherits are not data', () => {
  const resource = JSON.parse('{"resourceType":"Observation","__proto__":{"subject":{"reference":"Patient/P"}}}')
  expect(inside(resource)).toBe(false)
  expect(inside(Object.create(about('Patient/P')))).toBe(false)
})
