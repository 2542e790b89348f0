// The scopes that a refusal offers (contract §4): a smallest set that would do by itself, of a kind that the caller's credential
// may carry, in the context that the caller already uses. Nothing is offered where nothing would help.

import type { Grant } from '../grant.ts'
import { type Permission, parseScope, type ScopeContext } from '../smart/scope.ts'
import type { FhirPolicy, Worth } from './policy.ts'
import type { Need, RequiredAccess } from './required-access.ts'

const LETTERS: readonly Permission[] = ['c', 'r', 'u', 'd', 's']
const CONTEXTS: readonly ScopeContext[] = ['patient', 'user', 'system']

export function smallestSet(required: readonly RequiredAccess[], grant: Grant, policy: FhirPolicy): readonly string[] {
  const smart = policy.smart && grant.kind === 'bearer' ? smartSet(required, grant, policy) : []
  return smart.length > 0 ? smart : productSet(required, grant, policy)
}

function smartSet(required: readonly RequiredAccess[], grant: Grant, policy: FhirPolicy): readonly string[] {
  const needs = required.flatMap((access) => access.needs)
  const context = contextOf(grant)
  // No wildcard is ever offered, and a patient's part of a type cannot answer a question about all of it.
  if (needs.some((need) => need.type === '*' || (need.role === 'probe' && context === 'patient'))) return []
  const lettersOf = new Map<string, Set<string>>()
  for (const need of byFewestChoices(needs)) {
    const letters = lettersOf.get(need.type) ?? new Set()
    if (![...need.permissions].some((permission) => letters.has(permission))) letters.add(need.permissions[0]!)
    lettersOf.set(need.type, letters)
  }
  const scopes = [...lettersOf].map(
    ([type, letters]) => `${context}/${type}.${LETTERS.filter((letter) => letters.has(letter)).join('')}`,
  )
  return scopes.every((scope) => policy.catalogue.mayCarry(scope, grant.kind)) ? scopes.sort() : []
}

/** The context that the caller uses; else what the token knows of (contract §4). */
function contextOf(grant: Grant): ScopeContext {
  const used = new Set(grant.scopes.map((scope) => parseScope(scope)?.context))
  const first = CONTEXTS.find((context) => used.has(context))
  if (first !== undefined) return first
  if (grant.patients.length > 0) return 'patient'
  return grant.fhirUser === undefined ? 'system' : 'user'
}

function productSet(required: readonly RequiredAccess[], grant: Grant, policy: FhirPolicy): readonly string[] {
  const usable = policy.worths.filter(
    ({ scope, smart }) => policy.catalogue.mayCarry(scope, grant.kind) && smart.filters.length === 0,
  )
  const demands = required.flatMap(({ needs, door }) => needs.map((need) => ({ need, door })))
  const names = [...new Set(usable.map(({ scope }) => scope))].sort()
  const does = (set: readonly string[]): boolean =>
    demands.every(({ need, door }) => usable.some((worth) => set.includes(worth.scope) && meets(worth, need, door)))
  const weight = (set: readonly string[]): number =>
    usable.filter(({ scope }) => set.includes(scope)).reduce((sum, { smart }) => sum + smart.permissions.length, 0)
  for (const candidates of [names.map((name) => [name]), pairs(names)]) {
    const best = candidates.filter(does).sort((a, b) => weight(a) - weight(b))[0]
    if (best !== undefined) return best
  }
  return []
}

function meets({ smart, via }: Worth, need: Need, door: RequiredAccess['door']): boolean {
  if (
    smart.context !== 'system' ||
    !(via.includes(door) || (via.length === 0 && (door === 'rest' || door === 'bundle')))
  )
    return false
  return (
    (smart.type === '*' || smart.type === need.type) &&
    [...need.permissions].some((letter) => smart.permissions.includes(letter))
  )
}

function pairs(names: readonly string[]): string[][] {
  return names.flatMap((a, index) => names.slice(index + 1).map((b) => [a, b]))
}

// Needs with one possible letter first, so that one with a choice can use what is there already.
function byFewestChoices(needs: readonly Need[]): readonly Need[] {
  return [...needs].sort((a, b) => a.permissions.length - b.permissions.length)
}
