// Guarding: may this resource be released to this caller? Asked of every resource of an answer that a constraint applies to, whatever
// the server behind us says about it (spec §3.5). INVARIANT: yes only where the resource itself proves it, or, of a Provenance, what
// was released beside it.

import { isInPatientCompartment, linkMembers, patientsNamedBy, provenanceTargets } from '../fhir/compartment.ts'
import { isOwn } from '../fhir/literal-reference.ts'
import { isPlainOutcome } from '../fhir/operation-outcome.ts'
import { evaluateClause } from '../fhir/search-match.ts'
import type { Constraint } from './constraint.ts'
import type { TypeLimit } from './limit.ts'

/** Which letters open a type in this answer: `s` for what was searched, `r` or `s` for what an include brought. */
export type LettersOf = (type: string) => string

/** `later`: a Provenance of something that did not come by yet; to be asked again when the answer is over. */
export type Judgement = 'release' | 'withhold' | 'later'

// They hold other resources, which nobody has looked at.
const CONTAINERS = new Set(['Bundle', 'Parameters'])

export class Guard {
  readonly #constraint: Constraint
  readonly #lettersOf: LettersOf
  readonly #proofs: readonly Proof[]
  readonly #limits = new Map<string, readonly TypeLimit[] | undefined>()
  readonly #looksAt = new Map<unknown, ReadonlySet<string>>()

  constructor(constraint: Constraint, lettersOf: LettersOf) {
    this.#constraint = constraint
    this.#lettersOf = lettersOf
    this.#proofs = proofsFor(constraint.limitsOn('Provenance', lettersOf('Provenance')))
  }

  /** The top-level members of a resource of this type that a judgement looks at: the others make no difference. */
  looksAt(type: unknown): ReadonlySet<string> {
    const known = this.#looksAt.get(type)
    if (known !== undefined) return known
    const members = new Set(['resourceType', ...(MORE[String(type)] ?? [])])
    if (this.#proofs.length > 0) members.add('id')
    if (typeof type === 'string') {
      const { definitions } = this.#constraint.policy
      for (const member of linkMembers(type, definitions)) members.add(member)
      const limits = this.#limitsOn(type) ?? []
      const paths = limits.flatMap(({ clauses }) => clauses).flatMap(({ parameter }) => parameter.paths ?? [])
      for (const { steps } of paths) members.add(steps[0]!.name)
    }
    this.#looksAt.set(type, members)
    return members
  }

  #limitsOn(type: string): readonly TypeLimit[] | undefined {
    if (!this.#limits.has(type)) this.#limits.set(type, this.#constraint.limitsOn(type, this.#lettersOf(type)))
    return this.#limits.get(type)
  }

  releases(resource: unknown): boolean {
    return this.judge(resource) === 'release'
  }

  judge(resource: unknown): Judgement {
    const { resourceType: type } = (resource ?? {}) as { resourceType?: unknown }
    if (typeof type !== 'string' || Array.isArray(resource)) return 'withhold'
    if (type === 'OperationOutcome') return isPlainOutcome(resource) ? 'release' : 'withhold'
    if (!this.#constraint.policy.definitions.isResourceType(type)) return 'withhold'
    const limits = this.#limitsOn(type)
    if (limits === undefined) {
      this.#remember(resource, type, undefined)
      return 'release'
    }
    if (CONTAINERS.has(type)) return 'withhold'
    let judgement: Judgement = 'withhold'
    for (const limit of limits) {
      const one = this.#fits(resource, type, limit)
      if (one === 'release') {
        this.#remember(resource, type, limit)
        return one
      }
      if (one === 'later') judgement = one
    }
    return judgement
  }

  #fits(resource: unknown, type: string, { patients, clauses }: TypeLimit): Judgement {
    const { ownBases } = this.#constraint.policy
    if (!clauses.every(({ parameter, atoms }) => evaluateClause(resource, parameter, atoms, ownBases)))
      return 'withhold'
    if (patients === undefined || this.#isRecordOf(resource, patients)) return 'release'
    return type === 'Provenance' ? this.#judgeProvenance(resource, patients) : 'withhold'
  }

  #isRecordOf(resource: unknown, patients: readonly string[]): boolean {
    const { definitions, compartment, ownBases } = this.#constraint.policy
    return isInPatientCompartment(resource, { version: definitions.version, patients, mode: compartment, ownBases })
  }

  /**
   * A Provenance of the patient's record as a whole names the patient among its targets (CompartmentDefinition), and nobody else's;
   * one that names no patient is as open as all that it is about (spec §4.4; docs/decisions/0010).
   */
  #judgeProvenance(resource: unknown, patients: readonly string[]): Judgement {
    const { definitions, ownBases } = this.#constraint.policy
    const proof = this.#proofs.find((one) => one.patients === patients)
    const targets = provenanceTargets(resource)
    if (targets === undefined || proof === undefined) return 'withhold'
    const { primary, unclear } = patientsNamedBy(resource, 'Provenance', definitions.version)
    const named = [...primary, ...targets.filter(({ type }) => type === 'Patient')]
    if (unclear || !named.every((one) => isOwn(one, ownBases) && patients.includes(one.id))) return 'withhold'
    if (named.length > 0) return 'release'
    if (!targets.every((target) => isOwn(target, ownBases))) return 'withhold'
    return targets.every(({ type, id }) => proof.released.has(`${type}/${id}`)) ? 'release' : 'later'
  }

  /** What a Provenance may rest on: the same patients' own, or nobody's, so that no context borrows the reach of another one. */
  #remember(resource: unknown, type: string, limit: TypeLimit | undefined): void {
    if (this.#proofs.length === 0 || type === 'Provenance' || type === 'Patient') return
    const { id } = resource as { id?: unknown }
    if (typeof id !== 'string') return
    const { definitions, sharedTypes } = this.#constraint.policy
    for (const { patients, released } of this.#proofs) {
      if (released.size >= MOST_REMEMBERED) continue
      const isTheirs =
        limit?.patients === patients ||
        (definitions.patientLinks(type) === undefined ? sharedTypes.has(type) : this.#isRecordOf(resource, patients))
      if (isTheirs) released.add(`${type}/${id}`)
    }
  }
}

/** What tells of a resource besides its search parameters and links. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  OperationOutcome: ['contained'],
  Patient: ['id'],
  Provenance: ['target'],
}

/** For one list of patients to whom scopes for Provenance are bound. */
interface Proof {
  readonly patients: readonly string[]
  /** `Type/id`. */
  readonly released: Set<string>
}

function proofsFor(limits: readonly TypeLimit[] | undefined): readonly Proof[] {
  const lists = new Set((limits ?? []).flatMap(({ patients }) => (patients === undefined ? [] : [patients])))
  return [...lists].map((patients) => ({ patients, released: new Set<string>() }))
}

/** Memory stays flat on answers of any length; a Provenance of what came after so many resources is withheld. */
const MOST_REMEMBERED = 20_000
