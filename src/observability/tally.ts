// A counter that costs one map look-up to count. prom-client hashes and checks the labels at every call; here each set of label
// values has a cell of its own, and prom-client sees the cells only when somebody asks for the metrics.

import { Counter, type Registry } from 'prom-client'

export interface Tally {
  /** Values in the order of the label names. */
  add(amount: number, a: string, b?: string, c?: string, d?: string): void
}

export interface TallyOptions {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
  /** Makes the values fit their closed sets; asked once for each combination that fits, and again for each that does not. */
  readonly close: (values: readonly string[]) => readonly string[]
}

interface Cell {
  readonly labels: Readonly<Record<string, string>>
  count: number
}

export function createTally({ name, help, labels, close }: TallyOptions, registry: Registry): Tally {
  const cells = new Map<string, Cell>()
  new Counter({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset()
      for (const cell of cells.values()) this.inc(cell.labels, cell.count)
    },
  })

  function cellOf(key: string, given: readonly string[]): Cell {
    const values = close(given)
    // INVARIANT: only closed values are kept, so that no client can make the map grow.
    const closed = values.join('\0')
    const cell = (closed === key ? undefined : cells.get(closed)) ?? {
      labels: Object.fromEntries(labels.map((label, index) => [label, values[index]!])),
      count: 0,
    }
    cells.set(closed, cell)
    return cell
  }

  return {
    add(amount, ...values) {
      const key = values.join('\0')
      const cell = cells.get(key) ?? cellOf(key, values as string[])
      cell.count += amount
    },
  }
}
