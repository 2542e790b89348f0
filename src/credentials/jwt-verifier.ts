// Verifies a JWT access token (RFC 9068 §4, RFC 8725) by jose: issuer by the exact `iss`, key from that issuer's own set,
// algorithm from that issuer's list, then the claims. WebCrypto does the signature off the main thread.
// INVARIANT: nothing in a token chooses an address, a key, or an algorithm that the route map does not name.

import { type CryptoKey, compactVerify } from 'jose'
import type { Issuer } from '../config/settings.ts'
import type { GrantFacts } from '../domain/grant.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { KeySets } from './jwks.ts'
import { invalid, parseJwt } from './jwt.ts'
import { readGrantFacts } from './jwt-claims.ts'
import { readSigningHeader, type SigningHeader } from './jwt-header.ts'
import type { KeySet } from './key-set.ts'

export interface VerifiedJwt {
  readonly facts: GrantFacts
  readonly keys: KeySet
  /** The epoch of `keys` in which the signature verified. */
  readonly epoch: number
}

export type JwtVerifier = (token: string) => Promise<VerifiedJwt | Refusal>

export interface JwtVerifierOptions {
  readonly issuers: readonly Issuer[]
  readonly keySets: Pick<KeySets, 'of'>
  readonly now: () => number
}

export function createJwtVerifier({ issuers, keySets, now }: JwtVerifierOptions): JwtVerifier {
  const trusted = new Map(issuers.map((issuer) => [issuer.issuer, { issuer, keys: keySets.of(issuer) }]))
  if (trusted.size !== issuers.length) throw new Error('two issuers have the same URL')

  return async (token) => {
    const jwt = parseJwt(token)
    if (isRefusal(jwt)) return jwt
    const { iss } = jwt.claims
    const found = typeof iss === 'string' ? trusted.get(iss) : undefined
    if (found === undefined) return invalid('The issuer of the access token is not one that this API trusts.')
    const { issuer, keys } = found
    const header = readSigningHeader(jwt.header, issuer)
    if (isRefusal(header)) return header
    const epoch = await verifySignature(token, header, keys)
    if (isRefusal(epoch)) return epoch
    const facts = readGrantFacts(jwt.claims, issuer, now())
    return isRefusal(facts) ? facts : { facts, keys, epoch }
  }
}

/** Returns the epoch of the keys that verified it. */
async function verifySignature(token: string, { alg, kid }: SigningHeader, keys: KeySet): Promise<number | Refusal> {
  for (;;) {
    const { revision, epoch } = keys
    const candidates = await keys.matching(alg, kid)
    if (isRefusal(candidates)) return candidates
    for (const key of candidates) {
      if (await verifiesWith(token, key, alg)) return epoch
    }
    const wrongSignature = kid !== undefined && candidates.length > 0
    if (wrongSignature || !(await keys.refreshFor(kid ?? '', revision))) {
      return invalid('The signature of the access token does not verify with the keys of its issuer.')
    }
  }
}

async function verifiesWith(token: string, key: CryptoKey, alg: string): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] })
    return true
  } catch {
    return false
  }
}
