// What an issuer's answer about a token conveys (RFC 7662 §2.2; SMART App Launch, token introspection): read as claims are, with the
// same limits, and for a JWT joined with what its signature already vouches for.
// INVARIANT: an answer that contradicts itself, the token or the issuer is refused; joining never grants more than either says.

import type { Issuer } from '../config/settings.ts'
import type { GrantFacts } from '../domain/grant.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { readClaim } from './claim.ts'
import { readScopes } from './granted-scopes.ts'
import { invalid } from './jwt.ts'
import { type ClaimRules, readGrantFacts } from './jwt-claims.ts'
import type { JsonObject } from './strict-json.ts'

/** Claims under the names that `PLACES` says. */
const PLACES: Issuer['claims'] = { scope: ['scope'], patient: ['patient'], fhirUser: ['fhirUser'], client: ['client'] }
/** Milliseconds: what counts for one request counts until that is answered. */
const SHORTEST_BELIEF = 1_000
const ACCESS_TOKEN_TYPES = ['bearer', 'dpop', 'access_token']

export const notActive = (): Refusal =>
  invalid('The issuer says that this access token does not count, or no longer. Get a new one.')

/** Of a token that only its issuer can read. */
export function readIntrospectedFacts(answer: JsonObject, issuer: Issuer, now: number): GrantFacts | Refusal {
  if (answer['active'] !== true) return notActive()
  if (answer['iss'] !== undefined && answer['iss'] !== issuer.issuer) {
    return invalid('The issuer of the access token is not one that this API trusts.')
  }
  const facts = readGrantFacts(answer, issuer, now, rulesOf(issuer))
  if (isRefusal(facts)) return facts
  const type = answer['token_type']
  const kind = typeof type === 'string' ? type.toLowerCase() : undefined
  if (type !== undefined && (kind === undefined || !ACCESS_TOKEN_TYPES.includes(kind))) {
    return invalid('The token is not of a type that counts as an access token here. Send an access token.')
  }
  if (kind === 'dpop' && facts.confirmation?.proofKey === undefined) {
    return invalid('The issuer says that the access token is bound to a key, but not to which.')
  }
  return facts
}

/** Of a JWT that was verified: `claims` and `facts` are its own. */
export function joinIntrospectedFacts(
  { claims, facts }: { readonly claims: JsonObject; readonly facts: GrantFacts },
  answer: JsonObject,
  issuer: Issuer,
  now: number,
): GrantFacts | Refusal {
  const said = readIntrospectedFacts(answer, issuer, now)
  if (isRefusal(said)) return said
  if (!agree(facts, said)) return invalid('What the issuer says about the access token is not what the token says.')
  const joined = readGrantFacts(
    { ...named(answer, issuer), ...named(claims, issuer), ...intersection(claims, answer, issuer) },
    { ...issuer, claims: PLACES },
    now,
    rulesOf(issuer),
  )
  if (isRefusal(joined)) return joined
  return { ...joined, expiresAt: Math.min(facts.expiresAt, said.expiresAt) }
}

/** Where both say something, both say the same. A `sub` may differ: SMART has the answer name that of the id_token. */
function agree(token: GrantFacts, said: GrantFacts): boolean {
  const same = (one: unknown, other: unknown): boolean =>
    one === undefined || other === undefined || JSON.stringify(one) === JSON.stringify(other)
  const patients = ({ patients }: GrantFacts) => (patients.length === 0 ? undefined : [...patients].sort())
  const bound = ({ confirmation: it }: GrantFacts) => it && [it.proofKey ?? null, it.certificate ?? null]
  return (
    same(token.client, said.client) &&
    same(token.tokenId, said.tokenId) &&
    same(token.fhirUser, said.fhirUser) &&
    same(patients(token), patients(said)) &&
    same(bound(token), bound(said))
  )
}

function named(claims: JsonObject, issuer: Issuer): JsonObject {
  const { sub, jti, iat, nbf, exp, cnf, aud } = claims
  const { patient, fhirUser, client } = issuer.claims
  const values = {
    sub,
    jti,
    iat,
    nbf,
    exp,
    cnf,
    aud,
    patient: readClaim(claims, patient),
    fhirUser: readClaim(claims, fhirUser),
    client: readClaim(claims, client),
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** A scope counts when the token carries it and the answer does not leave it out; so does an audience. */
function intersection(token: JsonObject, answer: JsonObject, issuer: Issuer): JsonObject {
  const [minted, said] = [token, answer].map((claims) => readClaim(claims, issuer.claims.scope))
  const scope =
    minted === undefined || said === undefined
      ? (minted ?? said)
      : readScopes(minted).filter((it) => readScopes(said).includes(it))
  const list = (aud: unknown): readonly unknown[] => (Array.isArray(aud) ? aud : [aud])
  const audience =
    answer['aud'] === undefined ? {} : { aud: list(token['aud']).filter((it) => list(answer['aud']).includes(it)) }
  return { ...audience, ...(scope !== undefined && { scope }) }
}

function rulesOf({ audience, introspection }: Issuer): ClaimRules {
  return {
    lifetime: Math.max(introspection!.cache, SHORTEST_BELIEF),
    ...(introspection!.requireAudience ? {} : { audience }),
  }
}
