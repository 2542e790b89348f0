// What a worker has built and not yet put in force. The primary numbers each attempt, and gives up one that takes too long: what is
// built too late for its attempt is closed again. INVARIANT: only what the last attempt built can take over, and only by its number.

import type { Generation } from '../generations/generation.ts'

export class Prepared {
  /** The attempt that the primary still waits for, or has heard the end of. */
  #wanted: number | undefined
  #built: Generation | undefined

  /** Rejects when it cannot be built, and when it was given up meanwhile. */
  async prepare(attempt: number, build: () => Promise<Generation>): Promise<void> {
    const closed = this.#giveUp()
    this.#wanted = attempt
    await closed
    const generation = await build()
    if (this.#wanted !== attempt) {
      await generation.composed.close(0)
      throw new Error('the primary no longer waits for this route map')
    }
    this.#built = generation
  }

  /** To be put in force. */
  take(attempt: number): Generation {
    const built = this.#built
    if (this.#wanted !== attempt || built === undefined) throw new Error('this route map was not built here')
    this.#wanted = undefined
    this.#built = undefined
    return built
  }

  /** Of another attempt than the last, nothing is left to be given up. */
  async drop(attempt: number): Promise<void> {
    if (this.#wanted === attempt) await this.#giveUp()
  }

  async #giveUp(): Promise<void> {
    const built = this.#built
    this.#wanted = undefined
    this.#built = undefined
    await built?.composed.close(0)
  }
}
