// How long a crashed worker waits before it is replaced: not at all after a long life, and twice as long with each one that died young,
// so that a crash loop leaves the machine and the log in peace while the others go on.

const FIRST_MS = 250
const LONGEST_MS = 30_000
/** Who lived so long did not crash because of how it was started. */
const LONG_LIFE_MS = 60_000

export class RestartPace {
  #diedYoung = 0

  /** Deaths in a row, each soon after its start. */
  get diedYoung(): number {
    return this.#diedYoung
  }

  /** Milliseconds until the next one should start. */
  after(lifetime: number): number {
    if (lifetime >= LONG_LIFE_MS) {
      this.#diedYoung = 0
      return 0
    }
    const doublings = this.#diedYoung++ - 1
    return doublings < 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** doublings)
  }
}
