// How long clients are waited for (`src/proxy/patience.ts`): honest ones as long as they need, others not.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Pace, patienceLeft } from '../../src/proxy/patience.ts'

const PACE: Pace = { first: 10_000, idle: 60_000, least: 1_024 }

test('A client that keeps to the least rate is never cut off, in whatever pieces its bytes come.', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 9_999 }), { minLength: 1, maxLength: 100 })
  fc.assert(
    fc.property(gaps, (waits) => {
      let left = PACE.first
      for (const waited of waits) {
        expect(left - waited).toBeGreaterThan(0)
        left = patienceLeft(left, waited, Math.ceil((waited * PACE.least) / 1_000), PACE)
      }
    }),
  )
})

test('Who is still waited for has sent what the least rate asks for, but for a fixed time.', () => {
  const steps = fc.array(fc.record({ waited: fc.integer({ min: 1, max: 70_000 }), bytes: fc.nat(200_000) }))
  fc.assert(
    fc.property(steps, (taken) => {
      let left = PACE.first
      let time = 0
      let sent = 0
      for (const { waited, bytes } of taken) {
        if (left - waited < 0) break
        time += waited
        sent += bytes
        left = patienceLeft(left, waited, bytes, PACE)
        expect(left).toBeLessThanOrEqual(PACE.idle)
        expect(time).toBeLessThanOrEqual(PACE.idle + PACE.first + (sent * 1_000) / PACE.least)
      }
    }),
  )
})
