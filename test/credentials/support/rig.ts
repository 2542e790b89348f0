// An authenticator on a clock that the test sets, in front of a real issuer.

import type { Issuer } from '../../../src/config/settings.ts'
import type { RouteRules } from '../../../src/credentials/access-grants.ts'
import {
  type Authenticator,
  type AuthenticatorOptions,
  createAuthenticator,
} from '../../../src/credentials/authenticate.ts'
import type { CredentialRequest } from '../../../src/credentials/credential-request.ts'
import type { Grant } from '../../../src/domain/grant.ts'
import { readRequestHeaders } from '../../../src/domain/http/request-headers.ts'
import { parseRequestTarget } from '../../../src/domain/http/request-target.ts'
import { isRefusal, type Refusal } from '../../../src/domain/refusal.ts'
import type { IssuerServer } from './issuer-server.ts'

export const AUDIENCE = 'https://api.example.org/fhir/R4'
export const ROUTE: RouteRules = { issuers: ['ehr'], audience: [AUDIENCE] }
export const PUBLIC_URL = 'https://api.example.org'
/** Seconds; every test starts here. */
export const START = 1_800_000_000

export class Clock {
  seconds = START
  readonly now = (): number => this.seconds * 1000
}

export function tokenIssuer(issuer: IssuerServer, changes: Partial<Issuer> = {}): Issuer {
  return {
    name: 'ehr',
    issuer: issuer.url,
    audience: [AUDIENCE],
    discovery: false,
    algorithms: ['ES256', 'RS256'],
    typ: ['at+jwt', 'JWT'],
    clockSkew: 30_000,
    maxLifetime: 24 * 3_600_000,
    claims: { scope: ['scope', 'scp'], patient: ['patient'], fhirUser: ['fhirUser'], client: ['client_id', 'azp'] },
    scopeMap: {},
    dottedScopes: false,
    usCoreMisprints: true,
    ...(changes.discovery === true || changes.jwksFile !== undefined ? {} : { jwks: issuer.jwksUrl }),
    ...changes,
  }
}

/** An issuer that is asked about tokens; `jwks: undefined` leaves it without keys. */
export function askedIssuer(
  issuer: IssuerServer,
  introspection: Partial<NonNullable<Issuer['introspection']>> = {},
  changes: Partial<Issuer> = {},
): Issuer {
  return tokenIssuer(issuer, {
    introspection: {
      url: `${issuer.url}/introspect`,
      clientId: 'gw',
      clientSecret: 'a secret: ü',
      cache: 30_000,
      always: false,
      opaque: true,
      requireAudience: false,
      ...introspection,
    },
    ...changes,
  })
}

export function claimsOf(issuer: IssuerServer): Record<string, unknown> {
  return {
    iss: issuer.url,
    aud: AUDIENCE,
    sub: 'user-1',
    client_id: 'app',
    jti: 'token-1',
    iat: START - 5,
    exp: START + 600,
    scope: 'patient/Observation.rs openid',
    patient: 'p1',
  }
}

export class Rig {
  readonly clock = new Clock()
  readonly lookups: string[] = []
  /** Look-ups among introspection answers. */
  readonly asked: string[] = []
  readonly authenticator: Authenticator

  constructor(issuers: readonly Issuer[], options: Partial<AuthenticatorOptions> = {}) {
    this.authenticator = createAuthenticator({
      issuers,
      limits: { token: 8192 },
      now: this.clock.now,
      publicUrl: PUBLIC_URL,
      onCacheLookup: (cache, result) => void (cache === 'token' ? this.lookups : this.asked).push(result),
      ...options,
    })
  }

  send(token: string, route = ROUTE): Grant | Refusal | Promise<Grant | Refusal> {
    return this.sendRaw(['Authorization', `Bearer ${token}`], '/fhir/R4/Patient', route)
  }

  sendRaw(
    raw: readonly string[],
    url: string,
    route = ROUTE,
    line: Partial<CredentialRequest> = {},
  ): Grant | Refusal | Promise<Grant | Refusal> {
    const headers = readRequestHeaders(raw)
    const target = parseRequestTarget(url)
    if (isRefusal(headers)) return headers
    if (isRefusal(target)) return target
    return this.authenticator.authenticate({ method: 'GET', target, headers, ...line }, route)
  }

  /** `ok`, or the code of the refusal. */
  async outcome(token: string, route = ROUTE): Promise<string> {
    const result = await this.send(token, route)
    return isRefusal(result) ? result.code : 'ok'
  }

  async grant(token: string): Promise<Grant> {
    const result = await this.send(token)
    if (isRefusal(result)) throw new Error(`${result.code}: ${result.detail}`)
    return result
  }
}
