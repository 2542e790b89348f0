import { expect, test } from 'vitest'
import { definitionsOf, type FhirVersion } from '../../../src/domain/fhir/definitions.ts'
import { NOT_LINKED_R4, PATIENT_LINKS_R4 } from './patient-links-r4.ts'

const rows = PATIENT_LINKS_R4.trim()
  .split('\n')
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([name = '', primary = '', secondary = '', repeated = '']) => ({
    type: name.replace(' (outside)', ''),
    inCompartment: !name.endsWith(' (outside)'),
    primary: links(primary),
    secondary: links(secondary),
    repeated: links(repeated),
  }))

function links(cell: string): [code: string, elements: string][] {
  return cell === '' ? [] : cell.split(' ').map((link) => link.split('=') as [string, string])
}

function elementsOf(version: FhirVersion, type: string, code: string): string {
  const { paths } = definitionsOf(version).searchParameter(type, code)!
  return paths!.map(({ steps }) => steps.map(({ name }) => name).join('.')).join('+')
}

const codes = (list: readonly [string, string][]): string[] => list.map(([code]) => code)

test.each(rows)('R4 $type', ({ type, inCompartment, primary, secondary, repeated }) => {
  expect(definitionsOf('R4').patientLinks(type)).toEqual({
    primary: codes(primary),
    secondary: codes(secondary),
    inCompartment,
  })
  for (const [code, elements] of [...primary, ...secondary, ...repeated])
    expect(elementsOf('R4', type, code)).toBe(elements)
})

test('R4 links no other type to patients', () => {
  const { resourceTypes, patientLinks } = definitionsOf('R4')
  expect(rows.filter(({ inCompartment }) => inCompartment)).toHaveLength(66)
  const outside = [...NOT_LINKED_R4.trim().split(/\s+/), 'Parameters'].sort()
  expect(resourceTypes.filter((type) => patientLinks(type)?.inCompartment !== true)).toEqual(outside)
  expect(resourceTypes.filter((type) => patientLinks(type)?.inCompartment === false)).toEqual([
    'Contract',
    'Device',
    'GuidanceResponse',
    'Task',
  ])
})

test('R4B has the same compartment, by the same elements', () => {
  const r4 = definitionsOf('R4')
  const r4b = definitionsOf('R4B')
  for (const { type, primary, secondary } of rows) {
    expect(r4b.patientLinks(type), type).toEqual(r4.patientLinks(type))
    for (const [code, elements] of [...primary, ...secondary]) expect(elementsOf('R4B', type, code)).toBe(elements)
  }
  expect(r4b.resourceTypes.filter((type) => r4b.patientLinks(type) !== undefined)).toHaveLength(rows.length)
})

// docs/decisions/0010: the types where R5 differs from R4.
const R5_CHANGES: readonly [type: string, primary: string[], secondary: string[], inCompartment: boolean][] = [
  ['AllergyIntolerance', ['patient'], ['participant'], true],
  ['BiologicallyDerivedProductDispense', ['patient'], [], true],
  ['CarePlan', ['patient'], [], true],
  ['CommunicationRequest', ['subject'], ['information-provider', 'recipient', 'requester'], true],
  ['Condition', ['patient'], ['participant-actor'], true],
  ['Consent', ['subject'], [], true],
  ['Contract', ['patient'], [], true],
  ['Coverage', ['beneficiary'], ['policy-holder', 'subscriber', 'paymentby-party'], true],
  ['DeviceAssociation', ['subject'], ['operator'], true],
  ['DeviceDispense', ['patient'], [], false],
  ['DeviceUsage', ['patient'], [], true],
  ['EncounterHistory', ['patient'], [], true],
  ['GenomicStudy', ['patient'], [], true],
  ['GuidanceResponse', ['patient'], [], true],
  ['ImagingSelection', ['patient'], [], true],
  ['MedicationAdministration', ['patient'], [], true],
  ['MolecularSequence', ['subject'], [], true],
  ['NutritionIntake', ['subject'], ['source'], true],
  ['RequestOrchestration', ['subject'], ['participant'], true],
  ['ResearchSubject', ['subject'], [], true],
  ['Task', ['patient'], ['focus'], true],
]

test.each(R5_CHANGES)('R5 %s', (type, primary, secondary, inCompartment) => {
  expect(definitionsOf('R5').patientLinks(type)).toEqual({ primary, secondary, inCompartment })
})

test('every other R5 type with patients is linked as in R4', () => {
  const { resourceTypes, patientLinks } = definitionsOf('R5')
  const linked = resourceTypes.filter((type) => patientLinks(type) !== undefined)
  expect(linked).toHaveLength(74)
  const changed = linked.filter(
    (type) => JSON.stringify(patientLinks(type)) !== JSON.stringify(definitionsOf('R4').patientLinks(type)),
  )
  expect(changed).toEqual([...R5_CHANGES.map(([type]) => type)].sort())
  expect(
    ['Device', 'Practitioner', 'Organization', 'Medication', 'Location', 'Questionnaire'].filter((type) =>
      linked.includes(type),
    ),
  ).toEqual([])
})
