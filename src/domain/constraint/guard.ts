// Guarding: may this resource be released to this caller? Asked of every resource of an answer that a constraint applies to, whatever
// the server behind us says about it (spec §3.5). INVARIANT: yes only where the resource itself proves it.

import { isInPatientCompartment, provenanceTargets } from '../fhir/compartment.ts'
import { isOwn } from '../fhir/literal-reference.ts'
import { evaluateClause } from '../fhir/search-match.ts'
import type { Constraint } from './constraint.ts'
import type { TypeLimit } from './limit.ts'

/** Which letters open a type in this answer: `s` for what was searched, `r` or `s` for what an include brought. */
export type LettersOf = (type: string) => string

// They hold other resources, which nobody has looked at.
const CONTAINERS = new Set(['Bundle', 'Parameters'])

export class Guard {
  readonly #constraint: Constraint
  readonly #lettersOf: LettersOf
  /** `Type/id` of what was released, where a Provenance may come that is about it. */
  readonly #released = new Set<string>()

  constructor(constraint: Constraint, lettersOf: LettersOf) {
    this.#constraint = constraint
    this.#lettersOf = lettersOf
  }

  releases(resource: unknown): boolean {
    const { resourceType: type, id } = (resource ?? {}) as { resourceType?: unknown; id?: unknown }
    if (typeof type !== 'string' || Array.isArray(resource)) return false
    if (type === 'OperationOutcome') return true
    if (!this.#constraint.policy.definitions.isResourceType(type)) return false
    const limits = this.#constraint.limitsOn(type, this.#lettersOf(type))
    if (limits !== undefined && (CONTAINERS.has(type) || !limits.some((limit) => this.#fits(resource, type, limit))))
      return false
    if (typeof id === 'string' && this.#released.size < MOST_REMEMBERED) this.#released.add(`${type}/${id}`)
    return true
  }

  #fits(resource: unknown, type: string, { patients, clauses }: TypeLimit): boolean {
    const { definitions, compartment, ownBases } = this.#constraint.policy
    if (!clauses.every(({ parameter, atoms }) => evaluateClause(resource, parameter, atoms, ownBases))) return false
    if (patients === undefined) return true
    const rule = { version: definitions.version, patients, mode: compartment, ownBases }
    return (
      isInPatientCompartment(resource, rule) || (type === 'Provenance' && this.#isAboutReleased(resource, patients))
    )
  }

  /** A Provenance is as open as all that it is about; what comes later in the answer is not known yet, and so not open (spec §4.4). */
  #isAboutReleased(resource: unknown, patients: readonly string[]): boolean {
    const { ownBases } = this.#constraint.policy
    const targets = provenanceTargets(resource)
    return (
      targets?.every((target) => {
        if (!isOwn(target, ownBases)) return false
        return target.type === 'Patient'
          ? patients.includes(target.id)
          : this.#released.has(`${target.type}/${target.id}`)
      }) === true
    )
  }
}

/** Memory stays flat on answers of any length; a Provenance of what came after so many resources is withheld. */
const MOST_REMEMBERED = 20_000
