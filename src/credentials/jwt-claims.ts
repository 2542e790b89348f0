// The claims of an access token whose signature verified (RFC 9068 §4, SMART App Launch; spec §6.1): is it meant for us, does it
// count now, and what does it convey? Times come in; the clock skew is added here, once, and nowhere else.

import type { Issuer } from '../config/settings.ts'
import type { GrantFacts } from '../domain/grant.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { readClaim, readStringClaim } from './claim.ts'
import { grantedScopes, readScopes } from './granted-scopes.ts'
import { invalid } from './jwt.ts'
import { readFhirUser, readPatients } from './launch-context.ts'
import type { JsonObject } from './strict-json.ts'

export function readGrantFacts(claims: JsonObject, issuer: Issuer, now: number): GrantFacts | Refusal {
  const problem = kindProblem(claims)
  if (problem !== undefined) return problem
  const audience = readAudience(claims['aud'])
  if (audience === undefined || !audience.some((it) => issuer.audience.includes(it))) {
    return invalid('The access token was issued for another audience. Ask the issuer for one for this API.')
  }
  const expiresAt = readExpiry(claims, issuer, now)
  if (typeof expiresAt !== 'number') return expiresAt
  const texts = readTexts(claims, { subject: 'sub', tokenId: 'jti' })
  if (texts === undefined) return invalid('The access token holds a claim of the wrong type.')
  const client = readStringClaim(claims, issuer.claims.client)
  const user = readFhirUser(readClaim(claims, issuer.claims.fhirUser), issuer.audience)
  const scopes = grantedScopes(readScopes(readClaim(claims, issuer.claims.scope)), issuer)
  return {
    kind: 'bearer',
    issuer: issuer.name,
    issuerUrl: issuer.issuer,
    ...texts,
    ...(client !== undefined && { client }),
    audience,
    // INVARIANT: a user who may be a patient, but cannot be told which, must not act as a user without limits.
    scopes: user.unreadable ? scopes.filter((scope) => !scope.startsWith('user/')) : scopes,
    patients: readPatients(readClaim(claims, issuer.claims.patient)),
    ...(user.reference !== undefined && { fhirUser: user.reference }),
    expiresAt,
  }
}

/** An id_token is meant for the client; a sender-constrained token is worth nothing without its proof. */
function kindProblem(claims: JsonObject): Refusal | undefined {
  if (Object.hasOwn(claims, 'cnf')) {
    return invalid('Sender-constrained tokens are not supported yet. Ask the issuer for a plain bearer token.')
  }
  const ofIdToken = ['nonce', 'at_hash', 'c_hash', 's_hash'].some((claim) => Object.hasOwn(claims, claim))
  // Keycloak and Cognito say it in these words.
  if (ofIdToken || claims['typ'] === 'ID' || claims['token_use'] === 'id') {
    return invalid('This is an id_token. Send the access token that came with it.')
  }
  return undefined
}

function readAudience(aud: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return list.every((it) => typeof it === 'string') ? list : undefined
}

/** The moment, in seconds, from which the token counts no more: `exp` and the skew. */
function readExpiry(claims: JsonObject, issuer: Issuer, milliseconds: number): number | Refusal {
  const now = milliseconds / 1000
  const skew = issuer.clockSkew / 1000
  const { exp, nbf, iat } = claims
  if (!isDate(exp) || !isDateOrAbsent(nbf) || !isDateOrAbsent(iat)) {
    return invalid('The access token lacks an expiry, or one of its times is not a number.')
  }
  if (now >= exp + skew) return refuse('token-expired', 'The access token expired. Get a new one.')
  if ((nbf !== undefined && nbf > now + skew) || (iat !== undefined && iat > now + skew)) {
    return invalid('The access token is not valid yet. Check the clock of its issuer.')
  }
  const lifetime = iat === undefined ? exp - now - skew : exp - iat
  if (lifetime > issuer.maxLifetime / 1000) {
    return invalid('The access token lives longer than its issuer may grant here. Ask for a shorter one.')
  }
  return exp + skew
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isDateOrAbsent(value: unknown): value is number | undefined {
  return value === undefined || isDate(value)
}

function readTexts<Name extends string>(
  claims: JsonObject,
  names: Readonly<Record<Name, string>>,
): Partial<Record<Name, string>> | undefined {
  const texts: Partial<Record<Name, string>> = {}
  for (const [name, claim] of Object.entries(names) as [Name, string][]) {
    const value = claims[claim]
    if (value === undefined) continue
    if (typeof value !== 'string') return undefined
    texts[name] = value
  }
  return texts
}
