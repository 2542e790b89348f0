// What all processes that serve one route map must agree on: how much of a rate is used up, and what may be used once only. A lone
// process keeps it in memory (`in-process.ts`), workers ask the process that started them, and replicas may share a store.
// INVARIANT: a state that cannot be reached rejects, and whoever asked refuses: nothing passes because nobody could count.

export interface SharedState {
  /** Counts one request of a bucket. Names are digests or route names: never a token, an address or a patient. */
  take(bucket: string, rate: Rate): Taken | Promise<Taken>
  /**
   * True for the first who marks it within so many milliseconds, false for everyone after. `owner` is who has it marked: where room is
   * short, nobody gets more than a share.
   */
  once(mark: string, milliseconds: number, owner?: string): boolean | Promise<boolean>
}

/** A token bucket: `requests` at once at most, refilled evenly over `per` milliseconds. */
export interface Rate {
  readonly requests: number
  readonly per: number
}

export interface Taken {
  readonly allowed: boolean
  /** Requests that would still be let through now. */
  readonly remaining: number
  /** Milliseconds until one more is let through; 0 when one would be now. */
  readonly retryAfter: number
}
