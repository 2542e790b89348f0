// The operations of a route that held scopes open: by type and letters, by a product scope, or as a bulk export, which takes
// `system/` scopes with `r` and `s` for what it exports (spec §8).

import type { Operation } from '../../config/schema/operations.ts'
import type { FhirRoute } from '../../config/settings.ts'
import type { HeldScope } from '../decision/authority.ts'
import type { FhirPolicy } from '../decision/policy.ts'
import { coverOf, type FhirEndpoint, inPath, type LimitKind, limitKinds, typesOf } from './interaction-endpoints.ts'

/** `scopes`: those of the grant that its kind of credential may carry. */
export function operationEndpoints(
  held: readonly HeldScope[],
  scopes: readonly string[],
  { path, operations }: FhirRoute,
  policy: FhirPolicy,
): readonly FhirEndpoint[] {
  return operations.flatMap((operation): readonly FhirEndpoint[] => {
    const { shape, methods, requires } = operation
    const method = methods.includes('GET') ? 'GET' : 'POST'
    if (operation.bulk) return bulkEndpoints(`${path}/${shape}`, held, policy)
    if (requires === undefined) return []
    if ('scope' in requires) {
      return scopes.includes(requires.scope) ? [{ method, path: `${path}/${shape}`, limits: [] }] : []
    }
    return accessTypes(requires.type, held, policy).flatMap((type) => {
      const limits = limitsOn(type, requires.letters, operation, held, policy)
      return limits === undefined ? [] : [{ method, path: inPath(`${path}/${shape}`, type), limits }]
    })
  })
}

/** `{type}` stands for whatever the scopes name. */
function accessTypes(type: string, held: readonly HeldScope[], policy: FhirPolicy): readonly string[] {
  return type === '{type}' ? typesOf(held, policy) : [type]
}

/** Undefined unless every letter is covered. */
function limitsOn(
  type: string,
  letters: string,
  { contexts }: Operation,
  held: readonly HeldScope[],
  policy: FhirPolicy,
): readonly LimitKind[] | undefined {
  const counted = held.filter(({ smart }) => contexts.includes(smart.context))
  const covers = [...letters].map((letter) => coverOf(type, letter, 'operation', counted, policy))
  if (covers.includes(undefined)) return undefined
  return [...new Set(covers.flatMap((cover) => limitKinds(cover!, type)))]
}

function bulkEndpoints(path: string, held: readonly HeldScope[], policy: FhirPolicy): readonly FhirEndpoint[] {
  const system = held.filter(({ smart }) => smart.context === 'system')
  // Whose export it is, is told by the Group itself.
  if (path.includes('Group/{id}/') && coverOf('Group', 'r', 'bulk', system, policy) === undefined) return []
  const exported = typesOf(system, policy).flatMap((type): FhirEndpoint[] => {
    const covers = [...'rs'].map((letter) => coverOf(type, letter, 'bulk', system, policy))
    if (covers.includes(undefined)) return []
    const limits = [...new Set(covers.flatMap((cover) => limitKinds(cover!, type)))]
    return [{ method: 'GET', path: type === '*' ? path : `${path}?_type=${type}`, limits }]
  })
  return exported[0]?.path === path && exported[0].limits.length === 0 ? [exported[0]] : exported
}
