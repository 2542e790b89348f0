// One issuer's verification keys, kept fresh. Three promises: keys that are known go on working while the issuer is down, for
// a bounded time; an unknown key id costs at most one fetch a cooldown; a failed fetch starts the same cooldown, so a dead
// issuer is never stormed (spec gateways §1). No timers: every look says what time it is and starts what is due.

import type { CryptoKey } from 'jose'
import { LRUCache } from 'lru-cache'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { VerificationKeys } from './verification-keys.ts'

const COOLDOWN = 30_000
/** How much longer than `fresh` keys count while they cannot be fetched anew. */
const STALE = 60 * 60_000
const UNKNOWN_FOR = 60_000
const MAXIMUM_UNKNOWN = 1_000

export type RefreshResult = 'success' | 'failure'

export interface KeySetOptions {
  readonly load: () => Promise<VerificationKeys>
  /** Milliseconds after which keys are fetched anew, behind the requests that use them. */
  readonly fresh: number
  readonly now: () => number
  readonly onRefresh?: (result: RefreshResult, problem?: string) => void
}

export class KeySet {
  readonly #options: KeySetOptions
  readonly #unknown = new LRUCache<string, number>({ max: MAXIMUM_UNKNOWN })
  #keys: VerificationKeys | undefined
  #fetchedAt = Number.NEGATIVE_INFINITY
  #failedAt = Number.NEGATIVE_INFINITY
  #forcedAt = Number.NEGATIVE_INFINITY
  #running: Promise<void> | undefined
  #revision = 0
  #epoch = 0

  constructor(options: KeySetOptions) {
    this.#options = options
  }

  /** Changes with every successful fetch. */
  get revision(): number {
    return this.#revision
  }

  /** Changes when a key was withdrawn or replaced: what was verified in another epoch must be verified again. */
  get epoch(): number {
    return this.#epoch
  }

  /** Whether there are keys that still count. Starts a refresh in the background when one is due. */
  isUsable(): boolean {
    const { now, fresh } = this.#options
    const time = now()
    if (hasPassed(this.#fetchedAt, fresh, time) && hasPassed(this.#failedAt, COOLDOWN, time)) void this.refresh()
    return this.#keys !== undefined && time - this.#fetchedAt < fresh + STALE
  }

  async matching(alg: string, kid: string | undefined): Promise<readonly CryptoKey[] | Refusal> {
    const { now, fresh } = this.#options
    // After an idle time nobody asked for a refresh; then it is worth waiting for, unless the issuer is known to be down.
    const neglected = hasPassed(this.#fetchedAt, fresh * 1.5, now()) && this.#failedAt < this.#fetchedAt
    if (!this.isUsable() || neglected) await this.#running
    if (!this.isUsable() || this.#keys === undefined) {
      const retryAfter = Math.max(1, Math.ceil((this.#failedAt + COOLDOWN - now()) / 1000))
      return refuse('issuer-unavailable', 'The keys of the token issuer cannot be read at present. Try again later.', {
        retryAfter,
      })
    }
    return this.#keys.matching(alg, kid)
  }

  /**
   * A token that verifies with no key of `revision` may be signed with one that is newer. True when there is a newer revision
   * to try, fetched now or meanwhile; `kid` is empty for a token that names no key.
   */
  async refreshFor(kid: string, revision: number): Promise<boolean> {
    if (this.#revision !== revision) return true
    const time = this.#options.now()
    if (!hasPassed(this.#unknown.get(kid) ?? Number.NEGATIVE_INFINITY, UNKNOWN_FOR, time)) return false
    if (this.#running === undefined) {
      if (!hasPassed(this.#forcedAt, COOLDOWN, time) || !hasPassed(this.#failedAt, COOLDOWN, time)) return false
      this.#forcedAt = time
    }
    await this.refresh()
    if (this.#revision === revision) return false
    if (this.#keys?.has(kid) !== true) this.#unknown.set(kid, this.#options.now())
    return true
  }

  /** Fetches now; callers at the same time share one fetch. Never rejects. */
  refresh(): Promise<void> {
    this.#running ??= this.#load().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #load(): Promise<void> {
    const { load, now, onRefresh } = this.#options
    try {
      const keys = await load()
      if (this.#keys !== undefined && !keys.includesAllOf(this.#keys)) this.#epoch++
      this.#keys = keys
      this.#revision++
      this.#fetchedAt = now()
      onRefresh?.('success')
    } catch (error) {
      this.#failedAt = now()
      onRefresh?.('failure', error instanceof Error ? error.message : undefined)
    }
  }
}

/** A clock that was set back must not keep keys alive: then everything is due. */
function hasPassed(since: number, span: number, time: number): boolean {
  return time - since >= span || time < since
}
