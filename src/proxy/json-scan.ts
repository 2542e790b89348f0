// Reads JSON as it streams and lets it be edited in a few places, without ever building it. Bytes come in pieces cut anywhere;
// the grammar is checked in full (RFC 8259); a visitor is asked about the values of the containers that it watches, and may hold
// one back until it is whole, then keep, replace or drop it. All other bytes pass unchanged, at several times the speed of
// `JSON.parse`. INVARIANT: nothing of a held value leaves before the visitor has kept it, however the input is cut.

import {
  BACKSLASH,
  BLANK,
  CLASS,
  CLOSE,
  CLOSE_OBJECT,
  COLON,
  COMMA_CLASS,
  ESCAPED,
  IS_HEX,
  isWord,
  OPEN,
  OPEN_OBJECT,
  QUOTE,
  RUNS_ON,
  SPACE,
  STRING,
  WORD,
} from './json-bytes.ts'
import { JsonOutput, type JsonVisitor, PLACE, WATCHED } from './json-output.ts'

// What may come next.
const VALUE = 0
const VALUE_OR_CLOSE = 1
const KEY_OR_CLOSE = 2
const KEY = 3
const AFTER_KEY = 4
const AFTER_VALUE = 5
const NOTHING = 6

// What the last piece ended within.
const IN_NOTHING = 0
const IN_KEY = 1
const IN_STRING = 2
const IN_WORD = 3

const DEEPEST = 1_000
const LONGEST_WORD = 1_024
const NONE = Buffer.alloc(0)

export class JsonScanner {
  /** Why the input is not JSON, or not acceptable; nothing more comes out from then on. */
  fault: string | undefined
  readonly #output: JsonOutput
  /** 1 for an object, 0 for an array, by depth. */
  readonly #isObject: number[] = [0]
  #expected = VALUE
  #depth = 0
  #within = IN_NOTHING
  /** Within a string: 0, or 1 behind a backslash, or 2 to 5 with that many hex digits less one to come. */
  #escape = 0
  #word = NONE

  constructor(visitor: JsonVisitor, mostHeld: number) {
    this.#output = new JsonOutput(visitor, mostHeld)
  }

  /** Takes a piece and gives the bytes that may leave by now. */
  push(piece: Buffer): Buffer {
    if (this.fault !== undefined) return NONE
    const output = this.#output
    output.begin(piece)
    const end = this.#scan(piece)
    if (end >= 0) {
      this.fault = `not JSON at byte ${end} of this piece`
      return NONE
    }
    const bytes = output.finish()
    this.fault = output.fault
    return this.fault === undefined ? bytes : NONE
  }

