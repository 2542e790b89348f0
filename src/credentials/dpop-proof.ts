// Reads and verifies the proof of possession that comes with a bound token (RFC 9449 §4.2, §4.3): a JWT that the client signs for this
// request and this token. Everything that costs nothing is held against the request before the signature is verified, the key first, so
// that only the holder of the token's own key can cause that work. Server nonces (§8) are not asked for.

import type { JWK } from 'jose'
import { parseRequestTarget } from '../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { parseJwt, type UnverifiedJwt } from './jwt.ts'
import { fold } from './jwt-header.ts'
import { verifiesWith } from './jwt-verifier.ts'
import { hasThumbprint, importPublicKey, type ProofKeys } from './proof-keys.ts'
import type { SignatureWork } from './signature-work.ts'
import { PRIVATE_MEMBERS, takesKey } from './verification-keys.ts'

/** What challenges and metadata offer. */
export const PROOF_ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'PS256', 'RS256', 'RS384']
/** Seconds that a proof may be old, or ahead of our clock. */
const WINDOW = 60
const LONGEST = 4096
const LONGEST_ID = 256

export interface ExpectedProof {
  /** Thumbprint of the key that the token is bound to. */
  readonly key: string
  readonly method: string
  /** Public URL of the target: without query. */
  readonly origin: string
  readonly path: string
  /** SHA-256 of the token, as base64url. */
  readonly tokenHash: string
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface FoundProof {
  /** Unique among the proofs of one key. */
  readonly id: string
  /** Milliseconds for which the same proof would be taken again. */
  readonly good: number
}

export const wrongProof = (detail: string): Refusal => refuse('token-invalid', detail, { proof: true })

/** A proof that fits; whether it was used before is for the caller to ask. */
export async function readProof(
  text: string,
  expected: ExpectedProof,
  verify: { readonly work: SignatureWork; readonly lane: string; readonly keys: ProofKeys },
): Promise<FoundProof | Refusal> {
  if (text.length > LONGEST) return wrongProof('The DPoP proof is too long.')
  const proof = parseJwt(text)
  if (isRefusal(proof)) return wrongProof('The DPoP header holds no well-formed JWT.')
  const { typ, alg, jwk, crit, b64 } = proof.header
  if (typeof typ !== 'string' || fold(typ) !== 'dpop+jwt' || crit !== undefined || b64 !== undefined) {
    return wrongProof('The DPoP proof is not of the type dpop+jwt.')
  }
  if (typeof alg !== 'string' || !PROOF_ALGORITHMS.includes(alg) || !isPublicKey(jwk) || !takesKey(alg, jwk)) {
    return wrongProof(
      `The DPoP proof must bring its public key and be signed by one of ${PROOF_ALGORITHMS.join(', ')}.`,
    )
  }
  const known = verify.keys.find(expected.key, jwk, alg)
  if (known === undefined && !(await hasThumbprint(jwk, expected.key)))
    return wrongProof('The access token is bound to another key than the DPoP proof has.')
  const found = readClaims(proof, expected)
  if (isRefusal(found)) return found
  const key = known ?? (await importPublicKey(jwk, alg))
  if (key === undefined) return wrongSignature()
  const verifies = await verify.work.run(verify.lane, () => verifiesWith(text, key, alg))
  if (isRefusal(verifies)) return verifies
  if (!verifies) return wrongSignature()
  if (known === undefined) verify.keys.remember(expected.key, jwk, alg, key)
  return found
}

const wrongSignature = (): Refusal => wrongProof('The signature of the DPoP proof does not verify.')

function isPublicKey(jwk: unknown): jwk is JWK {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return false
  return !PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))
}

function readClaims({ claims }: UnverifiedJwt, expected: ExpectedProof): FoundProof | Refusal {
  const { htm, htu, iat, jti, ath } = claims
  if (htm !== expected.method) return wrongProof('The DPoP proof was made for another method.')
  if (typeof htu !== 'string' || !isFor(htu, expected)) return wrongProof('The DPoP proof was made for another URL.')
  if (ath !== expected.tokenHash) return wrongProof('The DPoP proof was made for another access token (ath).')
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_ID) return wrongProof('The DPoP proof has no jti.')
  const now = expected.now / 1000
  if (typeof iat !== 'number' || !(Math.abs(now - iat) <= WINDOW)) {
    return wrongProof(`The DPoP proof is not of this minute (iat). Make a new one, and check the clock.`)
  }
  return { id: jti, good: Math.ceil((iat + WINDOW - now) * 1000) + 1_000 }
}

/** Query and fragment apart, and as RFC 3986 §6.2 compares: case of scheme and host, default ports, needless percent-encoding. */
function isFor(htu: string, { origin, path }: ExpectedProof): boolean {
  // A URL that readers would mend (backslashes, control characters, dot segments) is not compared but refused.
  if (!/^https?:\/\/[\x21\x23-\x5b\x5d-\x7e]+$/i.test(htu) || !URL.canParse(htu)) return false
  const url = new URL(htu)
  if (url.origin !== origin || url.username !== '' || url.password !== '') return false
  const written = /^https?:\/\/[^/?#]*([^?#]*)/i.exec(htu)?.[1] || '/'
  const target = parseRequestTarget(written)
  return !isRefusal(target) && target.path === path
}
