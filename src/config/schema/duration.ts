// Durations (`500ms`, `10s`, `5m`, `1h`, `90d`) and sizes (`64KiB`, `10MiB`) as the route map writes them; effectively
// milliseconds and bytes.
import { parsed } from './keywords.ts'

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

export const parseDuration = (text: string): number | undefined => withUnit(text, MILLISECONDS)

export const parseSize = (text: string): number | undefined => withUnit(text, BYTES)

export const duration = (description: string) =>
  parsed(parseDuration, description, {
    pattern: '^[0-9]+(ms|s|m|h|d)$',
    '~expected': 'a duration such as 500ms, 10s, 5m, 1h or 90d',
  })

export const size = (description: string) =>
  parsed(parseSize, description, { pattern: '^[0-9]+(B|KiB|MiB|GiB)$', '~expected': 'a size such as 64KiB or 10MiB' })

function withUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits = '', unit = ''] = /^(\d+)([A-Za-z]+)$/.exec(text) ?? []
  const value = Number(digits) * (units[unit] ?? Number.NaN)
  return Number.isSafeInteger(value) ? value : undefined
}
