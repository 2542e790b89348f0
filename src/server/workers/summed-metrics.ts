// The metrics of all workers as one: each is asked when somebody scrapes, and what those counted that are gone is kept, because a sum
// that falls looks like a restart to whoever reads it.

import { AggregatorRegistry, type MetricObject, Registry } from 'prom-client'
import type { Metrics } from '../../observability/metrics.ts'

export type Snapshot = readonly MetricObject[]

export class SummedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #own: Pick<Metrics, 'snapshot'>
  readonly #askAll: () => Promise<ReadonlyMap<number, unknown>>
  /** What each worker said last, by its id. */
  readonly #last = new Map<number, Snapshot>()
  #departed: Snapshot = []

  constructor(own: Pick<Metrics, 'snapshot'>, askAll: () => Promise<ReadonlyMap<number, unknown>>) {
    this.#own = own
    this.#askAll = askAll
  }

  /** What it counted up to the last look stays in the sum. */
  async left(id: number): Promise<void> {
    const last = this.#last.get(id)
    this.#last.delete(id)
    if (last === undefined) return
    const counted = last.filter(({ type }) => String(type) === 'counter' || String(type) === 'histogram')
    const both = await sum([this.#departed, counted]).getMetricsAsJSON()
    this.#departed = both
  }

  async print(): Promise<string> {
    for (const [id, answer] of await this.#askAll()) if (Array.isArray(answer)) this.#last.set(id, answer as Snapshot)
    return sum([await this.#own.snapshot(), this.#departed, ...this.#last.values()]).metrics()
  }
}

function sum(snapshots: readonly Snapshot[]): Registry {
  return AggregatorRegistry.aggregate(snapshots as MetricObject[][])
}
