// What this room needs to know about an issuer and a route: a subset of the route map's effective types.

export interface TokenIssuer {
  readonly name: string
  readonly issuer: string
  readonly audience: readonly string[]
  readonly jwks?: string
  readonly discovery: boolean
  readonly jwksFile?: string
  readonly algorithms: readonly string[]
  readonly typ: readonly string[]
  /** Milliseconds. */
  readonly clockSkew: number
  /** Milliseconds. */
  readonly maxLifetime: number
  readonly mayGrant?: readonly string[]
  readonly claims: {
    readonly scope: readonly string[]
    readonly patient: readonly string[]
    readonly fhirUser: readonly string[]
    readonly client: readonly string[]
  }
  readonly scopeMap: Readonly<Record<string, string>>
  readonly dottedScopes: boolean
  readonly usCoreMisprints: boolean
}

export interface TokenRoute {
  readonly issuers: readonly string[]
  readonly audience: readonly string[]
}
