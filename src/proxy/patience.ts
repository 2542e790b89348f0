// How long a client is waited for while it sends a body or takes an answer: a while at first, then as long as its bytes come fast enough.
// Waiting uses the patience up, bytes earn it back at the least rate, and never more than `idle` is held. So a stall ends it, a trickle
// ends it too, and a transfer that keeps to the least rate may take as long as it needs (gateways: slowloris, RUDY, slow read).

export interface Pace {
  /** Milliseconds before the first byte. */
  readonly first: number
  /** Milliseconds between two bytes, however many came before. */
  readonly idle: number
  /** Bytes a second over time. */
  readonly least: number
}

/** What is left of so many milliseconds after waiting, when so many bytes came. */
export function patienceLeft(left: number, waited: number, bytes: number, { idle, least }: Pace): number {
  return Math.min(idle, left - waited + (bytes * 1_000) / least)
}

/** Waits between `begin` and `pause`: time in which the gateway itself is not ready does not count. */
export class Patience {
  readonly #pace: Pace
  readonly #late: () => void
  #left: number
  #since: number | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(pace: Pace, late: () => void) {
    this.#pace = pace
    this.#late = late
    this.#left = pace.first
  }

  begin(): void {
    if (this.#since !== undefined) return
    this.#since = performance.now()
    this.#timer ??= setTimeout(this.#look, this.#left)
  }

  /** So many bytes came, or went out. */
  moved(bytes: number): void {
    if (this.#since === undefined) return
    const now = performance.now()
    this.#left = patienceLeft(this.#left, now - this.#since, bytes, this.#pace)
    this.#since = now
  }

  pause(): void {
    this.moved(0)
    this.#since = undefined
  }

  end(): void {
    this.#since = undefined
    clearTimeout(this.#timer)
  }

  /** The timer is not moved with every byte: when it is early, it waits for the rest. */
  readonly #look = (): void => {
    this.#timer = undefined
    if (this.#since === undefined) return
    this.moved(0)
    // Timers may come a moment early.
    if (this.#left > 1) this.#timer = setTimeout(this.#look, this.#left)
    else this.#late()
  }
}
