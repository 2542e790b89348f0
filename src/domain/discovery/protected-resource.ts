// Metadata of a protected resource (RFC 9728 §2): which issuers' tokens count there, and which scopes open something.

import type { CatalogueScope } from '../../config/schema/scope-catalogue.ts'
import type { Issuer, Route } from '../../config/settings.ts'
import { routeScopes } from './supported-scopes.ts'
import { commonPath } from './well-known.ts'

export interface ProtectedResourceFacts {
  readonly publicUrl: string
  /** Algorithms of DPoP proofs that are taken (RFC 9449 §5.1). */
  readonly proofAlgorithms?: readonly string[]
  readonly tls?: { readonly clientCa?: string } | undefined
  readonly issuers: readonly Issuer[]
  readonly catalogue: readonly CatalogueScope[]
}

/** The path of what a route protects: its FHIR base, or what its templates have in common. */
export function resourcePathOf(route: Route): string {
  return route.kind === 'fhir' ? route.path : commonPath(route.match.map(({ path }) => path))
}

/** One document for one path, whatever number of routes lie there. */
export function protectedResource(
  path: string,
  routes: readonly Route[],
  { publicUrl, issuers, catalogue, proofAlgorithms, tls }: ProtectedResourceFacts,
): Readonly<Record<string, unknown>> {
  const trusted = new Set(routes.flatMap((route) => route.issuers))
  return {
    resource: publicUrl + path,
    resource_name: routes.map(({ name }) => name).join(', '),
    authorization_servers: issuers.filter(({ name }) => trusted.has(name)).map(({ issuer }) => issuer),
    scopes_supported: [...new Set(routes.flatMap((route) => routeScopes(route, catalogue)))],
    bearer_methods_supported: ['header'],
    ...(trusted.size > 0 && proofAlgorithms && { dpop_signing_alg_values_supported: proofAlgorithms }),
    ...(trusted.size > 0 && tls?.clientCa !== undefined && { tls_client_certificate_bound_access_tokens: true }),
  }
}
