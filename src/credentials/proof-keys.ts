// The keys that proofs of possession bring, remembered once a proof was signed by one: a client brings the same key with every request, and
// to take its thumbprint and to import it costs half of what verifying costs. INVARIANT: a key is known only by the very members that had
// the thumbprint (RFC 7638) and were imported; in any other text it is a new key.

import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose'
import { LRUCache } from 'lru-cache'

const MOST_KEYS = 1_024

interface KnownKey {
  readonly text: string
  readonly key: CryptoKey
}

export class ProofKeys {
  readonly #known = new LRUCache<string, KnownKey>({ max: MOST_KEYS })

  /** The key with this thumbprint, if these members say it, as they did before. */
  find(thumbprint: string, jwk: JWK, alg: string): CryptoKey | undefined {
    const known = this.#known.get(`${alg} ${thumbprint}`)
    return known?.text === JSON.stringify(jwk) ? known.key : undefined
  }

  /** What `hasThumbprint` was true of, `importPublicKey` read, and a proof was signed by. */
  remember(thumbprint: string, jwk: JWK, alg: string, key: CryptoKey): void {
    this.#known.set(`${alg} ${thumbprint}`, { text: JSON.stringify(jwk), key })
  }
}

export async function hasThumbprint(jwk: JWK, thumbprint: string): Promise<boolean> {
  return (await calculateJwkThumbprint(jwk, 'sha256').catch(() => undefined)) === thumbprint
}

/** Undefined for what cannot be read, or is not public. */
export async function importPublicKey(jwk: JWK, alg: string): Promise<CryptoKey | undefined> {
  const key = await importJWK(jwk, alg).catch(() => undefined)
  return key === undefined || key instanceof Uint8Array || key.type !== 'public' ? undefined : key
}
