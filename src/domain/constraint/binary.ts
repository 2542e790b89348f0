// A Binary shows nothing of whose it is: its `securityContext` names the resource that stands in for it (R4 Binary §2.45.2, spec §2.5).
// INVARIANT: bound to patients, it may be read only where that resource is theirs, or shared, and may be read itself.

import { isInPatientCompartment } from '../fhir/compartment.ts'
import { isOwn, parseReference } from '../fhir/literal-reference.ts'
import { evaluateClause } from '../fhir/search-match.ts'
import type { Constraint } from './constraint.ts'
import { Guard } from './guard.ts'
import type { TypeLimit } from './limit.ts'

export interface StandIn {
  readonly type: string
  readonly id: string
  /** Whether the resource of that type and id opens the Binary. */
  opens(resource: unknown): boolean
}

/** `open`: nothing binds it to a patient; undefined: nothing opens it. */
export function standInOf(binary: unknown, constraint: Constraint): 'open' | StandIn | undefined {
  const { ownBases } = constraint.policy
  const fitting = (constraint.limitsOn('Binary', 'r') ?? [OPEN]).filter(({ clauses }) =>
    clauses.every(({ parameter, atoms }) => evaluateClause(binary, parameter, atoms, ownBases)),
  )
  if (fitting.some(({ patients }) => patients === undefined)) return 'open'
  const { securityContext } = binary as { securityContext?: { reference?: unknown } | null }
  const named = typeof securityContext?.reference === 'string' ? parseReference(securityContext.reference) : undefined
  // One Binary cannot vouch for another.
  if (named === undefined || fitting.length === 0 || !isOwn(named, ownBases) || named.type === 'Binary')
    return undefined
  const { type, id } = named
  return { type, id, opens: (resource) => fitting.some((limit) => opensFor(limit, type, id, resource, constraint)) }
}

const OPEN: TypeLimit = { clauses: [] }

function opensFor(
  { patients }: TypeLimit,
  type: string,
  id: string,
  resource: unknown,
  constraint: Constraint,
): boolean {
  const { definitions, compartment, ownBases, sharedTypes } = constraint.policy
  const { resourceType, id: stored } = (resource ?? {}) as { resourceType?: unknown; id?: unknown }
  if (resourceType !== type || stored !== id) return false
  const rule = { version: definitions.version, patients: patients!, mode: compartment, ownBases }
  if (!sharedTypes.has(type) && !isInPatientCompartment(resource, rule)) return false
  return new Guard(constraint, () => 'r').releases(resource)
}
