// The claims of an access token that was verified, or that its issuer vouched for (RFC 9068 §4, RFC 7662 §2.2, SMART App Launch; spec
// §6.1): is it meant for us, does it count now, and what does it convey? Times come in; the clock skew is added here, once, and
// nowhere else.

import type { Issuer } from '../config/settings.ts'
import type { GrantFacts } from '../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { readClaim, readStringClaim } from './claim.ts'
import { readConfirmation } from './confirmation.ts'
import { grantedScopes, readScopes } from './granted-scopes.ts'
import { invalid } from './jwt.ts'
import { readFhirUser, readPatients } from './launch-context.ts'
import type { JsonObject } from './strict-json.ts'

/** What may be left out. A JWT leaves out neither. */
export interface ClaimRules {
  /** Audiences of a token that names none. */
  readonly audience?: readonly string[]
  /** Milliseconds that a token without `exp` is believed. */
  readonly lifetime?: number
}

export function readGrantFacts(
  claims: JsonObject,
  issuer: Issuer,
  now: number,
  rules: ClaimRules = {},
): GrantFacts | Refusal {
  const problem = kindProblem(claims)
  if (problem !== undefined) return problem
  const confirmation = readConfirmation(claims)
  if (isRefusal(confirmation)) return confirmation
  const audience = readAudience(claims['aud'] ?? rules.audience)
  if (audience === undefined || !audience.some((it) => issuer.audience.includes(it))) {
    return invalid('The access token was issued for another audience. Ask the issuer for one for this API.')
  }
  const times = readTimes(claims, issuer, now, rules)
  if (isRefusal(times)) return times
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
    ...(confirmation !== undefined && { confirmation }),
    ...times,
  }
}

/** An id_token is meant for the client, a refresh token for its issuer; Keycloak and Cognito say which it is in these words. */
function kindProblem(claims: JsonObject): Refusal | undefined {
  const ofIdToken = ['nonce', 'at_hash', 'c_hash', 's_hash'].some((claim) => Object.hasOwn(claims, claim))
  if (ofIdToken || claims['typ'] === 'ID' || claims['token_use'] === 'id') {
    return invalid('This is an id_token. Send the access token that came with it.')
  }
  if (claims['typ'] === 'Refresh' || claims['typ'] === 'Offline' || claims['token_use'] === 'refresh_token') {
    return invalid('This is a refresh token. Send the access token that it was exchanged for.')
  }
  return undefined
}

function readAudience(aud: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  return list.every((it) => typeof it === 'string') ? list : undefined
}

/** `expiresAt` is the moment, in seconds, from which the token counts no more: `exp` and the skew. */
function readTimes(
  claims: JsonObject,
  issuer: Issuer,
  milliseconds: number,
  { lifetime: believed }: ClaimRules,
): Pick<GrantFacts, 'expiresAt' | 'issuedAt'> | Refusal {
  const now = milliseconds / 1000
  const skew = issuer.clockSkew / 1000
  const { exp, nbf, iat } = claims
  const lacksExpiry = exp === undefined && believed !== undefined
  if (!(isDate(exp) || lacksExpiry) || !isDateOrAbsent(nbf) || !isDateOrAbsent(iat)) {
    return invalid('The access token lacks an expiry, or one of its times is not a number.')
  }
  if (isDate(exp) && now >= exp + skew) return refuse('token-expired', 'The access token expired. Get a new one.')
  if ((nbf !== undefined && nbf > now + skew) || (iat !== undefined && iat > now + skew)) {
    return invalid('The access token is not valid yet. Check the clock of its issuer.')
  }
  const end = isDate(exp) ? exp : now + believed! / 1000
  const lifetime = iat === undefined ? end - now - skew : end - iat
  if (lifetime > issuer.maxLifetime / 1000) {
    return invalid('The access token lives longer than its issuer may grant here. Ask for a shorter one.')
  }
  return { expiresAt: isDate(exp) ? exp + skew : end, ...(iat !== undefined && { issuedAt: iat }) }
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
