// Answers that left their transform and that their clients have not taken: one that was checked whole stays here in full after the
// upstream's connection is free again, so neither backpressure nor the upstream's places bound them. They have bounded room together.
// Nobody new is refused: what is over it goes with the oldest, because who reads on has taken theirs by then.

import type { ServerResponse } from 'node:http'
import { breakConnection } from './break-connection.ts'

/** Many that come at once are no reason yet: who reads on gets so long, unless there is twice as much as may be. */
const GRACE_MS = 2_000

interface Untaken {
  readonly bytes: number
  readonly since: number
}

export class UntakenAnswers {
  readonly #most: number
  readonly #now: () => number
  /** Oldest first. */
  readonly #untaken = new Map<ServerResponse, Untaken>()
  #held = 0

  constructor(most: number, now: () => number = () => performance.now()) {
    this.#most = most
    this.#now = now
  }

  /** Bytes. */
  get held(): number {
    return this.#held
  }

  /** Counts what this answer has written and its client has not taken, until it is over. */
  hold(response: ServerResponse): void {
    const bytes = response.writableLength
    if (bytes === 0 || response.destroyed) return
    if (this.#untaken.has(response)) this.#forget(response)
    else response.once('close', () => this.#forget(response))
    const since = this.#now()
    this.#untaken.set(response, { bytes, since })
    this.#held += bytes
    for (const [oldest, held] of this.#untaken) {
      const tooMuch = since - held.since < GRACE_MS ? 2 * this.#most : this.#most
      if (this.#held <= tooMuch || oldest === response) return
      this.#forget(oldest)
      breakConnection(oldest)
    }
  }

  #forget(response: ServerResponse): void {
    this.#held -= this.#untaken.get(response)?.bytes ?? 0
    this.#untaken.delete(response)
  }
}
