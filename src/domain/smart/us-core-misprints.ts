// The misprints of the US Core scope table (7.0.0-ballot): whole scopes, compared exactly, each meaning the scope that was
// meant and never a wider one. Three kinds are printed there: a dot for the first slash, a stray backtick, and the address of
// the social-history category (`//CodeSystem-observation-category`, with and without `.html`). Nothing else is mended.

const CONDITION = 'http://terminology.hl7.org/CodeSystem/condition-category'
const US_CORE_CONDITION = 'http://hl7.org/fhir/us/core/CodeSystem/condition-category'
const OBSERVATION = 'http://terminology.hl7.org/CodeSystem/observation-category'
const MISPRINTED_OBSERVATION = 'http://terminology.hl7.org//CodeSystem-observation-category'
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-category'
const NOTE = 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category'

/** The granular scopes of the table without their context, as they were meant. */
export const US_CORE_GRANULAR: readonly string[] = [
  `Condition.rs?category=${CONDITION}|encounter-diagnosis`,
  `Condition.rs?category=${CONDITION}|problem-list-item`,
  `Condition.rs?category=${US_CORE_CONDITION}|health-concern`,
  'DiagnosticReport.rs?category=http://loinc.org|LP29684-5',
  'DiagnosticReport.rs?category=http://loinc.org|LP29708-2',
  'DiagnosticReport.rs?category=http://loinc.org|LP7839-6',
  'DiagnosticReport.rs?category=http://terminology.hl7.org/CodeSystem/v2-0074|LAB',
  `DocumentReference.rs?category=${NOTE}|clinical-note`,
  `Observation.rs?category=${OBSERVATION}|laboratory`,
  `Observation.rs?category=${OBSERVATION}|social-history`,
  `Observation.rs?category=${OBSERVATION}|vital-signs`,
  `Observation.rs?category=${OBSERVATION}|survey`,
  `Observation.rs?category=${OBSERVATION}|imaging`,
  `Observation.rs?category=${OBSERVATION}|procedure`,
  `Observation.rs?category=${US_CORE}|treatment-intervention-preference`,
  `Observation.rs?category=${US_CORE}|care-experience-preference`,
  `ServiceRequest.rs?category=${US_CORE}|sdoh`,
  `ServiceRequest.rs?category=${US_CORE}|functional-status`,
  'ServiceRequest.rs?category=http://snomed.info/sct|surgical-procedure',
]

const ALIASES: ReadonlyMap<string, string> = new Map(['patient', 'user', 'system'].flatMap(aliasesIn))

/** The scope that a misprint of the table means; any other scope as it is. */
export function mendMisprint(scope: string): string {
  return ALIASES.get(scope) ?? scope
}

function aliasesIn(context: string): [string, string][] {
  return US_CORE_GRANULAR.flatMap((meant): [string, string][] =>
    misprintsOf(meant).flatMap((printed): [string, string][] => [
      [`${context}.${printed}`, `${context}/${meant}`],
      [`${context}/${printed}`, `${context}/${meant}`],
    ]),
  )
}

function misprintsOf(meant: string): string[] {
  // These two never stand in the table without their misprint.
  if (meant.endsWith('|health-concern')) return [`${meant}\``]
  if (!meant.endsWith('|social-history')) return [meant]
  const [before, after] = meant.split(OBSERVATION) as [string, string]
  return ['', '.html'].map((ending) => `${before}${MISPRINTED_OBSERVATION}${ending}${after}`)
}
