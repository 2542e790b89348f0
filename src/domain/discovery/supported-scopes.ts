// `scopes_supported`: the SMART and OpenID scopes of the catalogue and what the route adds (contract §5); for the metadata of a
// protected resource (RFC 9728) also the product scopes that open something on it.

import type { CatalogueScope } from '../../config/schema/scope-catalogue.ts'
import type { Route } from '../../config/settings.ts'
import { parseScope } from '../smart/scope.ts'
import { expandScopeSets } from '../smart/us-core.ts'

const IDENTITY_AND_LAUNCH = /^(?:openid|profile|fhirUser|offline_access|online_access|launch(?:\/[a-z]+(?:\?.*)?)?)$/

export function smartScopes(route: Route, catalogue: readonly CatalogueScope[]): readonly string[] {
  if (route.kind !== 'fhir' || route.smart === undefined) return []
  const listed = catalogue.filter(isSmart).map(({ name }) => name)
  return [...new Set([...listed, ...expandScopeSets(route.smart.scopesSupported ?? [])])]
}

export function routeScopes(route: Route, catalogue: readonly CatalogueScope[]): readonly string[] {
  const products =
    route.kind === 'fhir'
      ? route.grants.map(({ name }) => name)
      : route.match.flatMap(({ requires }) =>
          requires === 'public' ? [] : 'anyOf' in requires ? requires.anyOf : requires.allOf,
        )
  return [...new Set([...smartScopes(route, catalogue), ...products])]
}

function isSmart({ name, credentials }: CatalogueScope): boolean {
  return credentials.includes('smart') || IDENTITY_AND_LAUNCH.test(name) || parseScope(name) !== undefined
}
