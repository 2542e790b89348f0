// Whether bytes that come in pieces are UTF-8, wherever they are cut: readers that are less strict would take other characters, even
// other member names, for what does not decode (overlong forms).

import { isUtf8 } from 'node:buffer'

const NONE = Buffer.alloc(0)

export class Utf8Check {
  /** The beginning of a character, three bytes at most. */
  #begun = NONE

  /** False as soon as something is not UTF-8. */
  write(piece: Buffer): boolean {
    const bytes = this.#begun.length === 0 ? piece : Buffer.concat([this.#begun, piece])
    const end = wholeCharacters(bytes)
    this.#begun = end === bytes.length ? NONE : Buffer.from(bytes.subarray(end))
    return isUtf8(end === bytes.length ? bytes : bytes.subarray(0, end))
  }

  /** False where the last character is not whole. */
  end(): boolean {
    return this.#begun.length === 0
  }
}

/** Where the last character begins that may be continued, or the end. */
function wholeCharacters(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}
