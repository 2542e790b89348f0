import { describe, expect, test } from 'vitest'
import { checkUnbuilt, UNBUILT, type UnbuiltKey } from '../../src/config/unbuilt.ts'
import { mapWith, mapWithFhirKey, ref, said } from './support/maps.ts'

const section = (text: string) => mapWith({ append: `${text}\n` })

/** For each row, a map that uses the key, and one that says it in a way that asks for nothing (where there is one). */
const USES: Readonly<Record<string, readonly [used: string, harmless?: string]>> = {
  'shared.redis': [section('shared: { redis: redis://h }'), section(`shared: { redis: "${ref('R:-')}" }`)],
  authz: [section('authz: { http: 127.0.0.1:9091 }'), section('authz: {}')],
  audit: [section('audit: { sink: stdout }')],
  telemetry: [section('telemetry: { otlp: http://h }'), section(`telemetry: { otlp: "${ref('O:-')}" }`)],
  'routes.*.mode': [mapWithFhirKey('mode: { observe: { until: 2099-01-01 } }'), mapWithFhirKey('mode: enforce')],
  'routes.*.trustNarrowing': [mapWithFhirKey('trustNarrowing: true'), mapWithFhirKey('trustNarrowing: false')],
}

describe('is never silently ignored', () => {
  test.each(UNBUILT.map((row) => [row.key, row] as const))('%s', (key, row) => {
    const { problems, warnings } = said(USES[key]![0])
    const about = (line: string) => line.includes('not built yet') && line.includes(row.instead)
    expect((row.effect === 'refuses-more' ? warnings : problems).filter(about)).toHaveLength(1)
    expect((row.effect === 'refuses-more' ? problems : warnings).filter(about)).toHaveLength(0)
  })
})

describe('asks for nothing when it says so', () => {
  const harmless = UNBUILT.flatMap(({ key }) => (USES[key]?.[1] === undefined ? [] : [[key, USES[key][1]] as const]))

  test.each(harmless)('%s', (_, text) => {
    expect(said(text)).toEqual({ problems: [], warnings: [] })
  })
})

test('a row says where the key stands, in sections, lists and maps', () => {
  const found: string[] = []
  const note = (path: readonly (string | number)[]) => void found.push(path.join('.'))
  const rows: UnbuiltKey[] = [
    { key: 'a.*.b', effect: 'refuses-more', instead: 'x' },
    { key: 'c', effect: 'protects-less', instead: 'x', harmless: (value) => value === 1 },
  ]
  checkUnbuilt({ a: [{ b: 1 }, {}, { b: null }], c: 1 }, note, note, rows)
  checkUnbuilt({ a: { n: { b: 1 } }, c: 2 }, note, note, rows)
  expect(found).toEqual(['a.0.b', 'a.2.b', 'a.n.b', 'c'])
})
