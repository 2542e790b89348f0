// What an issuer says about itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), joined with what the route map says instead.
// It comes from another server: only absolute http(s) URLs and lists of texts are taken over, everything else is left.

export type IssuerMetadata = Readonly<Record<string, unknown>>

/** Endpoints as `smart.endpoints` of the route map calls them. */
export interface Endpoints {
  readonly authorization?: string
  readonly token?: string
  readonly introspection?: string
  readonly revocation?: string
  readonly registration?: string
  readonly management?: string
  readonly jwks?: string
}

const MEMBERS = {
  authorization: 'authorization_endpoint',
  token: 'token_endpoint',
  introspection: 'introspection_endpoint',
  revocation: 'revocation_endpoint',
  registration: 'registration_endpoint',
  management: 'management_endpoint',
  jwks: 'jwks_uri',
} as const satisfies Record<keyof Endpoints, string>

const NAMES = Object.keys(MEMBERS) as (keyof Endpoints)[]

/** The route map's word first, then the issuer's. */
export function endpointsOf(metadata: IssuerMetadata | undefined, configured: Endpoints): Endpoints {
  const found: Partial<Record<keyof Endpoints, string>> = {}
  for (const name of NAMES) {
    const url = configured[name] ?? urlOf(metadata?.[MEMBERS[name]])
    if (url !== undefined) found[name] = url
  }
  return found
}

/** The endpoints under their names in a metadata document. */
export function printEndpoints(endpoints: Endpoints): Readonly<Record<string, string>> {
  return Object.fromEntries(NAMES.flatMap((name) => (endpoints[name] ? [[MEMBERS[name], endpoints[name]]] : [])))
}

export function textsOf(metadata: IssuerMetadata | undefined, member: string): readonly string[] | undefined {
  const value = metadata?.[member]
  if (!Array.isArray(value)) return undefined
  const texts = value.filter((text): text is string => typeof text === 'string' && text !== '')
  return texts.length === 0 ? undefined : texts
}

function urlOf(value: unknown): string | undefined {
  return typeof value === 'string' && /^https?:\/\/[^\s/?#]+[^\s#]*$/.test(value) ? value : undefined
}
