// The scopes of US Core (7.0.0-ballot), copied by hand from its scope page: resource-level scopes, and granular ones as they are
// printed in the table (a dot for the first slash) and in the example file, misprints and all, each with the category that was meant.

export const RESOURCE_LEVEL: readonly string[] = [
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
  'MedicationRequest',
  'MedicationDispense',
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

export interface Granular {
  readonly type: string
  /** The category that was meant. */
  readonly system: string
  readonly code: string
  /** After `category=`, where the document has a misprint there. */
  readonly misprints: readonly string[]
}

const CONDITION = 'http://terminology.hl7.org/CodeSystem/condition-category'
const US_CORE_CONDITION = 'http://hl7.org/fhir/us/core/CodeSystem/condition-category'
const OBSERVATION = 'http://terminology.hl7.org/CodeSystem/observation-category'
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category'
const DOCUMENT = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category'

type Row = readonly [type: string, system: string, code: string, ...misprints: string[]]

const ROWS: readonly Row[] = [
  ['Condition', CONDITION, 'encounter-diagnosis'],
  ['Condition', CONDITION, 'problem-list-item'],
  ['Condition', US_CORE_CONDITION, 'health-concern', `${US_CORE_CONDITION}|health-concern\``],
  ['DiagnosticReport', 'http://loinc.org', 'LP29684-5'],
  ['DiagnosticReport', 'http://loinc.org', 'LP29708-2'],
  ['DiagnosticReport', 'http://loinc.org', 'LP7839-6'],
  ['DiagnosticReport', 'http://terminology.hl7.org/CodeSystem/v2-0074', 'LAB'],
  ['DocumentReference', DOCUMENT, 'clinical-note'],
  ['Observation', OBSERVATION, 'laboratory'],
  ['Observation', OBSERVATION, 'vital-signs'],
  ['Observation', OBSERVATION, 'survey'],
  ['Observation', OBSERVATION, 'imaging'],
  ['Observation', OBSERVATION, 'procedure'],
  [
    'Observation',
    OBSERVATION,
    'social-history',
    'http://terminology.hl7.org//CodeSystem-observation-category.html|social-history',
    // As later versions of the page print it.
    'http://terminology.hl7.org//CodeSystem-observation-category|social-history',
  ],
  ['Observation', US_CORE, 'treatment-intervention-preference'],
  ['Observation', US_CORE, 'care-experience-preference'],
  ['ServiceRequest', US_CORE, 'sdoh'],
  ['ServiceRequest', US_CORE, 'functional-status'],
  ['ServiceRequest', 'http://snomed.info/sct', 'surgical-procedure'],
]

export const GRANULAR: readonly Granular[] = ROWS.map(([type, system, code, ...misprints]) => ({
  type,
  system,
  code,
  misprints,
}))

/** Among the page's examples, but not in its table. */
export const EXAMPLE_ONLY: Granular = { type: 'Observation', system: OBSERVATION, code: 'clinical-test', misprints: [] }

export type Context = 'patient' | 'user' | 'system'

export function meant({ type, system, code }: Granular, context: Context): string {
  return `${context}/${type}.rs?category=${system}|${code}`
}

/** As the table prints it, with a dot, and as the example file does; both only where they differ from what was meant. */
export function misprinted(scope: Granular, context: Context): readonly string[] {
  const { type, system, code, misprints } = scope
  const inTable = misprints.length > 0 ? misprints : [`${system}|${code}`]
  return [
    ...inTable.map((category) => `${context}.${type}.rs?category=${category}`),
    ...misprints.map((category) => `${context}/${type}.rs?category=${category}`),
  ]
}
