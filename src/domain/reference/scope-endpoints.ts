// The endpoints that a scope opens by itself, as examples for readers: `match` lines of products, interactions and operations below
// a FHIR base. They are worked out by the scope algebra of decisions, so an example is never shown that no decision would allow.

import type { CatalogueScope } from '../../config/schema/scope-catalogue.ts'
import type { PlainRoute } from '../../config/settings.ts'
import { authorityOf } from '../decision/authority.ts'
import type { Catalogue } from '../decision/policy.ts'
import type { CredentialKind } from '../grant.ts'
import { type FhirEndpoint, interactionEndpoints } from './interaction-endpoints.ts'
import type { MappedFhirRoute, MappedRoute } from './mapped-route.ts'
import { operationEndpoints } from './operation-endpoints.ts'

export interface ScopeEndpoint extends FhirEndpoint {
  /** Scopes that the endpoint asks for besides. */
  readonly with: readonly string[]
}

const KINDS: readonly CredentialKind[] = ['bearer', 'api-key', 'service-key']

export function scopeEndpoints(
  scope: CatalogueScope,
  routes: readonly MappedRoute[],
  catalogue: Catalogue,
): readonly ScopeEndpoint[] {
  const kind = KINDS.find((one) => catalogue.mayCarry(scope.name, one))
  if (kind === undefined) return []
  return routes.flatMap((mapped) =>
    mapped.kind === 'fhir' ? fhirEndpoints(scope.name, kind, mapped) : matchEndpoints(scope.name, mapped.route),
  )
}

/** As if the scope came alone, in a token of a launched app. */
function fhirEndpoints(scope: string, kind: CredentialKind, { route, policy }: MappedFhirRoute): ScopeEndpoint[] {
  const grant = {
    kind,
    audience: [],
    scopes: [scope],
    patients: ['launch'],
    fhirUser: 'Practitioner/user',
    expiresAt: 0,
  }
  const { held } = authorityOf(grant, policy)
  return [...interactionEndpoints(held, route.path, policy), ...operationEndpoints(held, [scope], route, policy)].map(
    (endpoint) => ({ ...endpoint, with: [] }),
  )
}

function matchEndpoints(scope: string, { match }: PlainRoute): ScopeEndpoint[] {
  return match.flatMap(({ method, path, requires }) => {
    if (requires === 'public') return []
    const all = 'allOf' in requires ? requires.allOf : []
    const named = 'anyOf' in requires ? requires.anyOf : requires.allOf
    return named.includes(scope) ? [{ method, path, limits: [], with: all.filter((other) => other !== scope) }] : []
  })
}
