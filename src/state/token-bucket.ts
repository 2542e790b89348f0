// The arithmetic of a token bucket, without a clock or a store: a bucket holds `requests` tokens at most and is refilled evenly over
// `per` milliseconds; a request takes a whole token or nothing. A bucket that nobody knows is a full one, so a full one may be forgotten.
// INVARIANT: between two moments no more is let through than `requests` plus what was refilled between them, whatever the clock does.

import type { Rate, Taken } from './shared-state.ts'

export interface Bucket {
  readonly tokens: number
  /** Milliseconds, of the clock that `now` is read from. */
  readonly at: number
}

/** A refill that was waited for exactly must not miss its token by a rounding error. */
const ROUNDING = 1e-9

/** What is in the bucket now. A clock that goes back refills nothing. */
export function refilled(bucket: Bucket | undefined, { requests, per }: Rate, now: number): number {
  if (bucket === undefined) return requests
  return Math.min(requests, bucket.tokens + (Math.max(0, now - bucket.at) * requests) / per)
}

/** Takes one of so many tokens: what was told, and what is left. */
export function take(tokens: number, rate: Rate): { readonly taken: Taken; readonly left: number } {
  const allowed = tokens >= 1 - ROUNDING
  const left = allowed ? Math.max(0, tokens - 1) : tokens
  return {
    taken: { allowed, remaining: Math.floor(left + ROUNDING), retryAfter: untilNext(left, rate) },
    left,
  }
}

/** A clock that went back must not make the time between count twice. */
export function movedTo(bucket: Bucket | undefined, now: number): number {
  return bucket === undefined ? now : Math.max(bucket.at, now)
}

/** Milliseconds until a bucket that nobody asks is full again, and may be forgotten. */
export function untilFull(tokens: number, { requests, per }: Rate): number {
  return ((requests - tokens) * per) / requests
}

function untilNext(tokens: number, { requests, per }: Rate): number {
  return tokens >= 1 - ROUNDING ? 0 : ((1 - tokens) * per) / requests
}
