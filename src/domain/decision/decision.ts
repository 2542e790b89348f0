// The decision is a value with a closed set of outcomes (docs/decisions/0001): no booleans, no exceptions, nothing left in a
// request context. Only `decide.ts` makes one that clears a request (architecture test), and forwarding takes nothing else,
// so forwarding without a decision does not compile.

import type { Constraint } from '../constraint/constraint.ts'
import type { Refusal } from '../refusal.ts'
import type { Need } from './required-access.ts'

/** One need of the request and the scope, as it was granted, that covered it. */
export interface Coverage {
  readonly need: Need
  /** The granted scope in its own spelling; undefined where the route is public. */
  readonly scope: string | undefined
  /** The SMART scope that a product scope is worth on this route. */
  readonly worth?: string
  /** The scope covers only a part of what the need would reach. */
  readonly limited?: true
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

/**
 * Cleared only together with its constraints: the answer is checked before it is released (`guard`), and a search is rewritten
 * besides so that an honest server finds nothing outside them (`narrow-guard`).
 */
export interface Constrained extends Cleared {
  readonly outcome: 'guard' | 'narrow-guard'
  readonly covered: readonly Coverage[]
  /** One for each required access, in order; undefined where everything that it reaches is allowed. */
  readonly constraints: readonly (Constraint | undefined)[]
  /** Entries of a batch that are refused by themselves, by their place; they do not go upstream. */
  readonly refused?: ReadonlyMap<number, Refusal>
}

export interface Deny {
  readonly outcome: 'deny'
  readonly refusal: Refusal
  /** The needs that were covered before the first one that was not; shown by `explain`. */
  readonly covered: readonly Coverage[]
  readonly missing: readonly Need[]
}

export type Permit = Forward | Constrained
export type Decision = Permit | Deny

/** Clears a request. Only the deciding functions may import this (architecture test). */
export function clear(covered: readonly Coverage[]): Forward {
  return { outcome: 'forward', covered } as Omit<Forward, typeof cleared> as Forward
}

/** Clears a request within constraints. */
export function clearWithin(
  outcome: Constrained['outcome'],
  covered: readonly Coverage[],
  constraints: Constrained['constraints'],
  refused?: Constrained['refused'],
): Constrained {
  return { outcome, covered, constraints, ...(refused === undefined ? {} : { refused }) } as Omit<
    Constrained,
    typeof cleared
  > as Constrained
}
