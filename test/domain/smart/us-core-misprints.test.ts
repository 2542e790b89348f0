// The strings are copied from the US Core scope page (7.0.0-ballot), misprints and all.

import { describe, expect, test } from 'vitest'
import { parseScope, printScope } from '../../../src/domain/smart/scope.ts'
import { mendMisprint, US_CORE_GRANULAR } from '../../../src/domain/smart/us-core-misprints.ts'

/** Every granular scope of the table, as printed there, and the scope that was meant. */
const TABLE: readonly (readonly [printed: string, meant: string])[] = [
  [
    'patient.Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
    'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
  ],
  [
    'patient.Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
    'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
  ],
  [
    'patient.Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern`',
    'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
  ],
  [
    'patient.DiagnosticReport.rs?category=http://loinc.org|LP29684-5',
    'patient/DiagnosticReport.rs?category=http://loinc.org|LP29684-5',
  ],
  [
    'patient.DiagnosticReport.rs?category=http://loinc.org|LP29708-2',
    'patient/DiagnosticReport.rs?category=http://loinc.org|LP29708-2',
  ],
  [
    'patient.DiagnosticReport.rs?category=http://loinc.org|LP7839-6',
    'patient/DiagnosticReport.rs?category=http://loinc.org|LP7839-6',
  ],
  [
    'patient.DiagnosticReport.rs?category=http://terminology.hl7.org/CodeSystem/v2-0074|LAB',
    'patient/DiagnosticReport.rs?category=http://terminology.hl7.org/CodeSystem/v2-0074|LAB',
  ],
  [
    'patient.DocumentReference.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note',
    'patient/DocumentReference.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note',
  ],
  [
    'patient.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
  ],
  [
    'patient.Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category.html|social-history',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history',
  ],
  [
    'patient.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
  ],
  [
    'patient.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey',
  ],
  [
    'patient.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|imaging',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|imaging',
  ],
  [
    'patient.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|procedure',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|procedure',
  ],
  [
    'patient.ServiceRequest.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
    'patient/ServiceRequest.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
  ],
  [
    'patient.ServiceRequest.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|functional-status',
    'patient/ServiceRequest.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|functional-status',
  ],
  [
    'patient.ServiceRequest.rs?category=http://snomed.info/sct|surgical-procedure',
    'patient/ServiceRequest.rs?category=http://snomed.info/sct|surgical-procedure',
  ],
  [
    'patient.Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|treatment-intervention-preference',
    'patient/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|treatment-intervention-preference',
  ],
  [
    'patient.Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|care-experience-preference',
    'patient/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|care-experience-preference',
  ],
]

/** Granular scopes of the page's smart-configuration example. */
const EXAMPLE: readonly (readonly [printed: string, meant: string])[] = [
  [
    'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern`',
    'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
  ],
  [
    'patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category.html|social-history',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history',
  ],
]

/** Printed correctly in that example: nothing to mend. */
const CORRECT = [
  'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis',
  'patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
  'patient/DiagnosticReport.rs?category=http://loinc.org|LP29684-5',
  'patient/DiagnosticReport.rs?category=http://loinc.org|LP29708-2',
  'patient/DiagnosticReport.rs?category=http://loinc.org|LP7839-6',
  'patient/DiagnosticReport.rs?category=http://terminology.hl7.org/CodeSystem/v2-0074|LAB',
  'patient/DocumentReference.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category|clinical-note',
  'patient/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|care-experience-preference',
  'patient/Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|treatment-intervention-preference',
  'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|imaging',
  'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
  'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|procedure',
  'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey',
  'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs',
  'patient/ServiceRequest.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|functional-status',
  'patient/ServiceRequest.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
  'patient/ServiceRequest.rs?category=http://snomed.info/sct|surgical-procedure',
]

const SOCIAL_HISTORY =
  'Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history'
const inContext = (scope: string, context: string): string => scope.replace(/^patient/, context)

describe.each(['patient', 'user', 'system'])('%s', (context) => {
  test.each([...TABLE, ...EXAMPLE])('%s means %s', (printed, meant) => {
    expect(mendMisprint(inContext(printed, context))).toBe(inContext(meant, context))
  })

  test.each([
    'http://terminology.hl7.org//CodeSystem-observation-category',
    'http://terminology.hl7.org//CodeSystem-observation-category.html',
  ])('the social-history address %s, after a slash or a dot', (address) => {
    for (const mark of ['/', '.']) {
      const printed = `${context}${mark}Observation.rs?category=${address}|social-history`
      expect(mendMisprint(printed)).toBe(`${context}/${SOCIAL_HISTORY}`)
    }
  })

  test('what is printed correctly stays as it is', () => {
    for (const scope of CORRECT) expect(mendMisprint(inContext(scope, context))).toBe(inContext(scope, context))
  })
})

test('what is meant is a granular scope of the same type and letters, in its canonical print', () => {
  for (const [, meant] of [...TABLE, ...EXAMPLE]) expect(printScope(parseScope(meant)!)).toBe(meant)
})

test('the list of meant scopes is the table, once each', () => {
  const meant = new Set([...TABLE, ...EXAMPLE].map(([, scope]) => scope.slice('patient/'.length)))
  expect(new Set(US_CORE_GRANULAR)).toEqual(meant)
  expect(US_CORE_GRANULAR).toHaveLength(meant.size)
})

describe('no near miss is mended', () => {
  test.each([
    // A dot where the table has no such scope.
    'patient.Observation.rs',
    'patient.Condition.rs',
    'patient.Observation.read',
    'patient.*.rs',
    'patient.Patient.rs?category=http://loinc.org|LP29684-5',
    'patient.Observation.rs?category=laboratory',
    'patient.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|clinical-test',
    'patient.Observation.r?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
    'patient.Observation.cruds?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
    'launch.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
    'Patient.Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
    // These two stand in the table only with their own misprint.
    'patient.Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern',
    `patient.${SOCIAL_HISTORY}`,
    // Another backtick.
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory`',
    'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern``',
    'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category`|health-concern',
    'patient/Observation.rs`',
    // The misprinted address elsewhere, or misprinted otherwise.
    'patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|laboratory',
    'patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category.html|vital-signs',
    'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem-observation-category|social-history',
    'patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem/observation-category|social-history',
    'patient/Observation.rs?category=https://terminology.hl7.org//CodeSystem-observation-category|social-history',
    'patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category.htm|social-history',
    'patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category%7Csocial-history',
    'patient/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history,survey',
    'patient/Observation.cruds?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history',
    'patient/Condition.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history',
    ' patient.DiagnosticReport.rs?category=http://loinc.org|LP29684-5',
    'patient.DiagnosticReport.rs?category=http://loinc.org|LP29684-5 ',
    'patient.DiagnosticReport.rs?category=http://loinc.org|lp29684-5',
    '',
    '__proto__',
    'constructor',
  ])('%j', (scope) => expect(mendMisprint(scope)).toBe(scope))
})
