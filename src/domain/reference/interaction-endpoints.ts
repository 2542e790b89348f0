// The RESTful interactions that held scopes open below a FHIR base, one line for each shape of URL: `GET /fhir/R4/{type}/{id}`.

import { type Cover, covering, type HeldScope } from '../decision/authority.ts'
import type { FhirPolicy } from '../decision/policy.ts'
import type { Door } from '../decision/required-access.ts'

/** What keeps a scope from reaching everything at an endpoint: the launch patient, a granular filter. */
export type LimitKind = 'patient' | 'filter'

export interface FhirEndpoint {
  readonly method: string
  /** With `{type}` and `{id}`, below the public address. */
  readonly path: string
  readonly limits: readonly LimitKind[]
}

interface Shape {
  readonly method: string
  readonly place: string
  readonly permissions: string
}

/** SMART's table of letters, spec §1.4. */
const SHAPES: readonly Shape[] = [
  { method: 'GET', place: '/{type}', permissions: 's' },
  { method: 'GET', place: '/{type}/{id}', permissions: 'r' },
  { method: 'POST', place: '/{type}', permissions: 'c' },
  { method: 'PUT', place: '/{type}/{id}', permissions: 'u' },
  { method: 'PATCH', place: '/{type}/{id}', permissions: 'u' },
  { method: 'DELETE', place: '/{type}/{id}', permissions: 'd' },
]

export function interactionEndpoints(
  held: readonly HeldScope[],
  base: string,
  policy: FhirPolicy,
): readonly FhirEndpoint[] {
  const types = typesOf(held, policy)
  const single = types.flatMap((type) =>
    SHAPES.flatMap(({ method, place, permissions }): FhirEndpoint[] => {
      const cover = coverOf(type, permissions, 'rest', held, policy)
      if (cover === undefined || cover.scope.smart.type !== type) return []
      return [{ method, path: base + inPath(place, type), limits: limitKinds(cover, type) }]
    }),
  )
  return [...single, ...bundleEndpoint(types, held, base, policy)]
}

/** `*` first; then the types that the scopes name and this version of FHIR has. */
export function typesOf(held: readonly HeldScope[], { definitions }: FhirPolicy): readonly string[] {
  const named = new Set(held.map(({ smart }) => smart.type))
  return [...(named.delete('*') ? ['*'] : []), ...[...named].filter((type) => definitions.isResourceType(type)).sort()]
}

/** The widest of the scopes that cover it. */
export function coverOf(
  type: string,
  permissions: string,
  door: Door,
  held: readonly HeldScope[],
  policy: FhirPolicy,
): Cover | undefined {
  return covering({ type, permissions, role: 'own' }, door, held, policy)[0]
}

export function limitKinds({ scope, limit }: Cover, type: string): readonly LimitKind[] {
  if (limit === undefined) return []
  // Of every type at once, only the scope itself can tell.
  const patient = (type === '*' ? scope.limit : limit)?.patients !== undefined
  const filter = (type === '*' ? scope.limit?.filters : limit.clauses)?.length !== 0
  return [...(patient ? (['patient'] as const) : []), ...(filter ? (['filter'] as const) : [])]
}

export function inPath(place: string, type: string): string {
  return type === '*' ? place : place.replace('{type}', type)
}

/** A batch or transaction is worth showing where its entries may write. */
function bundleEndpoint(
  types: readonly string[],
  held: readonly HeldScope[],
  base: string,
  policy: FhirPolicy,
): FhirEndpoint[] {
  for (const type of types) {
    const cover = coverOf(type, 'cud', 'bundle', held, policy)
    if (cover !== undefined) return [{ method: 'POST', path: base || '/', limits: limitKinds(cover, type) }]
  }
  return []
}
