// The secret of a key: a prefix that tells its kind (and lets scanners of repositories find it) and 256 random bits.
// INVARIANT: the shape is exact, so that no second text passes for the same secret; nothing but the owner ever keeps one.

import { randomBytes } from 'node:crypto'
import type { KeyKind } from './api-key.ts'

const PREFIXES: Readonly<Record<KeyKind, string>> = { 'api-key': 'sgk_', 'service-key': 'sgs_' }
const SHAPE = /^sg[ks]_[A-Za-z0-9_-]{43}$/

export function createSecret(kind: KeyKind): string {
  return PREFIXES[kind] + randomBytes(32).toString('base64url')
}

/** What kind of key the text claims to be; undefined when it cannot be one. */
export function kindOfSecret(text: string): KeyKind | undefined {
  if (!SHAPE.test(text)) return undefined
  return text.startsWith(PREFIXES['api-key']) ? 'api-key' : 'service-key'
}

/** For messages that quote what somebody wrote: a secret pasted into the wrong place stays out of terminals and logs. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(/(sg[ks]_)[A-Za-z0-9_-]+/g, '$1…')
}
