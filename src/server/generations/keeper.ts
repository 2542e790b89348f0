// What several generations of one process share: a part is found by name, and as long as its settings are deeply equal the one that
// is there is handed on, with its connections, its health and its counts; otherwise a new one is made beside it. A part is closed
// when the last lease on it ends, which is after the last request that could use it.

import { isDeepStrictEqual } from 'node:util'

/** `milliseconds`: how long what still runs in the part may take to end. */
export type ClosePart<Part> = (part: Part, milliseconds: number) => unknown

/** The parts that one generation uses. */
export interface Lease {
  part<Part>(name: string, settings: unknown, make: () => Part, close: ClosePart<Part>): Part
  /** As `part`, for one whose opening takes time and may fail. */
  opened<Part>(name: string, settings: unknown, open: () => Promise<Part>, close: ClosePart<Part>): Promise<Part>
  /** Closes what nobody else uses. */
  end(milliseconds: number): Promise<void>
}

interface Held {
  readonly name: string
  readonly settings: unknown
  readonly part: unknown
  readonly close: (milliseconds: number) => unknown
  leases: number
}

export class Keeper {
  readonly #held = new Set<Held>()

  /** How many parts are open; for tests. */
  get size(): number {
    return this.#held.size
  }

  lease(): Lease {
    const used = new Set<Held>()
    const use = (held: Held): void => {
      if (used.has(held)) return
      used.add(held)
      held.leases++
    }
    const hold = <Part>(name: string, settings: unknown, part: Part, close: ClosePart<Part>): Part => {
      const held: Held = { name, settings, part, close: (milliseconds) => close(part, milliseconds), leases: 0 }
      this.#held.add(held)
      use(held)
      return part
    }
    const find = (name: string, settings: unknown): Held | undefined => {
      const held = this.#find(name, settings)
      if (held !== undefined) use(held)
      return held
    }
    return {
      part: <Part>(name: string, settings: unknown, make: () => Part, close: ClosePart<Part>) => {
        const held = find(name, settings)
        return held === undefined ? hold(name, settings, make(), close) : (held.part as Part)
      },
      opened: async <Part>(name: string, settings: unknown, open: () => Promise<Part>, close: ClosePart<Part>) => {
        const held = find(name, settings)
        return held === undefined ? hold(name, settings, await open(), close) : (held.part as Part)
      },
      end: async (milliseconds) => {
        const unused = [...used].filter((held) => --held.leases === 0)
        used.clear()
        for (const held of unused) this.#held.delete(held)
        await Promise.all(unused.map((held) => held.close(milliseconds)))
      },
    }
  }

  /** The newest of that name with these settings. */
  #find(name: string, settings: unknown): Held | undefined {
    let found: Held | undefined
    for (const held of this.#held) {
      if (held.name === name && isDeepStrictEqual(held.settings, settings)) found = held
    }
    return found
  }
}
