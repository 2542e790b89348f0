// A histogram of seconds with cells of its own, for the reason of `tally.ts`: an observation is one look-up and two additions.
// What prom-client asks a metric for when it prints is `get`; buckets are added up only then.

import type { Histogram, Registry } from 'prom-client'

export interface Durations {
  observe(seconds: number, label?: string): void
}

export interface DurationsOptions {
  readonly name: string
  readonly help: string
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[]
  /** The only label, when there is one. */
  readonly label?: string
  readonly close?: (value: string) => string
}

interface Cell {
  readonly labels: Readonly<Record<string, string>>
  /** One for each bound and one for all above. */
  readonly counts: Float64Array
  sum: number
}

interface Value {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

export function createDurations(options: DurationsOptions, registry: Registry): Durations {
  const { name, help, buckets, label, close = (value) => value } = options
  const cells = new Map<string, Cell>()
  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: () =>
      Promise.resolve({
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: [...cells.values()].flatMap(valuesOf),
      }),
    reset: () => cells.clear(),
  }
  // The registry asks for no more than these members, but its type wants prom-client's own class.
  registry.registerMetric(metric as unknown as Histogram)

  function valuesOf({ labels, counts, sum }: Cell): Value[] {
    let count = 0
    const bounds = [...buckets, '+Inf'].map((le, index): Value => {
      count += counts[index]!
      return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
    })
    return [
      ...bounds,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  }

  function cellOf(value: string): Cell {
    const closed = close(value)
    const cell = cells.get(closed) ?? {
      labels: label === undefined ? {} : { [label]: closed },
      counts: new Float64Array(buckets.length + 1),
      sum: 0,
    }
    cells.set(closed, cell)
    return cell
  }

  return {
    observe(seconds, value = '') {
      if (!(seconds >= 0)) return
      const cell = cells.get(value) ?? cellOf(value)
      let index = 0
      while (index < buckets.length && seconds > buckets[index]!) index++
      cell.counts[index]!++
      cell.sum += seconds
    },
  }
}
