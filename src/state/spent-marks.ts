// What may be used once: marks, each until its end. Bounded: when it is full of marks that still count, a new one is refused rather
// than an old one forgotten, because a forgotten mark is a replay that passes. So that nobody fills it for all others, an owner who has
// an eighth of it gets no more once it is half full.

const SLOT_MS = 1_000

interface Spent {
  readonly until: number
  readonly owner: string | undefined
}

export class SpentMarks {
  readonly #most: number
  readonly #spent = new Map<string, Spent>()
  /** Marks by owner. */
  readonly #owned = new Map<string, number>()
  /** Marks by the second in which they end, so that each is looked at once more and no more. */
  readonly #slots = new Map<number, string[]>()
  /** Everything that ended in an earlier slot is gone. */
  #swept = Number.NEGATIVE_INFINITY

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#spent.size
  }

  /** True for the first who marks it, false while that mark counts, undefined where there is no room to remember it. */
  mark(mark: string, milliseconds: number, now: number, owner?: string): boolean | undefined {
    this.#sweep(now)
    const before = this.#spent.get(mark)
    if (before !== undefined && before.until > now) return false
    if (!this.#hasRoom(owner)) return undefined
    const until = now + milliseconds
    if (before !== undefined) this.#forget(mark, before)
    this.#spent.set(mark, { until, owner })
    if (owner !== undefined) this.#owned.set(owner, (this.#owned.get(owner) ?? 0) + 1)
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
      for (const mark of marks) {
        const spent = this.#spent.get(mark)
        if (spent !== undefined && spent.until <= now) this.#forget(mark, spent)
      }
    }
  }

  #hasRoom(owner: string | undefined): boolean {
    const { size } = this.#spent
    if (size >= this.#most) return false
    if (owner === undefined || size < this.#most / 2) return true
    return (this.#owned.get(owner) ?? 0) < this.#most / 8
  }

  #forget(mark: string, { owner }: Spent): void {
    this.#spent.delete(mark)
    if (owner === undefined) return
    const left = this.#owned.get(owner)! - 1
    if (left > 0) this.#owned.set(owner, left)
    else this.#owned.delete(owner)
  }
}
