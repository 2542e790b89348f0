// The `capabilities` of smart-configuration (SMART App Launch 2.2 §Capability sets): what the issuer and the gateway together do.
// Permissions are the gateway's word, client authentication and sign-on the issuer's; what neither can know (launches, contexts)
// is the operator's to list in the route map.

import type { FhirRoute, Issuer } from '../../config/settings.ts'
import type { Enforced } from './enforced.ts'
import { type Endpoints, type IssuerMetadata, textsOf } from './issuer-metadata.ts'

export interface CapabilityFacts {
  readonly route: FhirRoute
  readonly issuer: Issuer
  readonly metadata: IssuerMetadata | undefined
  readonly endpoints: Endpoints
  readonly enforced: Enforced
}

export function smartCapabilities(facts: CapabilityFacts): readonly string[] {
  const listed = facts.route.smart?.capabilities ?? [...permissions(facts), ...fromIssuer(facts.metadata)]
  return [...new Set(listed)].filter((capability) => isComplete(capability, facts.endpoints))
}

function permissions({ route, issuer, enforced }: CapabilityFacts): readonly string[] {
  const grants = (context: string): boolean =>
    issuer.mayGrant === undefined || issuer.mayGrant.some((pattern) => pattern.startsWith(`${context}/`))
  const capabilities = ['permission-v1', 'permission-v2']
  if (enforced.patientScopes && grants('patient')) capabilities.push('permission-patient')
  if (route.userScopes !== 'refuse' && grants('user')) capabilities.push('permission-user')
  return capabilities
}

function fromIssuer(metadata: IssuerMetadata | undefined): readonly string[] {
  const scopes = textsOf(metadata, 'scopes_supported') ?? []
  const methods = textsOf(metadata, 'token_endpoint_auth_methods_supported') ?? []
  // An issuer that knows SMART says itself what it does; permissions are not its to promise here.
  const capabilities = (textsOf(metadata, 'capabilities') ?? []).filter((name) => !/^permission-(?!o)/.test(name))
  if (methods.includes('none')) capabilities.push('client-public')
  if (methods.includes('client_secret_basic') || methods.includes('client_secret_post')) {
    capabilities.push('client-confidential-symmetric')
  }
  if (methods.includes('private_key_jwt')) capabilities.push('client-confidential-asymmetric')
  if (scopes.includes('openid') && scopes.includes('fhirUser')) capabilities.push('sso-openid-connect')
  if (scopes.includes('offline_access')) capabilities.push('permission-offline')
  return capabilities
}

/** A capability whose required fields are unknown would make the document invalid. */
function isComplete(capability: string, endpoints: Endpoints): boolean {
  if (capability === 'sso-openid-connect') return endpoints.jwks !== undefined
  if (/^launch-|^authorize-post$/.test(capability)) return endpoints.authorization !== undefined
  return true
}
