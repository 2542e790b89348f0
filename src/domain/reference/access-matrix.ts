// The access matrix: what a set of scopes opens on every FHIR route, resource types × letters, and at the endpoints of other products.
// It asks the same `authorityOf` and `covering` that decisions ask, once for each type and letter. Nothing of it clears a request.

import { type Authority, authorityOf, covering, type HeldScope } from '../decision/authority.ts'
import { coveringScopes } from '../decision/decide-plain.ts'
import type { Catalogue } from '../decision/policy.ts'
import type { CredentialKind, GrantFacts } from '../grant.ts'
import type { Permission } from '../smart/scope.ts'
import type { FhirEndpoint, LimitKind } from './interaction-endpoints.ts'
import { limitKinds, typesOf } from './interaction-endpoints.ts'
import type { MappedFhirRoute, MappedRoute } from './mapped-route.ts'
import { operationEndpoints } from './operation-endpoints.ts'
import { type SilentScope, silentScopes } from './silent-scopes.ts'

export interface MatrixRequest {
  readonly scopes: readonly string[]
  readonly kind: CredentialKind
  /** A launch patient is known. */
  readonly patient: boolean
}

export interface AccessMatrix {
  /** FHIR routes on which something is opened. */
  readonly routes: readonly RouteMatrix[]
  /** Operations, and endpoints of other products. */
  readonly endpoints: readonly FhirEndpoint[]
  /** Scopes that grant nothing, each with the reason. */
  readonly silent: readonly SilentScope[]
}

export interface RouteMatrix {
  readonly path: string
  readonly version: string
  /** Types with the same access stand together. Types that the scopes name come first, each by itself. */
  readonly rows: readonly MatrixRow[]
}

export interface MatrixRow {
  readonly types: readonly string[]
  /** One for each letter of `LETTERS`. */
  readonly cells: readonly MatrixCell[]
}

export interface MatrixCell {
  readonly access: 'full' | 'limited' | 'none'
  readonly limits: readonly LimitKind[]
  /** The only door through which it is open, where it is not both. */
  readonly only?: 'rest' | 'bundle'
}

export const LETTERS: readonly Permission[] = ['c', 'r', 'u', 'd', 's']

const NONE: MatrixCell = { access: 'none', limits: [] }

export function accessMatrix(asked: MatrixRequest, routes: readonly MappedRoute[], catalogue: Catalogue): AccessMatrix {
  const grant: GrantFacts = {
    kind: asked.kind,
    audience: [],
    scopes: asked.scopes,
    patients: asked.patient ? ['launch'] : [],
    expiresAt: 0,
  }
  const carried = asked.scopes.filter((scope) => catalogue.mayCarry(scope, asked.kind))
  const authorities = new Map<MappedFhirRoute, Authority>()
  const matrices: RouteMatrix[] = []
  const endpoints: FhirEndpoint[] = []
  const used = new Set<string>()
  for (const mapped of routes) {
    if (mapped.kind === 'fhir') {
      const authority = authorityOf(grant, mapped.policy)
      authorities.set(mapped, authority)
      matrices.push(routeMatrix(authority.held, mapped, used))
      endpoints.push(...operationEndpoints(authority.held, carried, mapped.route, mapped.policy))
      continue
    }
    for (const { method, path, requires } of mapped.route.match) {
      const covered = requires === 'public' ? undefined : coveringScopes(requires, grant, catalogue)
      if (covered === undefined) continue
      endpoints.push({ method, path, limits: [] })
      for (const scope of covered) used.add(scope)
    }
  }
  return {
    routes: matrices.filter(({ rows }) => rows.length > 0),
    endpoints,
    silent: silentScopes(
      asked.scopes.filter((scope) => !used.has(scope)),
      asked,
      authorities,
      catalogue,
    ),
  }
}

/** Rows for all types to which anything is open; `used` hears of each scope that opens some of it. */
function routeMatrix(held: readonly HeldScope[], { route, policy }: MappedFhirRoute, used: Set<string>): RouteMatrix {
  const named = typesOf(held, policy).filter((type) => type !== '*')
  const rows = new Map<string, { types: string[]; cells: readonly MatrixCell[] }>()
  for (const type of [...named, ...policy.definitions.resourceTypes.filter((type) => !named.includes(type))]) {
    const mine = held.filter(({ smart }) => smart.type === '*' || smart.type === type)
    const cells = LETTERS.map((letter) => cellOf(type, letter, mine, policy, used))
    if (cells.every(({ access }) => access === 'none')) continue
    const key = named.includes(type) ? type : JSON.stringify(cells)
    const row = rows.get(key)
    if (row === undefined) rows.set(key, { types: [type], cells })
    else row.types.push(type)
  }
  return { path: route.path || '/', version: route.fhir, rows: [...rows.values()] }
}

function cellOf(
  type: string,
  letter: Permission,
  held: readonly HeldScope[],
  policy: MappedFhirRoute['policy'],
  used: Set<string>,
): MatrixCell {
  const need = { type, permissions: letter, role: 'own' } as const
  const alone = covering(need, 'rest', held, policy)
  // Most scopes count at both doors alike.
  const alike = held.every(({ doors }) => doors.includes('rest') === doors.includes('bundle'))
  const inBundle = alike ? alone : covering(need, 'bundle', held, policy)
  for (const { scope } of [...alone, ...inBundle]) used.add(scope.granted)
  const covers = alone.length > 0 ? alone : inBundle
  const widest = covers[0]
  if (widest === undefined) return NONE
  const only = inBundle.length === 0 ? 'rest' : alone.length === 0 ? 'bundle' : undefined
  const limits = widest.limit === undefined ? [] : [...new Set(covers.flatMap((cover) => limitKinds(cover, type)))]
  return { access: limits.length === 0 ? 'full' : 'limited', limits, ...(only === undefined ? {} : { only }) }
}
