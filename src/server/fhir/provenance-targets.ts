// What a Provenance that is written within limits is about: each target is read, must be what the caller may read, and tells whose record
// it is (spec §4.4: targets accessible). What cannot be told is nobody's.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { Guard } from '../../domain/constraint/guard.ts'
import type { TypeLimit } from '../../domain/constraint/limit.ts'
import { isOnlyAbout, type ProvenTargets } from '../../domain/constraint/write.ts'
import { provenanceTargets } from '../../domain/fhir/compartment.ts'
import { isOwn } from '../../domain/fhir/literal-reference.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import { inParallel } from './in-parallel.ts'
import { type Ask, readStored } from './stored-resource.ts'

/** More are about more than can be looked up. */
const MOST_TARGETS = 100
const MOST_AT_ONCE = 8

export class ProvenanceTargets {
  readonly #constraint: Constraint
  readonly #patients: readonly string[]
  readonly #ask: Ask
  readonly #known = new Map<string, ReadonlySet<string>>()

  /** `limits`: those of the write. */
  constructor(constraint: Constraint, limits: readonly TypeLimit[], ask: Ask) {
    this.#constraint = constraint
    this.#patients = [...new Set(limits.flatMap(({ patients = [] }) => patients))]
    this.#ask = ask
  }

  /** Of everything that was asked about so far. */
  async prove(provenance: unknown): Promise<ProvenTargets | Refusal> {
    const { ownBases } = this.#constraint.policy
    const targets = (provenanceTargets(provenance) ?? []).filter(
      (target) => target.type !== 'Patient' && isOwn(target, ownBases),
    )
    const unknown = new Map(targets.map((target) => [`${target.type}/${target.id}`, target]))
    for (const key of this.#known.keys()) unknown.delete(key)
    if (this.#patients.length === 0 || unknown.size > MOST_TARGETS) return this.#known
    let failed: Refusal | undefined
    await inParallel([...unknown], MOST_AT_ONCE, async ([key, { type, id }]) => {
      const patients = await this.#patientsOf(type, id)
      if (isRefusal(patients)) failed ??= patients
      else this.#known.set(key, patients)
      return failed === undefined
    })
    return failed ?? this.#known
  }

  async #patientsOf(type: string, id: string): Promise<ReadonlySet<string> | Refusal> {
    const { policy } = this.#constraint
    const { definitions, sharedTypes } = policy
    if (!definitions.isResourceType(type) || this.#constraint.limitsOn(type, 'r')?.length === 0) return new Set()
    const stored = await readStored(this.#ask, type, id)
    if (isRefusal(stored)) return stored.code === 'not-found' ? new Set() : stored
    if (stored === undefined || !new Guard(this.#constraint, () => 'r').releases(stored.resource)) return new Set()
    const isShared = definitions.patientLinks(type) === undefined && sharedTypes.has(type)
    return new Set(this.#patients.filter((patient) => isShared || isOnlyAbout(stored.resource, type, patient, policy)))
  }
}
