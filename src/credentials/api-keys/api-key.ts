// One API key or service key as the key file knows it: whose it is, what it opens, until when. The secret itself is nowhere; only
// its digest is. Moments are seconds since 1970.

import type { CredentialKind } from '../../domain/grant.ts'

export type KeyKind = Exclude<CredentialKind, 'bearer'>

export interface ApiKey {
  readonly id: string
  readonly kind: KeyKind
  readonly owner: string
  readonly scopes: readonly string[]
  readonly created: number
  readonly expires: number
  /** SHA-256 of the whole secret, prefix included, as base64url. */
  readonly sha256: string
  /** The key that this one replaces. */
  readonly rotatedFrom?: string
  /** Set when another key replaces this one: it counts until then, for clients that still change over. */
  readonly until?: number
  readonly revoked?: number
}

export type KeyStatus = 'active' | 'expired' | 'revoked'

/** From this moment on the key counts no more. */
export function endOf({ expires, until = expires }: ApiKey): number {
  return Math.min(expires, until)
}

/** `now` in seconds. A key that is revoked is revoked, whenever that is said to have been: a clock that runs late revives nothing. */
export function statusOf(key: ApiKey, now: number): KeyStatus {
  if (key.revoked !== undefined) return 'revoked'
  return now < endOf(key) ? 'active' : 'expired'
}
