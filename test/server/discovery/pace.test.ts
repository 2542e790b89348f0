import { expect, test } from 'vitest'
import { createPace } from '../../../src/server/discovery/pace.ts'

test('so many a second, and a burst after a pause', () => {
  const clock = { now: 0 }
  const pace = createPace(10, () => clock.now)
  const ask = (times: number) =>
    Array.from({ length: times }, () => pace()?.code ?? 'ok').filter((code) => code === 'ok').length
  expect(ask(100)).toBe(20)
  clock.now += 500
  expect(ask(100)).toBe(5)
  clock.now += 60_000
  expect(ask(100)).toBe(20)
  expect(pace()).toMatchObject({ code: 'rate-limited', extras: { retryAfter: 1 } })
})
