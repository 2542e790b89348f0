// The decision is a value with a closed set of outcomes (docs/decisions/0001): no booleans, no exceptions, nothing left in a
// request context. Only `decide.ts` makes one that clears a request (architecture test), and forwarding takes nothing else,
// so forwarding without a decision does not compile.

import type { Refusal } from '../refusal.ts'
import type { Need } from './required-access.ts'

/** One need of the request and the scope, as it was granted, that covered it. */
export interface Coverage {
  readonly need: Need
  /** The granted scope in its own spelling; undefined where the route is public. */
  readonly scope: string | undefined
  /** The SMART scope that a product scope is worth on this route. */
  readonly worth?: string
}

declare const cleared: unique symbol

/** Proof that a request was decided and may go upstream. */
export interface Cleared {
  readonly [cleared]: true
}

export interface Forward extends Cleared {
  readonly outcome: 'forward'
  readonly covered: readonly Coverage[]
}

export interface Deny {
  readonly outcome: 'deny'
  readonly refusal: Refusal
  /** The needs that were covered before the first one that was not; shown by `explain`. */
  readonly covered: readonly Coverage[]
  readonly missing: readonly Need[]
}

export type Decision = Forward | Deny

/** Clears a request. Only the deciding functions may import this (architecture test). */
export function clear(covered: readonly Coverage[]): Forward {
  return { outcome: 'forward', covered } as Omit<Forward, typeof cleared> as Forward
}
