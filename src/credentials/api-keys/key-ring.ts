// The keys in force, in memory, found by digest. A key that was found costs one digest; its Grant is made when the keys are read.
// INVARIANT: revocation, expiry and kind are judged on every look-up; nothing outlives the list that was read last, but the moment
// of last use, which is kept here only.

import { hash, timingSafeEqual } from 'node:crypto'
import { type Grant, grantOf } from '../../domain/grant.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { digestOf } from '../verified-tokens.ts'
import { type ApiKey, endOf, type KeyKind, type KeyStatus, statusOf } from './api-key.ts'
import { kindOfSecret } from './secret.ts'

/** What an operator may see of a key: no hash, no secret. */
export interface KeyUse {
  readonly id: string
  readonly kind: KeyKind
  readonly owner: string
  readonly status: KeyStatus
  readonly scopes: readonly string[]
  /** ISO 8601. */
  readonly expires: string
  /** By this process; absent when it was not used since the start. */
  readonly lastUsed?: string
}

interface HeldKey {
  readonly key: ApiKey
  readonly digest: Buffer
  readonly grant: Grant
  /** Milliseconds since 1970. */
  lastUsed: number | undefined
}

export class KeyRing {
  #held: ReadonlyMap<string, HeldKey> = new Map()
  #byId: ReadonlyMap<string | undefined, HeldKey> = new Map()

  /** All at once; what is not in `keys` counts no more. */
  replace(keys: readonly ApiKey[]): void {
    const lastUsed = new Map([...this.#held.values()].map(({ key, lastUsed }) => [key.id, lastUsed]))
    this.#held = new Map(keys.map((key) => [key.sha256, hold(key, lastUsed.get(key.id))]))
    this.#byId = new Map([...this.#held.values()].map((held) => [held.key.id, held]))
  }

  /** `now` in milliseconds. */
  find(secret: string, now: number): Grant | Refusal {
    const digest = hash('sha256', secret, 'buffer')
    const held = this.#held.get(digest.toString('base64url'))
    // The map may tell by its timing how a digest begins, which helps nobody to a secret; the whole is compared in constant time.
    if (held === undefined || !timingSafeEqual(held.digest, digest) || kindOfSecret(secret) !== held.key.kind) {
      return refuse(
        'token-invalid',
        'This key is not known here. Check that it was copied whole, or ask for a new one.',
      )
    }
    switch (statusOf(held.key, now / 1000)) {
      case 'revoked':
        return refuse('token-revoked', 'This key was revoked. Ask for a new one.')
      case 'expired':
        return refuse('token-expired', 'This key has expired or was replaced by a newer one. Ask for a new one.')
      case 'active':
        held.lastUsed = now
        return held.grant
    }
  }

  /** Whether the key that conveyed this still counts, and conveys the same: for what it opened and holds open. */
  counts({ tokenId, fingerprint }: Pick<Grant, 'tokenId' | 'fingerprint'>, now: number): boolean {
    const held = this.#byId.get(tokenId)
    return held?.grant.fingerprint === fingerprint && statusOf(held.key, now / 1000) === 'active'
  }

  /** In the order of the key file; `now` in milliseconds. */
  list(now: number): readonly KeyUse[] {
    return [...this.#held.values()].map(({ key, lastUsed }) => ({
      id: key.id,
      kind: key.kind,
      owner: key.owner,
      status: statusOf(key, now / 1000),
      scopes: key.scopes,
      expires: new Date(endOf(key) * 1000).toISOString(),
      ...(lastUsed === undefined ? {} : { lastUsed: new Date(lastUsed).toISOString() }),
    }))
  }
}

function hold(key: ApiKey, lastUsed: number | undefined): HeldKey {
  const { id, kind, owner, scopes, sha256 } = key
  const facts = { kind, client: owner, audience: [], scopes, patients: [], tokenId: id, expiresAt: endOf(key) }
  return { key, digest: Buffer.from(sha256, 'base64url'), grant: grantOf(facts, digestOf), lastUsed }
}
