// Writing within constraints (spec §1.4, §4.5): what is stored and what it would become must both be allowed, and both for the same
// patient, so that no record is taken over and none moves between patients. INVARIANT: yes only where both resources prove it.

import type { FhirPolicy } from '../decision/policy.ts'
import { isInPatientCompartment, patientsNamedBy, provenanceTargets } from '../fhir/compartment.ts'
import { isOwn, type LiteralReference } from '../fhir/literal-reference.ts'
import { evaluateClause } from '../fhir/search-match.ts'
import type { TypeLimit } from './limit.ts'

/** In whose name a resource may be written: of these patients, or (`any`) by a scope that is not tied to a patient. */
export interface Writable {
  readonly any: boolean
  readonly patients: ReadonlySet<string>
}

/** Patients whose record each of these is, by `Type/id`: what was read, and may be read, tells (spec §4.4). */
export type ProvenTargets = ReadonlyMap<string, ReadonlySet<string>>

const NONE: ProvenTargets = new Map()

/** Which of the limits allow this resource; nobody's when none does. `targets`: what a Provenance may be about. */
export function writable(
  resource: unknown,
  type: string,
  limits: readonly TypeLimit[],
  policy: FhirPolicy,
  targets = NONE,
): Writable {
  const patients = new Set<string>()
  let any = false
  for (const limit of limits) {
    const fits = limit.clauses.every(({ parameter, atoms }) =>
      evaluateClause(resource, parameter, atoms, policy.ownBases),
    )
    if (!fits) continue
    if (limit.patients === undefined) any = true
    else
      for (const patient of limit.patients)
        if (isOnlyAbout(resource, type, patient, policy, targets)) patients.add(patient)
  }
  return { any, patients }
}

export function isWritable({ any, patients }: Writable): boolean {
  return any || patients.size > 0
}

/** Both by the same right: contexts are not mixed, and a record stays with its patient. */
export function mayBecome(stored: Writable, next: Writable): boolean {
  return (stored.any && next.any) || [...stored.patients].some((patient) => next.patients.has(patient))
}

/** What names another patient besides, or one that cannot be told (logical, contained, not resolved), is somebody else's as well. */
export function isOnlyAbout(
  resource: unknown,
  type: string,
  patient: string,
  policy: FhirPolicy,
  targets = NONE,
): boolean {
  const { definitions, compartment, ownBases } = policy
  if (type === 'Provenance') return isProvenanceOf(resource, patient, policy, targets)
  const rule = { version: definitions.version, patients: [patient], mode: compartment, ownBases }
  if (!isInPatientCompartment(resource, rule)) return false
  if (type === 'Patient') return true
  const { primary, unclear } = patientsNamedBy(resource, type, definitions.version)
  return !unclear && primary.every((reference) => isOwn(reference, ownBases) && reference.id === patient)
}

/** About the patient, or about what is the patient's; about shared data only beside that. */
function isProvenanceOf(
  resource: unknown,
  patient: string,
  { definitions, ownBases, sharedTypes }: FhirPolicy,
  proven: ProvenTargets,
): boolean {
  const targets = provenanceTargets(resource)
  const { primary, unclear } = patientsNamedBy(resource, 'Provenance', definitions.version)
  const isTheirs = (target: LiteralReference): boolean =>
    isOwn(target, ownBases) &&
    (target.type === 'Patient'
      ? target.id === patient
      : proven.get(`${target.type}/${target.id}`)?.has(patient) === true)
  if (targets === undefined || unclear || !primary.every(isTheirs) || !targets.every(isTheirs)) return false
  return targets.some(({ type }) => !sharedTypes.has(type))
}
