import { expect, test } from 'vitest'
import { RestartPace } from '../../../src/server/workers/restart-pace.ts'

test('at once, then ever later while they die young, at most half a minute; a long life is forgiven everything', () => {
  const pace = new RestartPace()
  const waits = Array.from({ length: 11 }, () => pace.after(1_000))
  expect(waits).toEqual([0, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  expect(pace.diedYoung).toBe(11)
  expect(pace.after(60_000)).toBe(0)
  expect([pace.after(0), pace.after(0)]).toEqual([0, 250])
})
