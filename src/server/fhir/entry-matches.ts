// Entries of a transaction that are written by a condition (R4 http §ccreate, §cond-update) and that others refer to: where the condition
// finds a resource within the grant, the reference means that one (spec §2.6). Those who refer to it within limits are judged by it, and
// go on with its address, so that nothing else can be meant when the server looks.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import type { BundleEntry } from '../../domain/fhir/bundle.ts'
import { referenceTexts, urnOf } from '../../domain/fhir/entry-references.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import { inParallel } from './in-parallel.ts'
import type { Ask } from './stored-resource.ts'
import { findOne } from './write-condition.ts'

const MOST_AT_ONCE = 8

/** The addresses of the matches, by the names of the entries. `constraints`: within which each entry was cleared. */
export async function findEntryMatches(
  entries: readonly BundleEntry[],
  constraints: readonly (Constraint | undefined)[],
  ask: Ask,
): Promise<ReadonlyMap<string, string> | Refusal> {
  const constraint = constraints.find((one) => one !== undefined)
  const addresses = new Map<string, string>()
  if (constraint === undefined) return addresses
  const meant = referenceTexts(
    entries.flatMap(({ resource }, place) => (constraints[place] && resource ? [resource] : [])),
  )
  let failed: Refusal | undefined
  await inParallel(entries, MOST_AT_ONCE, async (entry, place) => {
    const { interaction } = entry
    if (interaction.code !== 'create' && interaction.code !== 'update') return true
    const { condition, type } = interaction
    const urn = urnOf(entry)
    if (condition === undefined || urn === undefined || !meant.has(urn)) return true
    const id = await findOne(condition, type, constraints[place] ?? constraint, ask)
    if (isRefusal(id)) failed ??= id.status >= 500 ? id : undefined
    // What cannot be told stays what it is: a resource that is new, and nobody's.
    else if (id !== undefined) addresses.set(urn, `${type}/${id}`)
    return failed === undefined
  })
  return failed ?? addresses
}
