// Looks at the frames of one direction of a WebSocket (RFC 6455 §5) as their bytes pass. No payload is ever held: a frame's header is
// kept back until it is whole and sound, everything behind it passes in the pieces in which it came.
// INVARIANT: not a byte of a frame that breaks a rule passes, so what has passed always ends where another frame may begin, or
// within a frame that was sound.

export interface ScanRules {
  /** Frames of a client are masked, those of a server never (RFC 6455 §5.1). */
  readonly masked: boolean
  /** Most bytes of one message, in however many frames. */
  readonly message: number
}

/** What is wrong, as the status code of a Close frame: 1002 protocol error, 1009 too big. */
export type ScanFault = 1002 | 1009

const LONGEST_HEADER = 14
const MOST_CONTROL_BYTES = 125
const CONTINUATION = 0
const BINARY = 2
const CLOSE = 8
const PONG = 10

export class FrameScanner {
  readonly #rules: ScanRules
  readonly #header = Buffer.allocUnsafe(LONGEST_HEADER)
  #held = 0
  /** Payload bytes of the present frame that are still to come. */
  #left = 0
  #inClose = false
  /** A message whose last frame has not come yet, and its bytes so far. */
  #fragmented = false
  #message = 0
  #fault: ScanFault | undefined

  /** Frames, and messages that have ended; control frames are frames only. */
  frames = 0
  messages = 0
  /** A Close frame has passed as a whole; nothing passes after it. */
  closed = false

  constructor(rules: ScanRules) {
    this.#rules = rules
  }

  /** What has passed ends where a frame ends, so that a frame of our own may follow. */
  get isBetweenFrames(): boolean {
    return this.#left === 0
  }

  /** Hands on, by `pass`, whatever of `chunk` may go on; a fault ends the scan for good. */
  scan(chunk: Buffer, pass: (bytes: Buffer) => void): ScanFault | undefined {
    let at = 0
    // Where the bytes begin that are sound and have not been handed on yet.
    let from = 0
    while (at < chunk.length && this.#fault === undefined && !this.closed) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at)
        at += taken
        this.#left -= taken
        if (this.#left === 0) this.#ended()
        continue
      }
      if (this.#held === 0) {
        const length = headerLength(chunk, at, chunk.length)
        // Mostly the header is whole: it is read where it lies, and no byte is copied.
        if (length !== undefined && at + length <= chunk.length) {
          this.#fault = this.#begin(chunk, at)
          if (this.#fault !== undefined) break
          at += length
          if (this.#left === 0) this.#ended()
          continue
        }
        if (at > from) pass(chunk.subarray(from, at))
      }
      this.#header[this.#held++] = chunk[at++]!
      from = at
      if (this.#held !== headerLength(this.#header, 0, this.#held)) continue
      const length = this.#held
      this.#held = 0
      this.#fault = this.#begin(this.#header, 0)
      if (this.#fault !== undefined) break
      pass(Buffer.from(this.#header.subarray(0, length)))
      if (this.#left === 0) this.#ended()
    }
    if (at > from) pass(chunk.subarray(from, at))
    return this.#fault
  }

  #begin(bytes: Buffer, at: number): ScanFault | undefined {
    const first = bytes[at]!
    const second = bytes[at + 1]!
    const opcode = first & 0x0f
    const final = (first & 0x80) !== 0
    // No extension is ever agreed on, so every reserved bit is out of place.
    if ((first & 0x70) !== 0) return 1002
    if (((second & 0x80) !== 0) !== this.#rules.masked) return 1002
    const payload = payloadLength(bytes, at, second & 0x7f)
    if (payload === undefined) return 1002
    const fault = opcode >= CLOSE ? this.#control(opcode, final, payload) : this.#data(opcode, final, payload)
    if (fault !== undefined) return fault
    this.frames++
    this.#left = payload
    return undefined
  }

  #control(opcode: number, final: boolean, payload: number): ScanFault | undefined {
    if (opcode > PONG || !final || payload > MOST_CONTROL_BYTES) return 1002
    // A Close frame holds nothing, or a status of two bytes and maybe a reason (§5.5.1).
    if (opcode === CLOSE && payload === 1) return 1002
    this.#inClose = opcode === CLOSE
    return undefined
  }

  #data(opcode: number, final: boolean, payload: number): ScanFault | undefined {
    if (opcode > BINARY) return 1002
    if ((opcode === CONTINUATION) !== this.#fragmented) return 1002
    if (this.#message + payload > this.#rules.message) return 1009
    this.#message = final ? 0 : this.#message + payload
    this.#fragmented = !final
    if (final) this.messages++
    return undefined
  }

  #ended(): void {
    if (this.#inClose) this.closed = true
  }
}

/** Undefined while too little of it is there to tell. */
function headerLength(bytes: Buffer, at: number, end: number): number | undefined {
  if (end - at < 2) return undefined
  const second = bytes[at + 1]!
  const short = second & 0x7f
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4)
}

/** Undefined for a length that is not written in the shortest way (§5.2), or beyond what a number can count. */
function payloadLength(bytes: Buffer, at: number, short: number): number | undefined {
  if (short < 126) return short
  if (short === 126) {
    const length = bytes.readUInt16BE(at + 2)
    return length < 126 ? undefined : length
  }
  const length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6)
  return length < 2 ** 16 || !Number.isSafeInteger(length) ? undefined : length
}
