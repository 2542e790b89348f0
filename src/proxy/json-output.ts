// The writing half of the JSON scanner: what has been read and may, or may not yet, leave. A child of a watched container is
// written together with the comma before it, so that dropping it leaves JSON behind.

/** The low bits of what `enter` returns: the visitor's own name for the place, from 1 on; 0 lets a value pass unseen. */
export const PLACE = 0xff
/** The visitor wants to be asked about the children. */
export const WATCHED = 0x100
/** Nothing of the value leaves before `leave` has judged it. */
export const HELD = 0x200
/** A watched container that is dropped when none of its children was kept, and else passes on with the first one that is. */
export const LAZY = 0x400

export const DROP = Symbol('drop')

export interface JsonVisitor {
  /** A value begins in the container at `place` (0: it is the document). `first` is its first byte; `key` is undefined in arrays. */
  enter(place: number, key: string | undefined, first: number): number
  /**
   * A held value is whole: undefined keeps it, bytes stand in for it, DROP takes it out together with its key. `raw` is good for
   * the length of the call only.
   */
  leave(place: number, raw: Buffer): Buffer | typeof DROP | undefined
  /** A watched container closes: bytes to write before the bracket, with their own comma when `kept` is not 0. */
  close?(place: number, kept: number): Buffer | undefined
}

interface Hold {
  readonly place: number
  readonly lazy: boolean
  /** Depth of the container that the value is in. */
  readonly depth: number
  /** Where the child (with its comma and key) and where the value itself begins in the output. */
  child: number
  value: number
}

const COMMA = 0x2c
const SPACE = 0x20
const BACKSLASH = 0x5c
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
  /** How much of the input is in the output. */
  #copied = 0
  #bytes: Buffer = NONE
  #length = 0
  /** Where the child begins that is not decided yet. */
  #child = 0
  #keyAt = 0
  #grows = false
  #key: string | undefined

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
    const from = this.#boundary()
    if (this.#length === 0 && this.#copied === 0 && from === NOT) return input
    this.#copyTo(input.length)
    const boundary = from === NOT ? this.#length : from
    if (this.#length - boundary > this.#mostHeld)
      this.fault = `a value is larger than the ${this.#mostHeld} bytes that may be held`
    if (boundary === 0) return NONE
    this.#grows = false
    const leaving = this.#bytes.subarray(0, boundary)
    this.#bytes = this.#bytes.subarray(boundary, this.#length)
    this.#length -= boundary
    for (const hold of this.#holds) {
      hold.child -= boundary
      hold.value -= boundary
    }
    if (this.#child !== NOT) this.#child -= boundary
    this.#keyAt -= boundary
    return leaving
  }

  open(i: number, depth: number, place: number): void {
    this.watch = depth
    this.#places[depth] = place
    this.#kept[depth] = 0
    this.beginChild(i)
  }

  beginChild(i: number): void {
    this.#copyTo(i)
    this.#child = this.#length
    this.#key = undefined
  }

  beginKey(i: number): void {
    this.#copyTo(i)
    this.#keyAt = this.#length
  }

  endKey(i: number): void {
    this.#copyTo(i)
    this.#key = textOf(this.#bytes, this.#keyAt, this.#length)
  }

  beginValue(i: number, first: number): number {
    const depth = this.watch
    const flags = this.#visitor.enter(this.#places[depth]!, this.#key, first)
    if ((flags & (HELD | LAZY)) === 0) this.#keep(depth, this.#child)
    else {
      this.#copyTo(i)
      const lazy = (flags & HELD) === 0
      this.#holds.push({ place: flags & PLACE, lazy, depth, child: this.#child, value: this.#length })
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
    this.#copyTo(i)
    const bytes = this.#visitor.close?.(this.#places[depth]!, this.#kept[depth]!)
    if (bytes !== undefined) {
      this.#append(bytes)
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
      this.#copyTo(i)
      this.#holds.pop()
      this.#length = hold.child
    }
  }

  #judge(i: number): void {
    this.#copyTo(i)
    const hold = this.#holds.pop()!
    const verdict = this.#visitor.leave(hold.place, this.#bytes.subarray(hold.value, this.#length))
    if (verdict === DROP) {
      this.#length = hold.child
      return
    }
    if (verdict !== undefined) {
      this.#length = hold.value
      this.#append(verdict)
    }
    this.#keep(hold.depth, hold.child)
  }

  #keep(depth: number, child: number): void {
    // All before it were dropped, so the comma between has nothing to stand between.
    if (this.#kept[depth] === 0) {
      this.#copyAtLeast(child)
      if (this.#bytes[child] === COMMA && child < this.#length) this.#bytes[child] = SPACE
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

  /** In an array the comma may still be in the input only. */
  #copyAtLeast(child: number): void {
    if (child === this.#length && this.#copied < this.#input.length) this.#copyTo(this.#copied + 1)
  }

  #boundary(): number {
    return this.#holds.length > 0 ? this.#holds[0]!.child : this.#child
  }

  #copyTo(i: number): void {
    const count = i - this.#copied
    if (count <= 0) return
    this.#reserve(count)
    this.#input.copy(this.#bytes, this.#length, this.#copied, i)
    this.#length += count
    this.#copied = i
  }

  #append(bytes: Buffer): void {
    this.#reserve(bytes.length)
    bytes.copy(this.#bytes, this.#length)
    this.#length += bytes.length
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

/** The text of a JSON string; escapes are rare in keys, so they pay for themselves. */
function textOf(bytes: Buffer, from: number, to: number): string {
  const inner = bytes.subarray(from + 1, to - 1)
  return inner.includes(BACKSLASH) ? JSON.parse(bytes.toString('utf8', from, to)) : inner.toString('latin1')
}
