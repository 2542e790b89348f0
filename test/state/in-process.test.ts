// The state of one process: what it counts, what it may forget, and that it never forgets a mark that still counts.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InProcessState } from '../../src/state/in-process.ts'
import { SpentMarks } from '../../src/state/spent-marks.ts'

const RATE = { requests: 2, per: 1_000 }

function at(options: ConstructorParameters<typeof InProcessState>[0] = {}) {
  const clock = { now: 0 }
  return { clock, state: new InProcessState({ now: () => clock.now, ...options }) }
}

test('buckets are counted apart', () => {
  const { state } = at()
  expect([1, 2, 3].map(() => state.take('a', RATE).allowed)).toEqual([true, true, false])
  expect(state.take('b', RATE).allowed).toBe(true)
})

test('of too many buckets the one that rested longest is forgotten, never one that is in use', () => {
  const { state } = at({ buckets: 3 })
  const drain = (name: string) => [1, 2, 3].map(() => state.take(name, RATE).allowed).at(-1)
  for (const name of ['a', 'b', 'c']) expect(drain(name)).toBe(false)
  expect(state.take('a', RATE).allowed).toBe(false)
  state.take('d', RATE)
  expect(state.take('a', RATE).allowed).toBe(false)
  expect(state.take('c', RATE).allowed).toBe(false)
  expect(state.take('b', RATE).allowed).toBe(true)
})

describe('marks', () => {
  test('one is first, everyone after is not, until it has ended', async () => {
    const { state, clock } = at()
    expect(state.once('m', 500)).toBe(true)
    expect(state.once('m', 500)).toBe(false)
    clock.now = 499
    expect(state.once('m', 500)).toBe(false)
    clock.now = 500
    expect(state.once('m', 500)).toBe(true)
  })

  test('full of marks that count, it takes no more and forgets none; when they have ended it does', async () => {
    const { state, clock } = at({ marks: 3 })
    for (const mark of ['a', 'b', 'c']) expect(state.once(mark, 10_000)).toBe(true)
    await expect(state.once('d', 10_000)).rejects.toThrow(/too many marks/)
    for (const mark of ['a', 'b', 'c']) expect(state.once(mark, 10_000)).toBe(false)
    clock.now = 12_000
    expect(state.once('d', 10_000)).toBe(true)
  })

  test('who has an eighth of the room gets no more once it is half full, and others still do', async () => {
    const { state, clock } = at({ marks: 16 })
    const once = async (mark: string, owner: string) =>
      Promise.resolve(state.once(mark, 10_000, owner)).catch(() => 'full')
    for (let i = 0; i < 8; i++) expect(await once(`greedy ${i}`, 'greedy')).toBe(true)
    for (const owner of ['greedy', 'greedy']) expect(await once('greedy 8', owner)).toBe('full')
    for (const owner of ['b', 'c']) {
      expect([await once(`${owner} 1`, owner), await once(`${owner} 2`, owner)]).toEqual([true, true])
      expect([await once(`${owner} 1`, owner), await once(`${owner} 3`, owner)]).toEqual([false, 'full'])
    }
    clock.now = 12_000
    for (let i = 0; i < 8; i++) expect(await once(`greedy ${i}`, 'greedy')).toBe(true)
  })

  test('memory holds what still counts, and at most a second more', () => {
    const marks = new SpentMarks(1_000_000)
    for (let i = 0; i < 50_000; i++) marks.mark(`m${i}`, 2_000, i)
    expect(marks.size).toBeLessThanOrEqual(3_001)
  })

  test('against a list that forgets nothing', () => {
    const calls = fc.array(
      fc.record({
        gap: fc.integer({ min: 0, max: 1_500 }),
        mark: fc.constantFrom('a', 'b', 'c', 'd'),
        milliseconds: fc.integer({ min: 1, max: 5_000 }),
      }),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(calls, (made) => {
        const { state, clock } = at()
        const ends = new Map<string, number>()
        for (const { gap, mark, milliseconds } of made) {
          clock.now += gap
          const first = (ends.get(mark) ?? 0) <= clock.now
          if (first) ends.set(mark, clock.now + milliseconds)
          expect(state.once(mark, milliseconds)).toBe(first)
        }
      }),
    )
  })
})
