// The keys of a running gateway: those of the key file, followed as it changes, without a restart. A file that is not there yet
// is no error, because `keys create` makes it; one that is broken at the start is, because keys would be missing without a word.

import type { Grant } from '../../domain/grant.ts'
import type { Refusal } from '../../domain/refusal.ts'
import { type FileNews, WatchedFile } from '../watched-file.ts'
import type { ApiKey } from './api-key.ts'
import { KeyFileError, parseKeyFile } from './key-file.ts'
import { KeyRing, type KeyUse } from './key-ring.ts'

export type KeyFileNews = FileNews<readonly ApiKey[]>

export interface KeyStoreOptions {
  readonly file: string
  /** Keys that are in no file and last as long as the process: the demo's. */
  readonly madeHere?: readonly ApiKey[]
  /** Milliseconds between two looks at the file. */
  readonly interval?: number
  /** Hears of everything that is read, gone, or broken; of a file that is broken at the start, the caller hears by the error. */
  readonly onNews?: (news: KeyFileNews) => void
}

export interface KeyStore {
  /** `now` in milliseconds since 1970. */
  find(secret: string, now: number): Grant | Refusal
  /** Whether the key that conveyed this still counts, and conveys the same. */
  counts(grant: Pick<Grant, 'tokenId' | 'fingerprint'>, now: number): boolean
  list(now: number): readonly KeyUse[]
  /** Why the file in place does not count; the keys that were read before it still do. */
  readonly problems: readonly string[]
  /** Looks at the file now instead of at the next turn. */
  look(): Promise<void>
  close(): void
}

const INTERVAL_MS = 1_000

/** Rejects with a KeyFileError when the file is there and cannot be used. */
export async function openKeyStore(options: KeyStoreOptions): Promise<KeyStore> {
  const { file, madeHere = [], interval = INTERVAL_MS, onNews } = options
  const ring = new KeyRing()
  let problems: readonly string[] = []
  let open = false
  const watch = new WatchedFile(file, parseKeyFile, (news) => {
    problems = news.state === 'broken' ? news.problems : []
    if (news.state !== 'broken') ring.replace([...madeHere, ...(news.state === 'read' ? news.content : [])])
    if (open || news.state !== 'broken') onNews?.(news)
  })
  await watch.look()
  if (problems.length > 0) throw new KeyFileError(problems)
  open = true
  watch.start(interval)
  return {
    find: (secret, now) => ring.find(secret, now),
    counts: (grant, now) => ring.counts(grant, now),
    list: (now) => ring.list(now),
    get problems() {
      return problems
    },
    look: () => watch.look(),
    close: () => watch.stop(),
  }
}
