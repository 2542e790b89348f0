// Writing within constraints (spec §1.4, §4.5): what is stored and what it would become must both be allowed, and both for the same
// patient, so that no record is taken over and none moves between patients. INVARIANT: yes only where both resources prove it.

import type { FhirPolicy } from '../decision/policy.ts'
import { isInPatientCompartment, patientsNamedBy } from '../fhir/compartment.ts'
import { isOwn } from '../fhir/literal-reference.ts'
import { evaluateClause } from '../fhir/search-match.ts'
import type { TypeLimit } from './limit.ts'

/** In whose name a resource may be written: of these patients, or (`any`) by a scope that is not tied to a patient. */
export interface Writable {
  readonly any: boolean
  readonly patients: ReadonlySet<string>
}

/** Which of the limits allow this resource; nobody's when none does. */
export function writable(resource: unknown, type: string, limits: readonly TypeLimit[], policy: FhirPolicy): Writable {
  const patients = new Set<string>()
  let any = false
  for (const limit of limits) {
    const fits = limit.clauses.every(({ parameter, atoms }) =>
      evaluateClause(resource, parameter, atoms, policy.ownBases),
    )
    if (!fits) continue
    if (limit.patients === undefined) any = true
    else for (const patient of limit.patients) if (isOnlyAbout(resource, type, patient, policy)) patients.add(patient)
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
function isOnlyAbout(resource: unknown, type: string, patient: string, policy: FhirPolicy): boolean {
  const { definitions, compartment, ownBases } = policy
  const rule = { version: definitions.version, patients: [patient], mode: compartment, ownBases }
  if (!isInPatientCompartment(resource, rule)) return false
  if (type === 'Patient' || type === 'Provenance') return true
  const { primary, unclear } = patientsNamedBy(resource, type, definitions.version)
  return !unclear && primary.every((reference) => isOwn(reference, ownBases) && reference.id === patient)
}
