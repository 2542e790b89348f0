// A new key: the secret, which goes to its owner and is forgotten here, and what the key file keeps of it.

import { randomBytes } from 'node:crypto'
import { digestOf } from '../verified-tokens.ts'
import type { KeyKind } from './api-key.ts'
import { createSecret } from './secret.ts'

export interface MadeKey {
  /** Shown once. */
  readonly secret: string
  /** Random too: whoever knows it learns nothing about the secret. */
  readonly id: string
  readonly sha256: string
}

export function makeKey(kind: KeyKind): MadeKey {
  const secret = createSecret(kind)
  return { secret, id: `key-${randomBytes(6).toString('hex')}`, sha256: digestOf(secret) }
}
