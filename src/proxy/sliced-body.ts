// A body that is in memory, handed on piece by piece as the upstream takes it. In one piece it would count as sent at once, and when
// an upstream answers before it has read it, nobody could tell that the connection still carries the rest: that connection must be
// closed, or what the upstream makes of the rest answers the next request on it.

import { Readable } from 'node:stream'

/** What fits leaves in one write with the header fields. */
const PIECE = 64 * 1024

/** Undefined for what goes on as it is: small bodies, and streams. */
export function sliceBody(body: Buffer | string | Readable | undefined): SlicedBody | undefined {
  if (body === undefined || body instanceof Readable || body.length <= PIECE) return undefined
  return new SlicedBody(typeof body === 'string' ? Buffer.from(body) : body)
}

class SlicedBody extends Readable {
  readonly #whole: Buffer
  #at = 0

  constructor(whole: Buffer) {
    super({ highWaterMark: PIECE })
    this.#whole = whole
  }

  get bytes(): number {
    return this.#whole.length
  }

  override _read(): void {
    if (this.#at >= this.#whole.length) this.push(null)
    else {
      this.push(this.#whole.subarray(this.#at, this.#at + PIECE))
      this.#at += PIECE
    }
  }
}
