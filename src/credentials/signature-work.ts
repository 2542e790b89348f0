// Signatures are verified on the few threads that Node shares with files and host names, and one ES384 signature takes a millisecond
// of one. So only so many are in work at once, and those that wait take turns by lane (an issuer's tokens, an issuer's proofs): a flood
// of new or forged tokens of one issuer delays that issuer's own, not another's, and never a token that was verified before.

import { availableParallelism } from 'node:os'
import { type Refusal, refuse } from '../domain/refusal.ts'

/** One processor is left for everything else; beyond three, the pool (four threads by default) would be full. */
const MOST_RUNNING = Math.max(1, Math.min(3, availableParallelism() - 1))
const MOST_WAITING = 512

export interface SignatureWorkOptions {
  readonly running?: number
  /** In each lane. */
  readonly waiting?: number
}

export class SignatureWork {
  readonly #mostRunning: number
  readonly #mostWaiting: number
  /** In the order of their turns; a lane without anybody waiting is not here. */
  readonly #lanes = new Map<string, (() => void)[]>()
  #running = 0

  constructor({ running = MOST_RUNNING, waiting = MOST_WAITING }: SignatureWorkOptions = {}) {
    this.#mostRunning = running
    this.#mostWaiting = waiting
  }

  async run<Result>(lane: string, work: () => Promise<Result>): Promise<Result | Refusal> {
    if (this.#running >= this.#mostRunning) {
      const waiting = this.#lanes.get(lane) ?? []
      if (waiting.length >= this.#mostWaiting) return overloaded()
      await new Promise<void>((turn) => {
        waiting.push(turn)
        this.#lanes.set(lane, waiting)
      })
    } else this.#running++
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  /** The place is handed on; the lane that took it goes to the end. */
  #next(): void {
    for (const [lane, waiting] of this.#lanes) {
      const turn = waiting.shift()!
      this.#lanes.delete(lane)
      if (waiting.length > 0) this.#lanes.set(lane, waiting)
      turn()
      return
    }
    this.#running--
  }
}

export const overloaded = (): Refusal =>
  refuse('overloaded', 'Too many new access tokens are being verified. Try again in a moment.', { retryAfter: 1 })
