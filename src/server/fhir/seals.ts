// Sealed names (contract §5): what an upstream calls a page, an export or a file is sealed (AES-256-GCM) together with what was asked
// and the caller for whom it was made. A seal proves nothing by itself: when it is opened, today's grant decides anew.

import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto'
import type { GrantFacts } from '../../domain/grant.ts'

/** Seals of one kind open as that kind only. */
export type SealKind = 'page' | 'export'

export interface Seals {
  /** `milliseconds`: how long it may be opened. */
  seal(kind: SealKind, content: object, milliseconds: number, route: string, grant: GrantFacts): string
  /** Undefined for whatever is not a seal of ours, too old, of another kind or route, or made for somebody else. */
  open(kind: SealKind, seal: string, route: string, grant: GrantFacts): unknown
}

export interface SealsOptions {
  /** Secrets, newest first: the first seals, all open, so that keys can be rotated. None: one is made up for this process. */
  readonly keys: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const NONCE = 12
/** Drawn together: a draw for each seal would cost as much as its cipher. */
const NONCES = 256
const TAG = 16
const ALGORITHM = 'aes-256-gcm'

interface Sealed {
  readonly until: number
  readonly content: unknown
}

export function createSeals({ keys, now }: SealsOptions): Seals {
  const secrets = keys.length > 0 ? keys.map(deriveKey) : [createSecretKey(randomBytes(32))]
  const nextNonce = nonces()
  return {
    seal(kind, content, milliseconds, route, grant) {
      const nonce = nextNonce()
      const cipher = createCipheriv(ALGORITHM, secrets[0]!, nonce).setAAD(binding(kind, route, grant))
      const sealed: Sealed = { until: now() + milliseconds, content }
      const text = cipher.update(JSON.stringify(sealed), 'utf8')
      return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]).toString('base64url')
    },
    open(kind, seal, route, grant) {
      const bytes = Buffer.from(seal, 'base64url')
      // One text for one seal: base64url readers forgive stray bits, and nobody should have two names for one thing.
      if (bytes.length <= NONCE + TAG || bytes.toString('base64url') !== seal) return undefined
      for (const secret of secrets) {
        const sealed = decipher(bytes, secret, binding(kind, route, grant))
        if (sealed !== undefined) return sealed.until > now() ? sealed.content : undefined
      }
      return undefined
    },
  }
}

function decipher(bytes: Buffer, secret: KeyObject, bound: Buffer): Sealed | undefined {
  const decipher = createDecipheriv(ALGORITHM, secret, bytes.subarray(0, NONCE), { authTagLength: TAG })
    .setAAD(bound)
    .setAuthTag(bytes.subarray(-TAG))
  try {
    return JSON.parse(
      decipher.update(bytes.subarray(NONCE, -TAG), undefined, 'utf8') + decipher.final('utf8'),
    ) as Sealed
  } catch {
    return undefined
  }
}

/**
 * Issuer, subject, client or key owner, patients and route (contract §5): as additional data, so that it takes no room in the link. The
 * issuer by its URL: a reload may give its name to another one, with subjects of its own.
 */
function binding(sealKind: SealKind, route: string, grant: GrantFacts): Buffer {
  const { kind, issuerUrl = null, subject = null, client = null, patients } = grant
  return Buffer.from(JSON.stringify([sealKind, route, kind, issuerUrl, subject, client, [...patients].sort()]))
}

/** Random, each given out once. */
function nonces(): () => Buffer {
  let drawn = Buffer.alloc(0)
  let next = 0
  return () => {
    if (next === drawn.length) {
      drawn = randomBytes(NONCES * NONCE)
      next = 0
    }
    next += NONCE
    return drawn.subarray(next - NONCE, next)
  }
}

/** As an object: of bare bytes Node would make one anew for each seal, which takes several times as long as sealing. */
function deriveKey(secret: string): KeyObject {
  return createSecretKey(hash('sha256', `scopegate seal\n${secret}`, 'buffer'))
}
