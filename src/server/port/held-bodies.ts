// Bodies that are read whole before anything is decided: bounded one by one by the limits of their routes, and together by what the
// process can hold. The room of a body is given back when its request is over.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Pace } from '../../proxy/patience.ts'
import { readBody } from '../../proxy/request-body.ts'

const FULL = refuse('overloaded', 'Too many bodies are being read at this moment. Try again shortly.', {
  retryAfter: 1,
})

export class HeldBodies {
  readonly #most: number
  readonly #pace: Pace
  #held = 0

  constructor(most: number, pace: Pace) {
    this.#most = most
    this.#pace = pace
  }

  /** Bytes. */
  get held(): number {
    return this.#held
  }

  read(
    request: IncomingMessage,
    response: ServerResponse,
    headers: RequestHeaders,
    limit: number,
  ): Promise<Buffer | Refusal> {
    let own = 0
    const giveBack = (): void => {
      this.#held -= own
    }
    const hold = (bytes: number): Refusal | undefined => {
      if (this.#held + bytes > this.#most) return FULL
      // The client is gone, and so is the body soon.
      if (response.destroyed) return undefined
      if (own === 0) response.once('close', giveBack)
      own += bytes
      this.#held += bytes
      return undefined
    }
    return readBody(request, headers, { limit, pace: this.#pace, hold })
  }
}
