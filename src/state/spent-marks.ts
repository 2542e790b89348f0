// What may be used once: marks, each until its end. Bounded: when it is full of marks that still count, a new one is refused rather
// than an old one forgotten, because a forgotten mark is a replay that passes.

const SLOT_MS = 1_000

export class SpentMarks {
  readonly #most: number
  readonly #ends = new Map<string, number>()
  /** Marks by the second in which they end, so that each is looked at once more and no more. */
  readonly #slots = new Map<number, string[]>()
  /** Everything that ended in an earlier slot is gone. */
  #swept = Number.NEGATIVE_INFINITY

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#ends.size
  }

  /** True for the first who marks it, false while that mark counts, undefined where there is no room to remember it. */
  mark(mark: string, milliseconds: number, now: number): boolean | undefined {
    this.#sweep(now)
    const end = this.#ends.get(mark)
    if (end !== undefined && end > now) return false
    if (this.#ends.size >= this.#most) return undefined
    const until = now + milliseconds
    this.#ends.set(mark, until)
    const slot = Math.floor(until / SLOT_MS)
    const marks = this.#slots.get(slot)
    if (marks === undefined) this.#slots.set(slot, [mark])
    else marks.push(mark)
    return true
  }

  #sweep(now: number): void {
    const current = Math.floor(now / SLOT_MS)
    if (current <= this.#swept) return
    this.#swept = current
    for (const [slot, marks] of this.#slots) {
      if (slot >= current) continue
      this.#slots.delete(slot)
      // Marked again since: that mark stands in a later slot.
      for (const mark of marks) if (this.#ends.get(mark)! <= now) this.#ends.delete(mark)
    }
  }
}
