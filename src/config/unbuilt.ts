// Keys of the contract that this version does not build yet. Never silently ignored: where leaving a key out can only refuse more, it
// is a warning and the thing stays refused; where it would protect less, the gateway does not start. Building a key deletes its row.
import type { Path, Report } from './source/problem.ts'

export type Effect = 'refuses-more' | 'protects-less'

export interface UnbuiltKey {
  /** Keys from the top, `*` for any name or index. */
  readonly key: string
  /** How messages call it; default: the key. */
  readonly what?: string
  readonly effect: Effect
  /** What holds instead, for the user. */
  readonly instead: string
  /** Values that ask for nothing; a key that says one of them is as good as left out. */
  readonly harmless?: (value: unknown) => boolean
}

const is =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value)

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

export const UNBUILT: readonly UnbuiltKey[] = [
  { key: 'shared.redis', effect: 'protects-less', instead: 'replicas would not share limits and revocations' },
  { key: 'authz', effect: 'protects-less', instead: 'other proxies would get no decisions', harmless: isEmpty },
  { key: 'audit', effect: 'protects-less', instead: 'nothing would be audited' },
  { key: 'telemetry', effect: 'refuses-more', instead: 'no traces are sent', harmless: isEmpty },
  {
    key: 'routes.*.mode',
    effect: 'protects-less',
    instead: 'refusals would be answered, not observed',
    harmless: is('enforce'),
  },
  {
    key: 'routes.*.trustNarrowing',
    effect: 'refuses-more',
    instead: 'what would have to be guarded is refused',
    harmless: is(false),
  },
]

/** `written` is the route map after substitution. */
export function checkUnbuilt(
  written: unknown,
  report: Report,
  warn: Report,
  table: readonly UnbuiltKey[] = UNBUILT,
): void {
  for (const { key, what, effect, instead, harmless } of table) {
    for (const [path, value] of occurrences(written, key.split('.'))) {
      if (harmless?.(value)) continue
      const name = what ?? `"${key.split('*.').at(-1)}"`
      if (effect === 'refuses-more') warn(path, `not built yet: ${name}; ${instead}`, 'key')
      else report(path, `not built yet: ${name}; without it ${instead}, so remove it to start`, 'key')
    }
  }
}

function* occurrences(
  value: unknown,
  [step, ...rest]: readonly string[],
  path: Path = [],
): Generator<readonly [Path, unknown]> {
  if (step === undefined) yield [path, value]
  else if (typeof value === 'object' && value !== null) {
    for (const key of step === '*' ? Object.keys(value) : [step]) {
      const inner = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
      if (inner !== undefined) yield* occurrences(inner, rest, [...path, Array.isArray(value) ? Number(key) : key])
    }
  }
}
