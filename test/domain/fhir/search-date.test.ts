import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type DatePrefix,
  dateMatches,
  parseDateAtom,
  parseDateRange,
  spanOf,
} from '../../../src/domain/fhir/search-date.ts'

const iso = (time: number): string => new Date(time).toISOString()

test.each([
  ['2024', '2024-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z', 'unknown'],
  ['2024-12', '2024-12-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z', 'unknown'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z', '2024-03-01T00:00:00.000Z', 'unknown'],
  ['2024-12-31', '2024-12-31T00:00:00.000Z', '2025-01-01T00:00:00.000Z', 'unknown'],
  ['2024-05-06T07:08', '2024-05-06T07:08:00.000Z', '2024-05-06T07:09:00.000Z', 'unknown'],
  ['2024-05-06T07:08Z', '2024-05-06T07:08:00.000Z', '2024-05-06T07:09:00.000Z', 'known'],
  ['2024-05-06T07:08:09Z', '2024-05-06T07:08:09.000Z', '2024-05-06T07:08:10.000Z', 'known'],
  ['2024-05-06T07:08:09+02:00', '2024-05-06T05:08:09.000Z', '2024-05-06T05:08:10.000Z', 'known'],
  ['2024-01-01T00:00:00-05:30', '2024-01-01T05:30:00.000Z', '2024-01-01T05:30:01.000Z', 'known'],
  ['2024-05-06T07:08:09.5Z', '2024-05-06T07:08:09.500Z', '2024-05-06T07:08:09.600Z', 'known'],
  ['2024-05-06T07:08:09.123Z', '2024-05-06T07:08:09.123Z', '2024-05-06T07:08:09.124Z', 'known'],
])('%s is from %s to %s, zone %s', (text, start, end, zone) => {
  const range = parseDateRange(text)!
  expect([iso(range.start), iso(range.end), range.zone]).toEqual([start, end, zone])
})

test.each([
  '',
  '24',
  '2024-',
  '2024-13',
  '2024-00',
  '2024-02-30',
  '2023-02-29',
  '2024-04-31',
  '2024-01-00',
  '0024-01-01',
  '2024-1-1',
  '2024-01-01T',
  '2024-01-01T24:00:00Z',
  '2024-01-01T10:60:00Z',
  '2024-01-01T10:00:60Z',
  '2024-01-01T10',
  '2024-01-01 10:00:00Z',
  '2024-01-01Z',
  '2024-01-01T10:00:00+15:00',
  '2024-01-01T10:00:00.1234567Z',
  '2024-01-01T10:00:00z',
  ' 2024',
  '2024\n',
  '-2024',
  'now',
])('%j is no date', (text) => {
  expect(parseDateRange(text)).toBeUndefined()
})

test.each(['ap2024', 'xx2024', 'eq', 'eqeq2024', 'GE2024', '', '2024,2025'])('%j is no date atom', (text) => {
  expect(parseDateAtom(text)).toBeUndefined()
})

const matches = (atom: string, value: string): boolean => dateMatches(parseDateAtom(atom)!, parseDateRange(value)!)

describe('one zone', () => {
  test.each([
    ['2024-01-14', '2024-01-14', true],
    ['2024-01', '2024-01-14', true],
    ['eq2024-01-14', '2024-01', false],
    ['2024-01-14', '2024-01-15', false],
    ['ne2024-01-14', '2024-01-15', true],
    ['ne2024-01-14', '2024-01-14', false],
    ['ne2024-01', '2024-01-14', false],
    ['gt2024-01-14', '2024-01-14', false],
    ['gt2024-01-14', '2024-01-15', true],
    ['gt2024-01-14', '2024-01', true],
    ['lt2024-01-14', '2024-01-14', false],
    ['lt2024-01-14', '2024-01-13', true],
    ['lt2024-01-14', '2024-01', true],
    ['ge2024-01-14', '2024-01-14', true],
    ['ge2024-01-14', '2024-01-13', false],
    ['le2024-01-14', '2024-01-14', true],
    ['le2024-01-14', '2024-01-15', false],
    ['sa2024-01-14', '2024-01-15', true],
    ['sa2024-01-14', '2024-01', false],
    ['eb2024-01-14', '2024-01-13', true],
    ['eb2024-01-14', '2024-01', false],
    ['2024-01-14T10:00:00Z', '2024-01-14T12:00:00+02:00', true],
    ['2024-01-14T10:00:00Z', '2024-01-14T10:00:00.250Z', true],
    ['2024-01-14T10:00:00.250Z', '2024-01-14T10:00:00Z', false],
    ['gt2024-01-14T10:00:00Z', '2024-01-14T10:00:01Z', true],
  ])('%s on %s: %s', (atom, value, expected) => {
    expect(matches(atom, value)).toBe(expected)
  })
})

describe('a zone on one side only: in every zone or not at all', () => {
  test.each([
    ['2024-01-14', '2024-01-14T12:00:00Z', false],
    ['2024-01', '2024-01-15T12:00:00Z', true],
    ['2024-01', '2024-01-01T05:00:00Z', false],
    ['ge2024-01-14', '2024-01-14T12:00:00Z', true],
    ['ge2024-01-14', '2024-01-14T11:59:59Z', false],
    ['gt2024-01-14', '2024-01-15T12:00:00Z', true],
    ['lt2024-01-14', '2024-01-13T09:59:59Z', true],
    ['lt2024-01-14', '2024-01-13T10:00:00Z', false],
    ['le2024-01-14', '2024-01-14T09:00:00Z', true],
    ['ne2024-01-14', '2024-01-14T00:00:00Z', false],
    ['ne2024-01-14', '2024-01-16T00:00:00Z', true],
    ['sa2024-01-14', '2024-01-15T12:00:00Z', true],
    ['eb2024-01-14', '2024-01-13T09:59:00Z', true],
    ['ge2024-01-14T12:00:00Z', '2024-01-15', true],
    ['ge2024-01-14T12:00:00Z', '2024-01-14', false],
  ])('%s on %s: %s', (atom, value, expected) => {
    expect(matches(atom, value)).toBe(expected)
  })

  test('what matches, matches wherever the side without a zone may be', () => {
    const time = fc.integer({ min: Date.UTC(2024, 0, 10), max: Date.UTC(2024, 0, 20) })
    const day = fc.integer({ min: 10, max: 20 }).map((number) => `2024-01-${number}`)
    const prefix = fc.constantFrom<DatePrefix>('eq', 'ne', 'gt', 'lt', 'ge', 'le', 'sa', 'eb')
    fc.assert(
      fc.property(
        prefix,
        day,
        time,
        fc.integer({ min: -12, max: 14 }),
        fc.boolean(),
        (relation, date, at, hours, swap) => {
          const instant = new Date(at).toISOString()
          const sign = hours < 0 ? '-' : '+'
          const local = parseDateRange(`${date}T00:00:00${sign}${String(Math.abs(hours)).padStart(2, '0')}:00`)!
          const placed = { start: local.start, end: local.start + 86_400_000, zone: 'known' as const }
          const known = parseDateRange(instant)!
          const unplaced = parseDateRange(date)!
          const [atom, value, placedAtom, placedValue] = swap
            ? [known, unplaced, known, placed]
            : [unplaced, known, placed, known]
          if (dateMatches({ kind: 'date', prefix: relation, range: atom }, value)) {
            expect(dateMatches({ kind: 'date', prefix: relation, range: placedAtom }, placedValue)).toBe(true)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })
})

test('spans', () => {
  const first = parseDateRange('2024-01-01')!
  const last = parseDateRange('2024-03')!
  expect(spanOf(first, last)).toEqual({ start: first.start, end: last.end, zone: 'unknown' })
  expect(spanOf(first, undefined)).toEqual({ start: first.start, end: Number.POSITIVE_INFINITY, zone: 'unknown' })
  expect(spanOf(undefined, last)).toEqual({ start: Number.NEGATIVE_INFINITY, end: last.end, zone: 'unknown' })
  expect(spanOf(undefined, undefined)).toBeUndefined()
  expect(spanOf(parseDateRange('2025')!, parseDateRange('2024')!)).toBeUndefined()
  expect(spanOf(parseDateRange('2024-01-01T00:00:00Z')!, last)?.zone).toBe('mixed')
})
