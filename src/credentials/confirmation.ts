// What a token says it is bound to (`cnf`, RFC 7800 §3.1): a key that signs a proof of every request (RFC 9449 §6.1), or the client
// certificate of the connection (RFC 8705 §3.1). INVARIANT: a binding that cannot be checked makes the token worth nothing.

import type { Confirmation } from '../domain/grant.ts'
import type { Refusal } from '../domain/refusal.ts'
import { invalid } from './jwt.ts'
import type { JsonObject } from './strict-json.ts'

/** SHA-256 as base64url: 43 characters, of which the last carries four bits. */
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const MEMBERS: Readonly<Record<string, keyof Confirmation>> = { jkt: 'proofKey', 'x5t#S256': 'certificate' }

/** Undefined for a token that is not bound. */
export function readConfirmation(claims: JsonObject): Confirmation | undefined | Refusal {
  if (!Object.hasOwn(claims, 'cnf')) return undefined
  const { cnf } = claims
  if (typeof cnf !== 'object' || cnf === null || Array.isArray(cnf)) return unknown()
  const found: { -readonly [Member in keyof Confirmation]: string } = {}
  for (const [member, value] of Object.entries(cnf)) {
    const name = Object.hasOwn(MEMBERS, member) ? MEMBERS[member] : undefined
    if (name === undefined || typeof value !== 'string' || !DIGEST.test(value)) return unknown()
    found[name] = value
  }
  return Object.keys(found).length === 0 ? unknown() : found
}

const unknown = (): Refusal =>
  invalid(
    'The access token is bound in a way that cannot be checked here. Ask the issuer for one bound by jkt or x5t#S256.',
  )
