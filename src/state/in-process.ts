// The state of a lone process, in its memory and bounded. Times are those of a clock that only goes forward. Where too many buckets
// are known, the one that was not asked for longest is forgotten, which is most likely full again; marks are never forgotten early.

import { LRUCache } from 'lru-cache'
import type { Rate, SharedState, Taken } from './shared-state.ts'
import { SpentMarks } from './spent-marks.ts'
import { type Bucket, movedTo, refilled, take } from './token-bucket.ts'

/** About 200 bytes each. */
const MOST_BUCKETS = 100_000
const MOST_MARKS = 200_000

export interface InProcessOptions {
  readonly buckets?: number
  readonly marks?: number
  /** Milliseconds that never go back. */
  readonly now?: () => number
}

export class InProcessState implements SharedState {
  readonly #now: () => number
  readonly #mostBuckets: number
  readonly #marks: SpentMarks
  /** Made by the first who counts: most gateways limit no rate. */
  #buckets: LRUCache<string, Bucket> | undefined

  constructor({ buckets = MOST_BUCKETS, marks = MOST_MARKS, now = () => performance.now() }: InProcessOptions = {}) {
    this.#now = now
    this.#mostBuckets = buckets
    this.#marks = new SpentMarks(marks)
  }

  take(name: string, rate: Rate): Taken {
    this.#buckets ??= new LRUCache({ max: this.#mostBuckets })
    const now = this.#now()
    const bucket = this.#buckets.get(name)
    const { taken, left } = take(refilled(bucket, rate, now), rate)
    this.#buckets.set(name, { tokens: left, at: movedTo(bucket, now) })
    return taken
  }

  once(mark: string, milliseconds: number, owner?: string): boolean | Promise<boolean> {
    const first = this.#marks.mark(mark, milliseconds, this.#now(), owner)
    return first ?? Promise.reject(new Error('too many marks are remembered to take another one'))
  }
}
