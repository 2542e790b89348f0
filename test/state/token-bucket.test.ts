// What is told of token buckets, as a table; what holds of all of them is `test/properties/rates.property.test.ts`.

import { expect, test } from 'vitest'
import type { Rate } from '../../src/state/shared-state.ts'
import { type Bucket, movedTo, refilled, take } from '../../src/state/token-bucket.ts'

/** One bucket, asked at these moments. */
function askedAt(moments: readonly number[], rate: Rate) {
  let bucket: Bucket | undefined
  return moments.map((now) => {
    const { taken, left } = take(refilled(bucket, rate, now), rate)
    bucket = { tokens: left, at: movedTo(bucket, now) }
    return { now, ...taken, left }
  })
}

test('what is told of a bucket that is empty, and of one that is not', () => {
  const rate = { requests: 2, per: 1_000 }
  expect(askedAt([0, 0, 0, 250, 500], rate)).toMatchObject([
    { allowed: true, remaining: 1, retryAfter: 0 },
    { allowed: true, remaining: 0, retryAfter: 500 },
    { allowed: false, remaining: 0, retryAfter: 500 },
    { allowed: false, remaining: 0, retryAfter: 250 },
    { allowed: true, remaining: 0, retryAfter: 500 },
  ])
})
