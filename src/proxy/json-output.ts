// The writing half of the JSON scanner: what has been read and may, or may not yet, leave. A child of a watched container goes
// together with the comma before it, so that dropping it leaves JSON behind. Nothing is copied before an edit asks for it: the
// output is what has been collected, followed by the input from `copied` on, and a position is an offset into the two together,
// which stays what it is when bytes move from one to the other.

import { memberName } from './member-names.ts'

/** The low bits of what `enter` returns: the visitor's own name for the place, from 1 on; 0 lets a value pass unseen. */
export const PLACE = 0xff
/** The visitor wants to be asked about the children. */
export const WATCHED = 0x100
/** Nothing of the value leaves before `leave` has judged it. */
export const HELD = 0x200
/** A watched container that is dropped when none of its children was kept, and else passes on with the first one that is. */
export const LAZY = 0x400

export const DROP = Symbol('drop')

/** On a held value: undefined keeps it, a text or bytes stand in for it, DROP takes it out together with its key. */
export type Verdict = string | Buffer | typeof DROP | undefined

export interface JsonVisitor {
  /** A value begins in the container at `place` (0: it is the document). `first` is its first byte; `key` is undefined in arrays. */
  enter(place: number, key: string | undefined, first: number): number
  /** A held value is whole. `raw` is good for the length of the call only. */
  leave(place: number, raw: Buffer): Verdict
  /** A watched container closes: bytes to write before the bracket, with their own comma when `kept` is not 0. */
  close?(place: number, kept: number): Buffer | undefined
}

interface Hold {
  readonly place: number
  readonly lazy: boolean
  /** Depth of the container that the value is in. */
  readonly depth: number
  /** Positions of the child, with its comma and key, and of the value itself. */
  child: number
  value: number
}

const COMMA = 0x2c
const SPACE = 0x20
const NONE = Buffer.alloc(0)
const NOT = -1

export class JsonOutput {
  fault: string | undefined
  /** Depth of the innermost watched container; all above it are watched too. */
  watch = 0
  readonly #visitor: JsonVisitor
  readonly #mostHeld: number
  readonly #places: number[] = [0]
  /** Children kept so far, by depth of the watched container. */
  readonly #kept: number[] = [0]
  readonly #holds: Hold[] = []
  #input: Buffer = NONE
  /** How much of the input has been collected, or left out. */
  #copied = 0
  #bytes: Buffer = NONE
  #length = 0
  /** Position of the child that is not decided yet. */
  #child = 0
  #keyAt = 0
  #key: string | undefined
  #grows = false

  constructor(visitor: JsonVisitor, mostHeld: number) {
    this.#visitor = visitor
    this.#mostHeld = mostHeld
  }

  begin(input: Buffer): void {
    this.#input = input
    this.#copied = 0
  }

