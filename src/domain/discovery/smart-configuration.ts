// `.well-known/smart-configuration` (SMART App Launch 2.2 §Conformance; spec §5.2): endpoints from the issuer, scopes and
// permissions from the gateway. PKCE with `plain` is never offered.

import type { CatalogueScope } from '../../config/schema/scope-catalogue.ts'
import type { FhirRoute, Issuer } from '../../config/settings.ts'
import type { Enforced } from './enforced.ts'
import { endpointsOf, type IssuerMetadata, printEndpoints, textsOf } from './issuer-metadata.ts'
import { smartCapabilities } from './smart-capabilities.ts'
import { smartScopes } from './supported-scopes.ts'

export interface SmartConfigurationFacts {
  readonly route: FhirRoute
  readonly issuer: Issuer
  /** Undefined while the issuer could not be asked. */
  readonly metadata: IssuerMetadata | undefined
  readonly catalogue: readonly CatalogueScope[]
  readonly enforced: Enforced
}

/** Undefined while no token endpoint is known: the document would lack a required field. */
export function smartConfiguration(facts: SmartConfigurationFacts): Readonly<Record<string, unknown>> | undefined {
  const { route, issuer, metadata } = facts
  const known = { ...(issuer.jwks === undefined ? {} : { jwks: issuer.jwks }), ...route.smart?.endpoints }
  const endpoints = endpointsOf(metadata, known)
  if (endpoints.token === undefined) return undefined
  const capabilities = smartCapabilities({ ...facts, endpoints })
  return {
    // Required with single sign-on, and otherwise to be left out.
    ...(capabilities.includes('sso-openid-connect') ? { issuer: issuer.issuer } : {}),
    ...printEndpoints(endpoints),
    grant_types_supported: grantTypes(metadata, endpoints.authorization !== undefined),
    ...lists(metadata, ['response_types_supported', 'token_endpoint_auth_methods_supported']),
    code_challenge_methods_supported: ['S256'],
    scopes_supported: smartScopes(route, facts.catalogue),
    capabilities,
  }
}

function grantTypes(metadata: IssuerMetadata | undefined, hasAuthorization: boolean): readonly string[] {
  const unsaid = hasAuthorization ? ['authorization_code'] : ['client_credentials']
  return textsOf(metadata, 'grant_types_supported') ?? unsaid
}

function lists(metadata: IssuerMetadata | undefined, members: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    members.flatMap((member) => {
      const texts = textsOf(metadata, member)
      return texts === undefined ? [] : [[member, texts]]
    }),
  )
}
