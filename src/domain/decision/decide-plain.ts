// Decisions on routes that are no FHIR endpoint: product scopes only, by name, default deny.

import type { Grant, GrantFacts } from '../grant.ts'
import { refuse } from '../refusal.ts'
import { clear, type Decision } from './decision.ts'
import type { Catalogue } from './policy.ts'
import type { Need } from './required-access.ts'

/** What a `match` line of the route map asks for. */
export type Requirement = 'public' | { readonly anyOf: readonly string[] } | { readonly allOf: readonly string[] }

const ENDPOINT: Need = { type: 'endpoint', permissions: '', role: 'own' }

/** `grant` is undefined only where the route is public. */
export function decidePlain(requirement: Requirement, grant: Grant | undefined, catalogue: Catalogue): Decision {
  if (requirement === 'public') return clear([])
  if (grant === undefined) return deny([], catalogue, undefined)
  const held = coveringScopes(requirement, grant, catalogue)
  if (held !== undefined) return clear(held.map((scope) => ({ need: ENDPOINT, scope })))
  const asked = 'anyOf' in requirement ? requirement.anyOf : requirement.allOf
  return deny('anyOf' in requirement ? firstCarried(asked, grant, catalogue) : asked, catalogue, grant)
}

/** The scopes that meet a requirement; undefined when it is not met. Clears nothing by itself. */
export function coveringScopes(
  requirement: Exclude<Requirement, 'public'>,
  { scopes, kind }: Pick<GrantFacts, 'scopes' | 'kind'>,
  catalogue: Catalogue,
): readonly string[] | undefined {
  const asked = 'anyOf' in requirement ? requirement.anyOf : requirement.allOf
  const held = asked.filter((scope) => scopes.includes(scope) && catalogue.mayCarry(scope, kind))
  const enough = 'anyOf' in requirement ? held.length > 0 : asked.length > 0 && held.length === asked.length
  return enough ? held : undefined
}

function deny(scopes: readonly string[], catalogue: Catalogue, grant: Grant | undefined): Decision {
  const wrongKind =
    grant !== undefined &&
    scopes.some((scope) => grant.scopes.includes(scope) && !catalogue.mayCarry(scope, grant.kind))
  const helpful =
    grant !== undefined && scopes.length > 0 && scopes.every((scope) => catalogue.mayCarry(scope, grant.kind))
  const code = wrongKind || (grant !== undefined && !helpful) ? 'credential-kind' : 'scope-insufficient'
  const carriers = [...new Set(scopes.flatMap((scope) => catalogue.carriers(scope)))].sort().join(', ')
  const detail =
    code === 'credential-kind'
      ? `This kind of credential cannot carry the scope that this request needs; these can: ${carriers || 'none'}.`
      : 'No scope of the credential covers this request.'
  return {
    outcome: 'deny',
    refusal: refuse(code, detail, helpful ? { scopes: [...scopes].sort() } : {}),
    covered: [],
    missing: [],
  }
}

// Of several scopes that would do, the alphabetically first that this credential may carry.
function firstCarried(scopes: readonly string[], grant: Grant, catalogue: Catalogue): readonly string[] {
  const carried = scopes.filter((scope) => catalogue.mayCarry(scope, grant.kind)).sort()
  return (carried.length > 0 ? carried : [...scopes].sort()).slice(0, 1)
}
