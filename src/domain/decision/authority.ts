// What a grant is worth on a route: the scopes that count there, each still paired with its own context and door, so that a
// narrow scope can never borrow the reach of another one (contract §5, spec §1.3). Several scopes are a union.

import { limitOn, type TypeLimit } from '../constraint/limit.ts'
import type { GrantFacts } from '../grant.ts'
import { parseScope, type ScopeFilter, type SmartScope } from '../smart/scope.ts'
import type { FhirPolicy } from './policy.ts'
import type { CoveredWrite, Door, Need } from './required-access.ts'

/** What a scope may reach beyond its type and letters: nothing when absent. Filters are an AND, patients a union. */
export interface Limit {
  readonly patients?: readonly string[]
  readonly filters: readonly ScopeFilter[]
}

export interface HeldScope {
  /** As it was granted. */
  readonly granted: string
  readonly smart: SmartScope
  readonly doors: readonly Door[]
  /** Whether what it lets an entry write may carry search criteria without `s` (contract §3). */
  readonly criteria: boolean
  /** Undefined when the scope reaches everything of its type. */
  readonly limit: Limit | undefined
}

export interface Authority {
  readonly held: readonly HeldScope[]
  /** Scopes that would count here if a launch patient were known. */
  readonly lackPatient: readonly HeldScope[]
  /** Scopes that would count here if a credential of another kind carried them. */
  readonly wrongKind: readonly HeldScope[]
}

const REST_AND_BUNDLE: readonly Door[] = ['rest', 'bundle']
const EVERY_DOOR: readonly Door[] = ['rest', 'bundle', 'operation', 'bulk']

export function authorityOf(grant: GrantFacts, policy: FhirPolicy): Authority {
  const held: HeldScope[] = []
  const lackPatient: HeldScope[] = []
  const wrongKind: HeldScope[] = []
  // Sorted, so that the order in the token cannot change which of several covering scopes is named.
  for (const granted of [...new Set(grant.scopes)].sort()) {
    for (const { smart, doors, criteria } of meaningsOf(granted, policy)) {
      const reach = reachOf(smart, grant, policy)
      if (reach === 'nothing') continue
      const scope = { granted, smart, doors, criteria, limit: reach === 'no-patient' ? undefined : reach }
      if (!policy.catalogue.mayCarry(granted, grant.kind)) wrongKind.push(scope)
      else if (reach === 'no-patient') lackPatient.push(scope)
      else held.push(scope)
    }
  }
  return { held, lackPatient, wrongKind }
}

/** A scope that covers a need, and how far it reaches into the type. */
export interface Cover {
  readonly scope: HeldScope
  /** Undefined: to every resource of the type. */
  readonly limit: TypeLimit | undefined
}

/** The scopes among `scopes` that cover a need by type, letter and door; those without a limit first. */
export function covering(need: Need, door: Door, scopes: readonly HeldScope[], policy: FhirPolicy): readonly Cover[] {
  const covers = scopes.flatMap((scope): Cover[] => {
    const { smart, doors } = scope
    if (!doors.includes(door)) return []
    if (need.criterionOf !== undefined && carries(scope, need.criterionOf)) return [{ scope, limit: undefined }]
    if (smart.type !== '*' && smart.type !== need.type) return []
    const letters = [...need.permissions].filter((permission) => smart.permissions.includes(permission))
    const limits = letters
      .map((permission) => reachInto(scope, need.type, permission, policy))
      .filter((limit) => limit !== 'nothing')
    return limits.length === 0 ? [] : [{ scope, limit: limits.includes(undefined) ? undefined : limits[0] }]
  })
  return covers.sort((a, b) => Number(a.limit !== undefined) - Number(b.limit !== undefined))
}

/** Only where the write itself is limited by nothing: no filter, no patient, no user behind it. */
function carries({ smart, limit, criteria }: HeldScope, { type, permission }: CoveredWrite): boolean {
  if (!criteria || smart.context !== 'system' || limit !== undefined) return false
  return (smart.type === '*' || smart.type === type) && smart.permissions.includes(permission)
}

/** Of every type at once nothing can be said yet but that there is a limit: each resource is asked about by its own type. */
function reachInto(scope: HeldScope, type: string, permission: string, policy: FhirPolicy): ReturnType<typeof limitOn> {
  if (type !== '*') return limitOn(scope, type, permission, policy)
  return scope.limit === undefined ? undefined : { clauses: [] }
}

type Meaning = Pick<HeldScope, 'smart' | 'doors' | 'criteria'>

function meaningsOf(granted: string, policy: FhirPolicy): Meaning[] {
  const meanings: Meaning[] = policy.worths
    .filter(({ scope }) => scope === granted)
    .map(({ smart, via, criteria }) => ({ smart, doors: via.length === 0 ? REST_AND_BUNDLE : via, criteria }))
  const smart = policy.smart ? parseScope(granted) : undefined
  if (smart !== undefined) meanings.push({ smart, doors: EVERY_DOOR, criteria: policy.criteriaWithoutSearch })
  return meanings
}

/** How far the context lets a scope reach. */
function reachOf(
  smart: SmartScope,
  grant: GrantFacts,
  policy: FhirPolicy,
): Limit | undefined | 'nothing' | 'no-patient' {
  const { filters } = smart
  const filtered = filters.length === 0 ? undefined : { filters }
  switch (smart.context) {
    case 'system':
      return filtered
    case 'patient':
      return grant.patients.length === 0 ? 'no-patient' : { patients: grant.patients, filters }
    case 'user':
      return userReach(filtered, grant, policy)
  }
}

/** A user who is a Patient never reaches beyond that Patient; what other users may see is the FHIR server's rule (contract §5). */
function userReach(filtered: Limit | undefined, grant: GrantFacts, policy: FhirPolicy): Limit | undefined | 'nothing' {
  if (policy.userScopes === 'refuse') return 'nothing'
  const patient = /^Patient\/(.+)$/.exec(grant.fhirUser ?? '')?.[1]
  if (patient !== undefined) return { patients: [patient], filters: filtered?.filters ?? [] }
  // Limiting other users to what names them is not built, so under this rule they reach nothing.
  return policy.userScopes === 'fhirUser' ? 'nothing' : filtered
}