  /** What may leave. The rest is kept for the next piece. */
  finish(): Buffer {
    const input = this.#input
    const end = this.#position(input.length)
    const from = this.#holds.length > 0 ? this.#holds[0]!.child : this.#child
    const boundary = from === NOT ? end : from
    if (end - boundary > this.#mostHeld) {
      this.fault = `a value is larger than the ${this.#mostHeld} bytes that may be held`
      return NONE
    }
    if (this.#length === 0 && this.#copied === 0) return this.#leaveUncopied(boundary)
    this.#copyTo(input.length)
    if (boundary === 0) return NONE
    const leaving = this.#bytes.subarray(0, boundary)
    this.#bytes = this.#bytes.subarray(boundary, this.#length)
    this.#length -= boundary
    this.#left(boundary)
    return leaving
  }

  open(i: number, depth: number, place: number): void {
    this.watch = depth
    this.#places[depth] = place
    this.#kept[depth] = 0
    this.beginChild(i)
  }

  beginChild(i: number): void {
    this.#child = this.#position(i)
    this.#key = undefined
  }

  beginKey(i: number): void {
    this.#keyAt = this.#position(i)
  }

  endKey(i: number): void {
    if (this.#keyAt < this.#length) this.#copyTo(i)
    const collected = this.#keyAt < this.#length
    const bytes = collected ? this.#bytes : this.#input
    const from = collected ? this.#keyAt : this.#index(this.#keyAt)
    this.#key = memberName(bytes, from, collected ? this.#length : i)
  }

  beginValue(i: number, first: number): number {
    const depth = this.watch
    const flags = this.#visitor.enter(this.#places[depth]!, this.#key, first)
    if ((flags & (HELD | LAZY)) === 0) this.#keep(depth, this.#child)
    else {
      const lazy = (flags & HELD) === 0
      this.#holds.push({ place: flags & PLACE, lazy, depth, child: this.#child, value: this.#position(i) })
    }
    this.#child = NOT
    return flags
  }

  /** A scalar has ended; when it was held it is the innermost hold of this depth. */
  endScalar(i: number): void {
    const hold = this.#holds.at(-1)
    if (hold === undefined || hold.depth !== this.watch) return
    if (hold.lazy) {
      // A scalar where a container was meant has no children that could be kept: it passes.
      this.#holds.pop()
      this.#keep(hold.depth, hold.child)
    } else this.#judge(i)
  }

  close(i: number): void {
    const depth = this.watch
    const bytes = this.#visitor.close?.(this.#places[depth]!, this.#kept[depth]!)
    if (bytes !== undefined) {
      this.#replace(this.#position(i), i, bytes)
      this.#kept[depth]!++
      this.#release(depth)
    }
    this.watch = depth - 1
    this.#child = NOT
  }

  /** A container has ended whose parent is watched. */
  endContainer(i: number): void {
    const hold = this.#holds.at(-1)
    if (hold === undefined || hold.depth !== this.watch) return
    if (!hold.lazy) this.#judge(i)
    else {
      // Still here, so none of its children was kept.
      this.#holds.pop()
      this.#replace(hold.child, i, NONE)
    }
  }

  #judge(i: number): void {
    const hold = this.#holds.pop()!
    const verdict = this.#visitor.leave(hold.place, this.#read(hold.value, i))
    if (verdict === DROP) {
      this.#replace(hold.child, i, NONE)
      return
    }
    if (verdict !== undefined) this.#replace(hold.value, i, verdict)
    this.#keep(hold.depth, hold.child)
  }

  #keep(depth: number, child: number): void {
    // All before it were dropped, so the comma between has nothing to stand between.
    if (this.#kept[depth] === 0 && this.#byteAt(child) === COMMA) {
      if (child >= this.#length) this.#copyTo(this.#index(child) + 1)
      this.#bytes[child] = SPACE
    }
    this.#kept[depth]!++
    this.#release(depth)
  }

  /** A lazily held container at this depth has a child now. */
  #release(depth: number): void {
    const hold = this.#holds.at(-1)
    if (hold === undefined || !hold.lazy || hold.depth !== depth - 1) return
    this.#holds.pop()
    this.#keep(hold.depth, hold.child)
  }

  #position(i: number): number {
    return this.#length + i - this.#copied
  }

  /** Place in the input of a position that has not been collected. */
  #index(position: number): number {
    return position - this.#length + this.#copied
  }

  #byteAt(position: number): number | undefined {
    return position < this.#length ? this.#bytes[position] : this.#input[this.#index(position)]
  }

  /** The bytes from a position up to `i` in the input. */
  #read(position: number, i: number): Buffer {
    if (position >= this.#length) return this.#input.subarray(this.#index(position), i)
    this.#copyTo(i)
    return this.#bytes.subarray(position, this.#length)
  }

  /** Puts something in the place of all from a position up to `i` in the input. */
  #replace(position: number, i: number, by: Buffer | string): void {
    if (position > this.#length) this.#copyTo(this.#index(position))
    else this.#length = position
    this.#copied = i
    if (typeof by === 'string') {
      this.#reserve(3 * by.length)
      this.#length += this.#bytes.write(by, this.#length)
    } else if (by.length > 0) {
      this.#reserve(by.length)
      by.copy(this.#bytes, this.#length)
      this.#length += by.length
    }
  }

  #leaveUncopied(boundary: number): Buffer {
    const input = this.#input
    if (boundary === input.length) this.#bytes = NONE
    else {
      // A copy, because the memory of the input is as large as everything that came with it.
      this.#bytes = Buffer.from(input.subarray(boundary))
      this.#length = this.#bytes.length
    }
    this.#left(boundary)
    return boundary === input.length ? input : input.subarray(0, boundary)
  }

  /** So many bytes are gone, and positions begin behind them. */
  #left(count: number): void {
    this.#copied = 0
    this.#input = NONE
    this.#grows = false
    for (const hold of this.#holds) {
      hold.child -= count
      hold.value -= count
    }
    if (this.#child !== NOT) this.#child -= count
    this.#keyAt -= count
  }

  #copyTo(i: number): void {
    const count = i - this.#copied
    if (count <= 0) return
    this.#reserve(count)
    this.#input.copy(this.#bytes, this.#length, this.#copied, i)
    this.#length += count
    this.#copied = i
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    // Enough for the rest of this piece; doubled only where a held value goes on growing.
    const rest = this.#length + this.#input.length - this.#copied + count + 512
    const larger = Buffer.allocUnsafeSlow(Math.max(rest, this.#grows ? 2 * this.#bytes.length : 0))
    this.#grows = true
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }
}
