// The scopes that a refusal offers (contract §4): a smallest set that would do by itself, of a kind that the caller's credential
// may carry, in the context that the caller already uses. Nothing is offered where nothing would help.

import type { GrantFacts } from '../grant.ts'
import { type Permission, parseScope, type ScopeContext } from '../smart/scope.ts'
import { authorityOf, type Cover, covering } from './authority.ts'
import type { FhirPolicy } from './policy.ts'
import type { Door, Need, RequiredAccess } from './required-access.ts'

const LETTERS: readonly Permission[] = ['c', 'r', 'u', 'd', 's']
const CONTEXTS: readonly ScopeContext[] = ['patient', 'user', 'system']
// More product scopes than these at once are looked for by nobody.
const MOST_PRODUCT_SCOPES = 3

interface Demand {
  readonly need: Need
  readonly door: Door
  /** Contexts whose scopes count; all when absent. */
  readonly contexts: readonly ScopeContext[] | undefined
}

export function smallestSet(
  required: readonly RequiredAccess[],
  grant: GrantFacts,
  policy: FhirPolicy,
): readonly string[] {
  const demands = demandsOf(required)
  const smart = policy.smart && grant.kind === 'bearer' ? smartSet(demands, grant, policy) : []
  return smart.length > 0 ? smart : productSet(demands, grant, policy)
}

/** Whether any scopes that this kind of credential may carry would cover the request, wildcards included. */
export function canBeCovered(required: readonly RequiredAccess[], grant: GrantFacts, policy: FhirPolicy): boolean {
  const demands = demandsOf(required)
  const products = [...policy.worths.map(({ scope }) => scope), ...policy.catalogue.scopes]
  const smart = policy.smart && grant.kind === 'bearer' ? CONTEXTS.map((context) => `${context}/*.cruds`) : []
  return metBy([...products, ...smart], demands, grant, policy).length === demands.length
}

/** Each once: a Bundle may ask the same of thousands of entries. */
function demandsOf(required: readonly RequiredAccess[]): readonly Demand[] {
  const demands = new Map<string, Demand>()
  for (const { needs, door, contexts } of required) {
    for (const need of needs.filter(({ optional }) => !optional)) {
      const write = need.criterionOf === undefined ? '' : `${need.criterionOf.type} ${need.criterionOf.permission}`
      const key = `${need.type} ${need.permissions} ${need.role === 'probe'} ${door} ${contexts} ${write}`
      demands.set(key, { need, door, contexts })
    }
  }
  return [...demands.values()]
}

/** The demands that these scopes alone would meet, if the token were otherwise the same. */
function metBy(
  scopes: readonly string[],
  demands: readonly Demand[],
  grant: GrantFacts,
  policy: FhirPolicy,
): readonly Demand[] {
  // A patient/ scope brings its launch patient with it when it is asked for.
  const patients = grant.patients.length > 0 ? grant.patients : ['launched']
  const { held } = authorityOf({ ...grant, scopes, patients }, policy)
  return demands.filter(({ need, door, contexts }) => {
    const counting = contexts === undefined ? held : held.filter(({ smart }) => contexts.includes(smart.context))
    return covering(need, door, counting, policy).some((cover) => mayHelp(need, cover))
  })
}

// A patient's part of a type cannot answer a question about all of it, and a filtered part need not hold what was asked for.
function mayHelp(need: Need, { scope, limit }: Cover): boolean {
  return scope.smart.filters.length === 0 && (need.role !== 'probe' || limit === undefined)
}

function smartSet(demands: readonly Demand[], grant: GrantFacts, policy: FhirPolicy): readonly string[] {
  const context = contextOf(grant, demands)
  if (context === undefined) return []
  const isFree = ({ criterionOf }: Need): boolean =>
    criterionOf !== undefined && context === 'system' && policy.criteriaWithoutSearch
  const needs = demands.map(({ need }) => need).filter((need) => !isFree(need))
  // No wildcard is ever offered.
  if (needs.some(({ type }) => type === '*')) return []
  const lettersOf = new Map<string, Set<string>>()
  for (const { type, permissions } of byFewestChoices(needs)) {
    const letters = lettersOf.get(type) ?? new Set()
    if (![...permissions].some((permission) => letters.has(permission))) letters.add(permissions[0]!)
    lettersOf.set(type, letters)
  }
  const scopes = [...lettersOf].map(
    ([type, letters]) => `${context}/${type}.${LETTERS.filter((letter) => letters.has(letter)).join('')}`,
  )
  return metBy(scopes, demands, grant, policy).length === demands.length ? scopes.sort() : []
}

/** The context that the caller uses; else what the token knows of (contract §4). One that does not count here helps nobody. */
function contextOf(grant: GrantFacts, demands: readonly Demand[]): ScopeContext | undefined {
  const used = new Set(grant.scopes.map((scope) => parseScope(scope)?.context))
  const preferred: readonly ScopeContext[] = [
    ...CONTEXTS.filter((context) => used.has(context)),
    ...(grant.patients.length > 0 ? (['patient'] as const) : []),
    ...(grant.fhirUser === undefined ? [] : (['user'] as const)),
    'system',
    'user',
    'patient',
  ]
  return preferred.find((context) => demands.every(({ contexts }) => contexts?.includes(context) ?? true))
}

function productSet(demands: readonly Demand[], grant: GrantFacts, policy: FhirPolicy): readonly string[] {
  const met = new Map<string, readonly Demand[]>()
  for (const { scope } of policy.worths) {
    const demandsMet = metBy([scope], demands, grant, policy)
    if (demandsMet.length > 0) met.set(scope, demandsMet)
  }
  const weight = (set: readonly string[]): number =>
    policy.worths.reduce((sum, { scope, smart }) => sum + (set.includes(scope) ? smart.permissions.length : 0), 0)
  const does = (set: readonly string[]): boolean =>
    new Set(set.flatMap((scope) => met.get(scope)!)).size === demands.length
  for (let size = 1; size <= MOST_PRODUCT_SCOPES; size++) {
    const best = subsets([...met.keys()].sort(), size)
      .filter(does)
      .sort((a, b) => weight(a) - weight(b))[0]
    if (best !== undefined) return best
  }
  return []
}

/** In alphabetical order when `names` are. */
function subsets(names: readonly string[], size: number): string[][] {
  if (size === 0) return [[]]
  return names.flatMap((name, index) => subsets(names.slice(index + 1), size - 1).map((rest) => [name, ...rest]))
}

// Needs with one possible letter first, so that one with a choice can use what is there already.
function byFewestChoices(needs: readonly Need[]): readonly Need[] {
  return [...needs].sort((a, b) => a.permissions.length - b.permissions.length)
}
