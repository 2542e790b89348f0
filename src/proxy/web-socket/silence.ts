// Whether one side of a WebSocket is still there: one that says nothing for half the time is asked by a Ping, which every side must
// answer (RFC 6455 §5.5.2), and given up when nothing comes for all of it. A flag and no clock where bytes pass.

export class Silence {
  readonly #idle: number
  #heard = true
  #asked = false
  #since = 0

  constructor(idle: number) {
    this.#idle = idle
  }

  heard(): void {
    this.#heard = true
  }

  /** `deaf`: nothing could be heard, because nobody listened. */
  look(now: number, deaf: boolean): 'ask' | 'over' | undefined {
    if (this.#heard || deaf) {
      this.#heard = false
      this.#asked = false
      this.#since = now
      return undefined
    }
    const silent = now - this.#since
    if (silent < this.#idle / 2) return undefined
    // However late one looks: nobody is given up who was not asked.
    if (this.#asked) return silent >= this.#idle ? 'over' : undefined
    this.#asked = true
    return 'ask'
  }
}
