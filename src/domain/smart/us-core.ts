// The scopes of US Core 7 (spec §1.6), which a route map names in one word: `scopesSupported: [us-core-7]`.

import { US_CORE_GRANULAR } from './us-core-misprints.ts'

/** Types with a resource-level scope. */
export const US_CORE_TYPES: readonly string[] = [
  'AllergyIntolerance',
  'CarePlan',
  'CareTeam',
  'Condition',
  'Coverage',
  'Device',
  'DiagnosticReport',
  'DocumentReference',
  'Encounter',
  'Goal',
  'Immunization',
  'MedicationDispense',
  'MedicationRequest',
  'Observation',
  'Organization',
  'Patient',
  'Practitioner',
  'PractitionerRole',
  'Procedure',
  'Provenance',
  'QuestionnaireResponse',
  'RelatedPerson',
  'ServiceRequest',
  'Specimen',
]

const BESIDE_THE_TABLE: readonly string[] = [
  // In the final 7.0.0, but not in the ballot's table.
  'Observation.rs?category=http://hl7.org/fhir/us/core/CodeSystem/us-core-category|sdoh',
  // Among the examples of the ballot's page.
  'Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|clinical-test',
]

const SETS: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'us-core-7',
    ['patient', 'user', 'system'].flatMap((context) =>
      [...US_CORE_TYPES.map((type) => `${type}.rs`), ...US_CORE_GRANULAR, ...BESIDE_THE_TABLE].map(
        (scope) => `${context}/${scope}`,
      ),
    ),
  ],
])

/** Replaces the names of sets by their scopes; every other name stands for itself. */
export function expandScopeSets(names: readonly string[]): readonly string[] {
  return [...new Set(names.flatMap((name) => SETS.get(name) ?? [name]))]
}
