// The shape of a signed JWT (RFC 7515 §3.1, RFC 7519), read before any cryptography: three canonical base64url segments, a
// header and claims that say everything once, and nothing in the header that would need understanding.

import { type Refusal, refuse } from '../domain/refusal.ts'
import { type JsonObject, parseStrictObject } from './strict-json.ts'

export interface UnverifiedJwt {
  readonly text: string
  readonly header: JsonObject
  readonly claims: JsonObject
}

export const invalid = (detail: string): Refusal => refuse('token-invalid', detail)

export function parseJwt(text: string): UnverifiedJwt | Refusal {
  const segments = text.split('.')
  if (segments.length === 5) return invalid('The access token is encrypted (JWE). Ask the issuer for a signed JWT.')
  if (segments.length !== 3) return invalid('The access token is not a signed JWT.')
  const [header, claims, signature] = segments.map(decodeBase64url)
  const headerObject = header && parseStrictObject(header)
  const claimsObject = claims && parseStrictObject(claims)
  if (headerObject === undefined || claimsObject === undefined || signature === undefined) {
    return invalid('The access token is not a well-formed JWT.')
  }
  return { text, header: headerObject, claims: claimsObject }
}

/**
 * Whether a token is a JWT, good or bad, and not a text that only its issuer can read. Read loosely on purpose: a JWT that is misspelt is
 * refused as one, instead of being shown to an issuer that might mend it.
 */
export function isJwtLike(text: string): boolean {
  const end = text.indexOf('.')
  if (end < 0) return false
  try {
    const header: unknown = JSON.parse(Buffer.from(text.slice(0, end), 'base64url').toString())
    return typeof header === 'object' && header !== null
  } catch {
    return false
  }
}

/** One text for the same bytes: padding, foreign characters and stray bits in the last character are refused. */
function decodeBase64url(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, 'base64url')
  return bytes.toString('base64url') === segment ? bytes : undefined
}
