// `CapabilityStatement.rest.security` as SMART wants it. The oauth-uris extension is deprecated since SMART 2, but clients of the
// time before `.well-known/smart-configuration` find the endpoints by nothing else.

import type { Endpoints } from './issuer-metadata.ts'

export interface SecurityFacts {
  readonly smart: boolean
  readonly endpoints: Endpoints
  readonly enforced: { readonly crossOrigin: boolean }
}

const SYSTEM = 'http://terminology.hl7.org/CodeSystem/restful-security-service'
const OAUTH_URIS = 'http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris'

export function securityOf({ smart, endpoints, enforced }: SecurityFacts): Readonly<Record<string, unknown>> {
  const code = smart ? 'SMART-on-FHIR' : 'OAuth'
  const uris = smart ? oauthUris(endpoints) : []
  return {
    ...(uris.length === 0 ? {} : { extension: [{ url: OAUTH_URIS, extension: uris }] }),
    cors: enforced.crossOrigin,
    service: [
      { coding: [{ system: SYSTEM, code, display: code }], text: 'OAuth 2.0 access tokens with SMART on FHIR scopes' },
    ],
  }
}

/** The extension makes no sense without both of its mandatory parts. */
function oauthUris(endpoints: Endpoints): readonly { readonly url: string; readonly valueUri: string }[] {
  const { authorization, token, registration, management, introspection, revocation } = endpoints
  if (authorization === undefined || token === undefined) return []
  const named = {
    authorize: authorization,
    token,
    register: registration,
    manage: management,
    introspect: introspection,
    revoke: revocation,
  }
  return Object.entries(named).flatMap(([url, valueUri]) => (valueUri === undefined ? [] : [{ url, valueUri }]))
}
