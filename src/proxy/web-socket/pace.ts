// How fast a client may send frames: a token bucket that never refuses, but says when the client is to be read more slowly.

export class Pace {
  readonly #rate: number
  readonly #go: () => void
  #left: number
  #filledAt = performance.now()
  #timer: NodeJS.Timeout | undefined

  /** `rate` a second, and as many at once. */
  constructor(rate: number, go: () => void) {
    this.#rate = rate
    this.#go = go
    this.#left = rate
  }

  /** Nothing more is to be read until `go` is called. */
  get waits(): boolean {
    return this.#timer !== undefined
  }

  /** True when there have been more than there may be. */
  count(frames: number): boolean {
    if (frames === 0) return this.waits
    const now = performance.now()
    this.#left = Math.min(this.#rate, this.#left + ((now - this.#filledAt) * this.#rate) / 1000) - frames
    this.#filledAt = now
    if (this.#left < 0 && this.#timer === undefined) {
      const wait = Math.min((-this.#left / this.#rate) * 1000, LONGEST_WAIT_MS)
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#go()
      }, wait)
    }
    return this.waits
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

const LONGEST_WAIT_MS = 60_000
