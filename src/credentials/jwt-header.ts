// What the header of an access token may say (RFC 7515 §4.1, RFC 8725 §3). `jku`, `jwk`, `x5u` and `x5c` are never looked at:
// a token cannot bring its own key.

import type { Refusal } from '../domain/refusal.ts'
import { invalid } from './jwt.ts'
import type { JsonObject } from './strict-json.ts'
import { isAsymmetric } from './verification-keys.ts'

const MAXIMUM_KID = 512

export interface SigningHeader {
  readonly alg: string
  readonly kid: string | undefined
}

export function readSigningHeader(
  { alg, kid, typ, crit, b64 }: JsonObject,
  issuer: { readonly algorithms: readonly string[]; readonly typ: readonly string[] },
): SigningHeader | Refusal {
  if (typeof alg !== 'string' || !isAsymmetric(alg) || !issuer.algorithms.includes(alg)) {
    return invalid('The access token is signed with an algorithm that is not allowed for its issuer.')
  }
  if (!isAllowedType(typ, issuer.typ)) {
    return invalid('The token is not of a type that counts as an access token here. Send an access token.')
  }
  if (crit !== undefined || b64 !== undefined) {
    return invalid('The header of the access token asks for extensions that are not supported.')
  }
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > MAXIMUM_KID)) {
    return invalid('The key id of the access token cannot be read.')
  }
  return { alg, kid }
}

/** A header without `typ` says no more than "JWT" (RFC 7519 §5.1), so it is accepted where "JWT" is. */
function isAllowedType(typ: unknown, allowed: readonly string[]): boolean {
  const type = typ === undefined ? 'jwt' : typeof typ === 'string' ? fold(typ) : undefined
  return type !== undefined && allowed.some((it) => fold(it) === type)
}

/** RFC 7515 §4.1.9: media types compare without case, and `application/` may be left out. */
export function fold(typ: string): string {
  const lower = typ.toLowerCase()
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower
}
