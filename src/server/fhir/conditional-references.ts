// Conditional references within limits: the gateway makes the search itself, narrowed and checked, and the reference goes on as the
// address of the one match, so that neither the outcome tells what else exists nor another record is meant than was decided about.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import type { BundleEntry } from '../../domain/fhir/bundle.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import { notFound } from '../../proxy/guarded-resource.ts'
import type { Ask } from './stored-resource.ts'
import { findOne } from './write-condition.ts'

export class ConditionalReferences {
  readonly #ask: Ask
  readonly #known = new Map<string, Promise<string | undefined | Refusal>>()

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /** By their text; those that may find anything are left to the server. `constraints` are those of each, in order. */
  async find(
    { lookups }: BundleEntry,
    constraints: readonly (Constraint | undefined)[],
  ): Promise<ReadonlyMap<string, string> | Refusal> {
    const found = new Map<string, string>()
    for (const [index, { text, lookup }] of lookups.entries()) {
      const constraint = constraints[index]
      if (constraint === undefined) continue
      const { search, type } = lookup
      const looking = this.#known.get(text) ?? findOne(search, type, constraint, this.#ask)
      this.#known.set(text, looking)
      const id = await looking
      if (isRefusal(id)) return id
      if (id === undefined) return notFound()
      found.set(text, `${type}/${id}`)
    }
    return found
  }
}
