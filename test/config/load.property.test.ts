// Whatever stands in a route map, loading it ends in settings or in problems with places, never in an exception.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import Schema from 'typebox/schema'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { loadRouteMap } from '../../src/config/load.ts'
import { SAMPLES, sample } from './support/maps.ts'

const published = Schema.Compile(JSON.parse(readFileSync(new URL('../../routes.schema.json', import.meta.url), 'utf8')))

function load(text: string): ReturnType<typeof loadRouteMap> {
  const loaded = loadRouteMap(text, { file: 'routes.yaml', env: { SECRET: 's' } })
  const lines = text.split('\n').length
  for (const { line, column, message } of 'problems' in loaded ? loaded.problems : loaded.warnings) {
    expect(line).toBeGreaterThanOrEqual(1)
    expect(line).toBeLessThanOrEqual(lines)
    expect(column).toBeGreaterThanOrEqual(1)
    expect(message).not.toMatch(/undefined|\[object|NaN/)
  }
  if ('problems' in loaded) expect(loaded.problems.length).toBeGreaterThan(0)
  return loaded
}

const text = fc.constantFrom(...SAMPLES).map(sample)

/** Every place in a value, as the keys to it. */
function places(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, inner]) => places(inner, [...path, key]))]
}

function put(value: unknown, [step, ...rest]: string[], replacement: unknown): unknown {
  if (step === undefined) return replacement
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) }
  const inner = (value as Record<string, unknown>)[step]
  Object.assign(copy, { [step]: put(inner, rest, replacement) })
  return copy
}

test('any text', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'a:-{}[]&*!|>\'"%@`#,?$ \n\t') })),
      (any) => {
        load(any)
      },
    ),
  )
})

test('a sample with characters lost, doubled or replaced', () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(12), fc.string({ maxLength: 6 }), (map, at, length, inserted) => {
      const start = at % map.length
      load(map.slice(0, start) + inserted + map.slice(start + length))
    }),
    { numRuns: 150 },
  )
})

test('a sample with another value in any place; what loads, the published schema accepts too', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(
      '',
      'public',
      'none',
      '0s',
      '1d',
      '1KiB',
      '/x',
      'GET /x',
      'http://h',
      '127.0.0.1:1',
      'system/*.rs',
      true,
      7,
    ),
  )
  fc.assert(
    fc.property(text, fc.nat(), anything, (map, at, value) => {
      const written = parse(map)
      const all = places(written)
      const changed = put(written, all[at % all.length]!, value)
      const loaded = load(stringify(changed))
      if ('settings' in loaded) expect(published.Check(changed)).toBe(true)
    }),
    { numRuns: 250 },
  )
})
