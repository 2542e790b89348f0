// What a verified credential conveys, whatever its kind: bearer tokens, API keys and service keys all end as one Grant.
// Scopes are kept as the issuer wrote them; what they are worth on a route is for `decision/authority.ts` to say.

/** The form in which a credential came. A bearer token counts as `oauth2` and `smart` (contract §5). */
export type CredentialKind = 'bearer' | 'api-key' | 'service-key'

/** What a sender-constrained token is bound to (RFC 7800 `cnf`): it counts only with a proof of possession, on every request. */
export interface Confirmation {
  /** Thumbprint of the key whose DPoP proof comes along (RFC 9449 §6.1). */
  readonly proofKey?: string
  /** SHA-256 of the client certificate of the connection (RFC 8705 §3.1). */
  readonly certificate?: string
}

export interface GrantFacts {
  readonly kind: CredentialKind
  /** Name of the issuer in the route map; absent for keys. */
  readonly issuer?: string
  /** Verified `iss`, exactly as configured; absent for keys. */
  readonly issuerUrl?: string
  readonly subject?: string
  /** OAuth client id, or the owner of a key. */
  readonly client?: string
  /** Audiences that the token carries; empty for keys. */
  readonly audience: readonly string[]
  /** Scopes as granted, split on spaces, after the issuer's `mayGrant`, `scopeMap` and `dottedScopes`. */
  readonly scopes: readonly string[]
  /** Ids of the launch patients (not `Patient/id`): none, one, or several linked ones. */
  readonly patients: readonly string[]
  /** `Type/id` of the user, relative; absent when the token names none. */
  readonly fhirUser?: string
  readonly tokenId?: string
  /** Seconds since 1970; absent when the token does not say. */
  readonly issuedAt?: number
  /** Absent for a plain bearer token, and for keys. */
  readonly confirmation?: Confirmation
  /** Seconds since 1970; a Grant counts for nothing from this moment on. */
  readonly expiresAt: number
}

declare const verified: unique symbol

/** Only `src/credentials` and `explain` build one (architecture test): holding a Grant means that a credential was verified. */
export interface Grant extends GrantFacts {
  readonly [verified]: true
  /** Equal for two grants exactly when every fact that can bear on a decision is equal; safe as a cache key, holds no claim in clear. */
  readonly fingerprint: string
}

/** `fingerprint` must be a digest over `decisionFacts(facts)`: digests need I/O-room code, so the caller brings it. */
export function grantOf(facts: GrantFacts, digest: (text: string) => string): Grant {
  return Object.freeze({ ...facts, fingerprint: digest(decisionFacts(facts)) }) as Grant
}

/** Everything that a decision may look at, in one unambiguous string. */
export function decisionFacts(facts: GrantFacts): string {
  return JSON.stringify([
    facts.kind,
    facts.issuer ?? null,
    facts.subject ?? null,
    facts.client ?? null,
    [...facts.scopes].sort(),
    [...facts.patients].sort(),
    facts.fhirUser ?? null,
  ])
}