  /** Called at the end of the input; without a fault it was one whole JSON text. */
  end(): void {
    if (this.fault !== undefined) return
    if (this.#within === IN_WORD && this.#depth === 0 && isWord(this.#word, 0, this.#word.length)) return
    if (this.#within !== IN_NOTHING || this.#expected !== NOTHING) this.fault = 'the JSON ends before its time'
  }

  /** The place of the first wrong byte, or -1. */
  #scan(bytes: Buffer): number {
    const output = this.#output
    const length = bytes.length
    let i = this.#within === IN_NOTHING ? 0 : this.#resume(bytes)
    if (i < 0) return -1 - i
    let expected = this.#expected
    let depth = this.#depth
    while (i < length) {
      const byte = bytes[i]!
      switch (CLASS[byte]) {
        case SPACE:
          i++
          while (i < length && bytes[i] === BLANK) i++
          continue
        case STRING: {
          const isKey = expected === KEY || expected === KEY_OR_CLOSE
          if (!isKey && expected > VALUE_OR_CLOSE) return i
          const watched = depth === output.watch
          if (watched) isKey ? output.beginKey(i) : output.beginValue(i, byte)
          let j = i + 1
          while (j < length && RUNS_ON[bytes[j]!] === 1) j++
          if (j === length || bytes[j] !== QUOTE) {
            j = this.#string(bytes, j)
            if (j < 0) return -1 - j
          }
          if (j === length) {
            this.#within = isKey ? IN_KEY : IN_STRING
            break
          }
          i = j + 1
          if (watched) isKey ? output.endKey(i) : output.endScalar(i)
          expected = isKey ? AFTER_KEY : depth === 0 ? NOTHING : AFTER_VALUE
          continue
        }
        case COLON:
          if (expected !== AFTER_KEY) return i
          expected = VALUE
          i++
          continue
        case COMMA_CLASS:
          if (expected !== AFTER_VALUE) return i
          expected = this.#isObject[depth] === 1 ? KEY : VALUE
          if (depth === output.watch) output.beginChild(i)
          i++
          continue
        case WORD: {
          if (expected > VALUE_OR_CLOSE) return i
          if (depth === output.watch) output.beginValue(i, byte)
          let j = i + 1
          while (j < length && CLASS[bytes[j]!] === WORD) j++
          if (j === length) {
            if (j - i > LONGEST_WORD) return i
            this.#within = IN_WORD
            this.#word = Buffer.from(bytes.subarray(i, j))
            break
          }
          if (!isWord(bytes, i, j)) return i
          if (depth === output.watch) output.endScalar(j)
          i = j
          expected = depth === 0 ? NOTHING : AFTER_VALUE
          continue
        }
        case OPEN: {
          if (expected > VALUE_OR_CLOSE || depth === DEEPEST) return i
          const flags = depth === output.watch ? output.beginValue(i, byte) : 0
          depth++
          i++
          const isObject = byte === OPEN_OBJECT ? 1 : 0
          this.#isObject[depth] = isObject
          expected = isObject === 1 ? KEY_OR_CLOSE : VALUE_OR_CLOSE
          if ((flags & WATCHED) !== 0) output.open(i, depth, flags & PLACE)
          continue
        }
        case CLOSE: {
          const isObject = byte === CLOSE_OBJECT ? 1 : 0
          const empty = expected === (isObject === 1 ? KEY_OR_CLOSE : VALUE_OR_CLOSE)
          if (depth === 0 || this.#isObject[depth] !== isObject || !(empty || expected === AFTER_VALUE)) return i
          if (depth === output.watch) output.close(i)
          depth--
          i++
          if (depth === output.watch) output.endContainer(i)
          expected = depth === 0 ? NOTHING : AFTER_VALUE
          continue
        }
        default:
          return i
      }
      break
    }
    this.#expected = expected
    this.#depth = depth
    return -1
  }

  /** Goes on with a string or a word that the last piece ended within: the place behind it, or -1 less the place of a fault. */
  #resume(bytes: Buffer): number {
    const output = this.#output
    const watched = this.#depth === output.watch
    const within = this.#within
    let i = within === IN_WORD ? this.#resumeWord(bytes) : this.#string(bytes, 0)
    if (i < 0 || i === bytes.length) return i
    this.#within = IN_NOTHING
    if (within !== IN_WORD) i++
    if (watched) within === IN_KEY ? output.endKey(i) : output.endScalar(i)
    this.#expected = within === IN_KEY ? AFTER_KEY : this.#depth === 0 ? NOTHING : AFTER_VALUE
    return i
  }

  #resumeWord(bytes: Buffer): number {
    let i = 0
    while (i < bytes.length && CLASS[bytes[i]!] === WORD) i++
    this.#word = Buffer.concat([this.#word, bytes.subarray(0, i)])
    if (this.#word.length > LONGEST_WORD) return -1
    return i === bytes.length || isWord(this.#word, 0, this.#word.length) ? i : -1
  }

  /** From within a string: the place of its closing quote, the length when it is not in this piece, or -1 less the place of a fault. */
  #string(bytes: Buffer, from: number): number {
    const length = bytes.length
    let pending = this.#escape
    let i = from
    for (; i < length; i++) {
      const byte = bytes[i]!
      if (pending === 0) {
        if (RUNS_ON[byte] === 1) continue
        if (byte === QUOTE) break
        if (byte !== BACKSLASH) return -1 - i
        pending = 1
      } else if (pending === 1) {
        const kind = ESCAPED[byte]
        if (kind === 0) return -1 - i
        pending = kind === 2 ? 5 : 0
      } else {
        if (IS_HEX[byte] === 0) return -1 - i
        pending = pending === 2 ? 0 : pending - 1
      }
    }
    this.#escape = pending
    return i
  }
}
