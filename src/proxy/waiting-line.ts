// Requests that wait for a connection, first come, first served. All may wait equally long, so one timer, for the one in front, is
// enough however long the line is.

import type { Refusal } from '../domain/refusal.ts'
import type { Target } from './target.ts'

/** Who has, or wants, one of the connections. */
export interface Holder {
  /** Name of the client that asks, by which its connections are counted. */
  readonly client?: string | undefined
}

export interface Waiter extends Holder {
  /** Once, unless it was taken out of the line: a server, with one of its connections; or a refusal. */
  served(target: Target | Refusal): void
}

export class WaitingLine {
  readonly #longest: number
  readonly #refusal: Refusal
  /** In the order of arrival, with the end of its patience. */
  readonly #waiters = new Map<Waiter, number>()
  #timer: NodeJS.Timeout | undefined

  /** `longest`: milliseconds; who waits longer gets `refusal`. */
  constructor(longest: number, refusal: Refusal) {
    this.#longest = longest
    this.#refusal = refusal
  }

  get length(): number {
    return this.#waiters.size
  }

  /** In the order of arrival; who leaves or comes meanwhile is out or in. */
  [Symbol.iterator](): Iterator<Waiter> {
    return this.#waiters.keys()
  }

  add(waiter: Waiter): void {
    this.#waiters.set(waiter, performance.now() + this.#longest)
    this.#timer ??= setTimeout(this.#expire, this.#longest)
  }

  remove(waiter: Waiter): void {
    if (this.#waiters.delete(waiter) && this.#waiters.size === 0) this.#stop()
  }

  close(refusal: Refusal): void {
    this.#stop()
    const waiters = [...this.#waiters.keys()]
    this.#waiters.clear()
    for (const waiter of waiters) waiter.served(refusal)
  }

  readonly #expire = (): void => {
    this.#timer = undefined
    const now = performance.now()
    for (const [waiter, until] of this.#waiters) {
      if (until > now) {
        this.#timer = setTimeout(this.#expire, until - now)
        return
      }
      this.#waiters.delete(waiter)
      waiter.served(this.#refusal)
    }
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
