// What each `keys` command does to the key file: pure plans over the keys as they are, so that they can be made under the lock and
// tested without a file. Moments are seconds since 1970.

import { suggestion } from '../config/source/nearest.ts'
import { type ApiKey, type KeyKind, statusOf } from '../credentials/api-keys/api-key.ts'
import { KeyFileError } from '../credentials/api-keys/key-file.ts'

export interface NewKey {
  readonly id: string
  readonly sha256: string
}

export interface Wanted {
  readonly kind: KeyKind
  readonly owner: string
  readonly scopes: readonly string[]
  /** Seconds. */
  readonly lifetime: number
}

export function planCreate({ kind, owner, scopes, lifetime }: Wanted, { id, sha256 }: NewKey, now: number): ApiKey {
  return { id, kind, owner, scopes, created: now, expires: now + lifetime, sha256 }
}

export interface Rotation {
  readonly add: ApiKey
  readonly end: { readonly id: string; readonly until: number }
}

/** The new key is for the same, and for as long as the old one was made for; the old one counts for `overlap` seconds more. */
export function planRotate(
  keys: readonly ApiKey[],
  id: string,
  { overlap, made, now }: { readonly overlap: number; readonly made: NewKey; readonly now: number },
): Rotation {
  const old = keyOf(keys, id)
  if (old.revoked !== undefined) throw new KeyFileError([`the key "${id}" was revoked; create a new one`])
  const heir = keys.find(({ rotatedFrom }) => rotatedFrom === id)
  if (heir !== undefined) throw new KeyFileError([`the key "${id}" was replaced by "${heir.id}" already; rotate that`])
  const { kind, owner, scopes } = old
  const wanted = { kind, owner, scopes, lifetime: old.expires - old.created }
  return {
    add: { ...planCreate(wanted, made, now), rotatedFrom: id },
    end: { id, until: Math.min(now + overlap, old.expires) },
  }
}

export interface Revocation {
  readonly key: ApiKey
  /** Undefined when it was revoked before. */
  readonly end: { readonly id: string; readonly revoked: number } | undefined
  /** Keys of the same line that still count: the one it replaced, or the one that replaced it. */
  readonly relatives: readonly ApiKey[]
}

export function planRevoke(keys: readonly ApiKey[], id: string, now: number): Revocation {
  const key = keyOf(keys, id)
  const relatives = keys.filter(
    (other) => (other.id === key.rotatedFrom || other.rotatedFrom === id) && statusOf(other, now) === 'active',
  )
  return { key, end: key.revoked === undefined ? { id, revoked: now } : undefined, relatives }
}

function keyOf(keys: readonly ApiKey[], id: string): ApiKey {
  const key = keys.find((one) => one.id === id)
  if (key === undefined) {
    throw new KeyFileError([
      `there is no key "${id}"${suggestion(
        id,
        keys.map((one) => one.id),
      )}`,
    ])
  }
  return key
}
