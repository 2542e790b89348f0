// Rates (`src/state/token-bucket.ts`): never more than the burst and the refill over any time, and never less either.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Rate } from '../../src/state/shared-state.ts'
import { type Bucket, movedTo, refilled, take, untilFull } from '../../src/state/token-bucket.ts'

const rates = fc.record({ requests: fc.integer({ min: 1, max: 1_000 }), per: fc.integer({ min: 1, max: 86_400_000 }) })

/** One bucket, asked at these moments. */
function askedAt(moments: readonly number[], rate: Rate) {
  let bucket: Bucket | undefined
  return moments.map((now) => {
    const { taken, left } = take(refilled(bucket, rate, now), rate)
    bucket = { tokens: left, at: movedTo(bucket, now) }
    return { now, ...taken, left }
  })
}

const forward = (gaps: readonly number[]): number[] => {
  let now = 0
  return gaps.map((gap) => {
    now += gap
    return now
  })
}

test('At once, exactly the requests of one period are let through.', () => {
  fc.assert(
    fc.property(rates, (rate) => {
      const told = askedAt(
        Array.from({ length: rate.requests + 3 }, () => 5),
        rate,
      )
      expect(told.filter(({ allowed }) => allowed)).toHaveLength(rate.requests)
      expect(told.slice(rate.requests).some(({ allowed }) => allowed)).toBe(false)
      expect(told.map(({ remaining }) => remaining).slice(0, rate.requests)).toEqual(
        Array.from({ length: rate.requests }, (_, i) => rate.requests - 1 - i),
      )
    }),
  )
})

test('Over any time, no more is let through than one period at once and what was refilled since, whichever way the clock goes.', () => {
  const moments = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(rates, moments, ({ requests }, asked) => {
      const rate = { requests, per: 1_000 }
      const told = askedAt(asked, rate)
      let highest = Number.NEGATIVE_INFINITY
      const clock = told.map(({ now }) => {
        highest = Math.max(highest, now)
        return highest
      })
      for (let from = 0; from < told.length; from += 7) {
        let passed = 0
        for (let to = from; to < told.length; to++) {
          if (told[to]!.allowed) passed++
          const span = clock[to]! - clock[from]!
          expect(passed).toBeLessThanOrEqual(requests + (span * requests) / 1_000 + 1e-6)
        }
      }
    }),
  )
})

test('Who comes again when told to is let through, and not earlier.', () => {
  fc.assert(
    fc.property(rates, fc.array(fc.double({ min: 0, max: 1_000, noNaN: true }), { maxLength: 50 }), (rate, gaps) => {
      const moments = forward(gaps)
      const last = moments.at(-1) ?? 0
      const told = askedAt([...moments, ...Array.from({ length: rate.requests + 1 }, () => last)], rate).at(-1)!
      expect(told.allowed).toBe(false)
      expect(told.retryAfter).toBeGreaterThan(0)
      const bucket = { tokens: told.left, at: last }
      expect(take(refilled(bucket, rate, last + told.retryAfter + 1e-6), rate).taken.allowed).toBe(true)
      if (told.retryAfter > 2)
        expect(take(refilled(bucket, rate, last + told.retryAfter - 1), rate).taken.allowed).toBe(false)
    }),
  )
})

test('A steady client within the rate is never refused.', () => {
  fc.assert(
    fc.property(rates, (rate) => {
      const gap = rate.per / rate.requests
      const told = askedAt(
        Array.from({ length: 500 }, (_, i) => i * gap),
        rate,
      )
      expect(told.every(({ allowed }) => allowed)).toBe(true)
    }),
  )
})

test('A bucket that was left alone long enough is as good as one that was forgotten.', () => {
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 1_000 }), (rate, taken) => {
      const { left, now } = askedAt(
        Array.from({ length: taken }, () => 7),
        rate,
      ).at(-1)!
      const later = now + untilFull(left, rate) + 1e-3
      expect(refilled({ tokens: left, at: now }, rate, later)).toBeCloseTo(rate.requests, 6)
    }),
  )
})
