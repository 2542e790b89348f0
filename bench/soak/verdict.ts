// What a soak comes to. Flat means: the last third of the samples is no higher than the first third after the warm-up, but for noise.

import type { Tally } from './load.ts'
import type { Sample } from './watched-gateway.ts'

const WARM_UP = 0.25
/** Caches fill, and what is compiled stays. */
const HEAP_NOISE = 0.1
const HEAP_LEAST = 4 * 2 ** 20
const SOCKETS_NOISE = 0.25
const SOCKETS_LEAST = 20
/** What is left in each process when nobody asks any more: the ports, the admin's connection, and one or two to issuers. */
const SOCKETS_AT_REST = 12

export interface Rest {
  readonly sockets: number
  readonly processes: number
  readonly exitCode: number
}

/** Everything that is wrong; nothing when it may run for ever. */
export function verdictOf(samples: readonly Sample[], tally: Tally, rest: Rest): readonly string[] {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP))
  const third = Math.floor(warm.length / 3)
  if (third < 2) return ['too short to tell: give it more minutes']
  const problems: string[] = []
  const compare = (what: string, of: (sample: Sample) => number, noise: number, least: number, unit: string): void => {
    const first = median(warm.slice(0, third).map(of))
    const last = median(warm.slice(-third).map(of))
    if (last > first * (1 + noise) + least)
      problems.push(`${what} rose from ${print(first, unit)} to ${print(last, unit)}`)
  }
  compare('the heap', ({ heap }) => heap, HEAP_NOISE, HEAP_LEAST, 'MB')
  compare('memory outside of the heap', ({ outside }) => outside, HEAP_NOISE, HEAP_LEAST, 'MB')
  compare('the number of sockets', ({ sockets }) => sockets, SOCKETS_NOISE, SOCKETS_LEAST, '')
  if (rest.sockets > SOCKETS_AT_REST * rest.processes) problems.push(`${rest.sockets} sockets are left at rest`)
  if (rest.exitCode !== 0) problems.push(`the gateway ended with ${rest.exitCode}`)
  if (tally.unexplained.length > 0) {
    problems.push(
      `${tally.unexplained.length} answers that nothing explains: ${tally.unexplained.slice(0, 10).join(', ')}`,
    )
  }
  return problems
}

export function print(value: number, unit: string): string {
  return unit === 'MB' ? `${(value / 2 ** 20).toFixed(1)} MB` : String(value)
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}
