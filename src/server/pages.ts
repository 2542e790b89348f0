// Page links (contract §5): what an upstream calls the next page is sealed (AES-256-GCM) together with the search that it belongs to
// and the caller for whom it was made. A seal proves nothing by itself: when it is opened, today's grant decides that search anew.

import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import type { GrantFacts } from '../domain/grant.ts'
import type { Parameter } from '../domain/http/request-target.ts'

/** The search that a page belongs to, and where its bytes are. */
export interface Page {
  readonly segments: readonly string[]
  readonly parameters: readonly Parameter[]
  /** Below the upstream's base, with query. */
  readonly path: string
}

export interface Pages {
  seal(page: Page, route: string, grant: GrantFacts): string
  /** Undefined for whatever is not a seal of ours, too old, of another route, or made for somebody else. */
  open(seal: string, route: string, grant: GrantFacts): Page | undefined
}

export interface PagesOptions {
  /** Secrets, newest first: the first seals, all open, so that keys can be rotated. None: one is made up for this process. */
  readonly keys: readonly string[]
  /** Milliseconds since 1970. */
  readonly now: () => number
}

const LIFETIME_MS = 3_600_000
const NONCE = 12
const TAG = 16
const ALGORITHM = 'aes-256-gcm'

interface Sealed extends Page {
  readonly until: number
}

export function createPages({ keys, now }: PagesOptions): Pages {
  const secrets = keys.length > 0 ? keys.map(deriveKey) : [randomBytes(32)]
  return {
    seal(page, route, grant) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv(ALGORITHM, secrets[0]!, nonce).setAAD(binding(route, grant))
      const sealed: Sealed = {
        segments: page.segments,
        parameters: page.parameters,
        path: page.path,
        until: now() + LIFETIME_MS,
      }
      const text = Buffer.concat([cipher.update(JSON.stringify(sealed), 'utf8'), cipher.final()])
      return Buffer.concat([nonce, text, cipher.getAuthTag()]).toString('base64url')
    },
    open(seal, route, grant) {
      const bytes = Buffer.from(seal, 'base64url')
      // One text for one seal: base64url readers forgive stray bits, and nobody should have two names for one page.
      if (bytes.length <= NONCE + TAG || bytes.toString('base64url') !== seal) return undefined
      for (const secret of secrets) {
        const page = decipher(bytes, secret, binding(route, grant))
        if (page !== undefined) return page.until > now() ? page : undefined
      }
      return undefined
    },
  }
}

function decipher(bytes: Buffer, secret: Buffer, bound: Buffer): Sealed | undefined {
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

/** Issuer, subject, client or key owner, patients and route (contract §5): as additional data, so that it takes no room in the link. */
function binding(route: string, grant: GrantFacts): Buffer {
  const { kind, issuer = null, subject = null, client = null, patients } = grant
  return Buffer.from(JSON.stringify([route, kind, issuer, subject, client, [...patients].sort()]))
}

function deriveKey(secret: string): Buffer {
  return hash('sha256', `scopegate page seal\n${secret}`, 'buffer')
}
