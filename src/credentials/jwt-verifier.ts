// Verifies a JWT access token (RFC 9068 §4, RFC 8725) by jose: issuer by the exact `iss`, key from that issuer's own set,
// algorithm from that issuer's list, then the claims. WebCrypto does the signature off the main thread.
// INVARIANT: nothing in a token chooses an address, a key, or an algorithm that the route map does not name.

import { type CryptoKey, compactVerify } from 'jose'
import type { Issuer } from '../config/settings.ts'
import type { GrantFacts } from '../domain/grant.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { invalid, type UnverifiedJwt } from './jwt.ts'
import { readGrantFacts } from './jwt-claims.ts'
import { readSigningHeader, type SigningHeader } from './jwt-header.ts'
import type { KeySet } from './key-set.ts'
import type { SignatureWork } from './signature-work.ts'

export interface VerifiedJwt {
  readonly facts: GrantFacts
  readonly keys: KeySet
  /** The epoch of `keys` in which the signature verified. */
  readonly epoch: number
}

export interface JwtVerifierOptions {
  readonly issuer: Issuer
  readonly keys: KeySet
  readonly work: SignatureWork
  readonly now: () => number
}

/** For the tokens of one issuer: `jwt` names it. */
export type JwtVerifier = (jwt: UnverifiedJwt) => Promise<VerifiedJwt | Refusal>

export function createJwtVerifier({ issuer, keys, work, now }: JwtVerifierOptions): JwtVerifier {
  return async (jwt) => {
    const header = readSigningHeader(jwt.header, issuer)
    if (isRefusal(header)) return header
    const epoch = await verifySignature(jwt.text, header)
    if (isRefusal(epoch)) return epoch
    const facts = readGrantFacts(jwt.claims, issuer, now())
    return isRefusal(facts) ? facts : { facts, keys, epoch }
  }

  /** Returns the epoch of the keys that verified it. */
  async function verifySignature(token: string, { alg, kid }: SigningHeader): Promise<number | Refusal> {
    for (;;) {
      const { revision, epoch } = keys
      const candidates = await keys.matching(alg, kid)
      if (isRefusal(candidates)) return candidates
      const verifies =
        candidates.length > 0 && (await work.run(issuer.name, () => verifiesWithAny(token, candidates, alg)))
      if (isRefusal(verifies)) return verifies
      if (verifies) return epoch
      const wrongSignature = kid !== undefined && candidates.length > 0
      if (wrongSignature || !(await keys.refreshFor(kid ?? '', revision))) {
        return invalid('The signature of the access token does not verify with the keys of its issuer.')
      }
    }
  }
}

async function verifiesWithAny(token: string, keys: readonly CryptoKey[], alg: string): Promise<boolean> {
  for (const key of keys) {
    if (await verifiesWith(token, key, alg)) return true
  }
  return false
}

/** Whether a compact JWS verifies; its payload was read already. */
export async function verifiesWith(token: string, key: CryptoKey, alg: string): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}
