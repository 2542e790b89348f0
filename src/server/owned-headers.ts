// The header fields that are the gateway's own: which names no client may send, and what a route's upstream is told in them.

import type { Route, Settings } from '../config/settings.ts'
import type { Catalogue } from '../domain/decision/policy.ts'
import type { compileOutbound } from '../proxy/headers.ts'
import type { ScopeCounts } from '../proxy/identity-headers.ts'

/** Every name that carries identity on some route: no client may send one, in any spelling, to any route. */
export function ownedHeaders(settings: Settings): readonly string[] {
  const identity = settings.routes.flatMap(({ identityHeaders }) => Object.values(identityHeaders || {}))
  return [...new Set([...identity, apiKeyHeader(settings)])]
}

export function apiKeyHeader({ apiKeys }: Settings): string {
  return apiKeys?.header ?? 'X-API-Key'
}

/** What only the issuer knows of, such as `openid`, is passed on for a token; a key has no issuer. */
export function countsBy(catalogue: Catalogue): ScopeCounts {
  return (scope, kind) => catalogue.mayCarry(scope, kind) || (kind === 'bearer' && !catalogue.has(scope))
}

export function outboundRoute(route: Route): Parameters<typeof compileOutbound>[0] {
  const { kind, identityHeaders, authorization } = route
  return { kind, authorization, identityHeaders: identityHeaders || undefined }
}
