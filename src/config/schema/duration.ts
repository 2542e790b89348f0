// Durations (`500ms`, `10s`, `5m`, `1h`, `90d`) and sizes (`64KiB`, `10MiB`) as the route map writes them; effectively
// milliseconds and bytes.
import { parsed } from './keywords.ts'

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

const DURATION = '^[0-9]+(ms|s|m|h|d)$'
const EXAMPLES = 'such as 500ms, 10s, 5m, 1h or 90d'

/** What Node's timers can wait for; they fire at once for more. */
const LONGEST_TIMER = 2 ** 31 - 1

export const parseDuration = (text: string): number | undefined => withUnit(text, MILLISECONDS)

export const parseSize = (text: string): number | undefined => withUnit(text, BYTES)

/** A span of time between two moments; zero is one too. */
export const duration = (description: string) =>
  parsed(parseDuration, description, { pattern: DURATION, '~expected': `a duration ${EXAMPLES}` })

/** How long something is waited for. Zero is refused: to Node it means for ever. */
export const timer = (description: string) =>
  parsed((text) => within(parseDuration(text), 1, LONGEST_TIMER), description, {
    pattern: DURATION,
    '~expected': `a duration ${EXAMPLES}, more than zero and less than 25 days`,
  })

/** How long something is put off; zero does it at once. */
export const pause = (description: string) =>
  parsed((text) => within(parseDuration(text), 0, LONGEST_TIMER), description, {
    pattern: DURATION,
    '~expected': `a duration ${EXAMPLES}, less than 25 days`,
  })

export const size = (description: string) =>
  parsed((text) => within(parseSize(text), 1, Number.MAX_SAFE_INTEGER), description, {
    pattern: '^[0-9]+(B|KiB|MiB|GiB)$',
    '~expected': 'a size such as 64KiB or 10MiB, more than zero',
  })

const within = (value: number | undefined, least: number, most: number): number | undefined =>
  value !== undefined && value >= least && value <= most ? value : undefined

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]+)$/.exec(text) ?? []
  const value = Number(digits) * (units[unit] ?? Number.NaN)
  return Number.isSafeInteger(value) ? value : undefined
}
