// How far one scope reaches into one type (contract §5, spec §4.4): everything, nothing, or the resources that fit a limit. What
// cannot be evaluated on a resource makes the scope grant nothing for that type.

import type { HeldScope } from '../decision/authority.ts'
import type { FhirPolicy } from '../decision/policy.ts'
import { namesSeveralPatients } from '../fhir/definitions.ts'
import type { SearchParameter } from '../fhir/definitions-table.ts'
import { isEvaluable } from '../fhir/search-match.ts'
import { type Atom, parseAtoms } from '../fhir/search-value.ts'

/** One `name=value` of a granular scope, ready to be evaluated and to be compared with a client's own clause. */
export interface Clause {
  readonly parameter: SearchParameter
  readonly value: string
  readonly atoms: readonly Atom[]
}

/** An AND: the resource is in the compartment of one of the patients, if any are named, and fits every clause. */
export interface TypeLimit {
  readonly patients?: readonly string[]
  readonly clauses: readonly Clause[]
}

/** Undefined when the scope reaches every resource of the type. `permission` is the letter for which it is asked. */
export function limitOn(
  scope: HeldScope,
  type: string,
  permission: string,
  policy: FhirPolicy,
): TypeLimit | 'nothing' | undefined {
  const { limit } = scope
  if (limit === undefined) return undefined
  const clauses: Clause[] = []
  for (const { name, value } of limit.filters) {
    const parameter = policy.definitions.searchParameter(type, name)
    const atoms = parameter !== undefined && isEvaluable(parameter) ? parseAtoms(parameter.kind, value) : undefined
    if (parameter === undefined || atoms === undefined || atoms.length === 0) return 'nothing'
    clauses.push({ parameter, value, atoms })
  }
  if (limit.patients === undefined) return { clauses }
  switch (patientReach(scope, type, permission, policy)) {
    case 'nothing':
      return 'nothing'
    case 'shared':
      return clauses.length === 0 ? undefined : { clauses }
    case 'compartment':
      return { patients: limit.patients, clauses }
  }
}

function patientReach(
  { smart }: HeldScope,
  type: string,
  permission: string,
  policy: FhirPolicy,
): 'compartment' | 'shared' | 'nothing' {
  if (type === 'Patient') return 'compartment'
  // A Group is many patients, and no scope for one of them opens it.
  if (type === 'Group') return 'nothing'
  // Whose it is, what it stands for tells (`binary.ts`); everywhere else it is outside every compartment.
  if (type === 'Binary' && permission === 'r') return 'compartment'
  if (policy.definitions.patientLinks(type) !== undefined) {
    return smart.type === '*' && namesSeveralPatients(type) ? 'nothing' : 'compartment'
  }
  const reads = permission === 'r' || permission === 's'
  return reads && policy.sharedTypes.has(type) ? 'shared' : 'nothing'
}
