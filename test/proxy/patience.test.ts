// How long clients are waited for, on a clock of the test.

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Pace, Patience } from '../../src/proxy/patience.ts'

const PACE: Pace = { first: 10_000, idle: 60_000, least: 1_024 }

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

/** Seconds until the patience ends, at most an hour; `each` second so many bytes come. */
function lasts(each: (second: number) => number, pace = PACE, most = 3_600): number {
  let late = false
  const patience = new Patience(pace, () => {
    late = true
  })
  patience.begin()
  for (let second = 1; second <= most; second++) {
    vi.advanceTimersByTime(1_000)
    if (late) return second
    const bytes = each(second)
    if (bytes > 0) patience.moved(bytes)
  }
  patience.end()
  return most
}

describe('a client', () => {
  test.each<[string, (second: number) => number, number]>([
    ['that sends nothing', () => 0, 10],
    ['that trickles a byte a second', () => 1, 11],
    ['that trickles half the rate', () => 512, 19],
    ['that keeps to the rate', () => 1_024, 3_600],
    ['that is fast', () => 10_000_000, 3_600],
    ['that pauses for less than idle, having been fast', (second) => (second % 50 === 1 ? 100_000 : 0), 3_600],
    ['that stalls after a fast start', (second) => (second === 1 ? 50_000_000 : 0), 61],
    ['that trickles after a fast start', (second) => (second === 1 ? 50_000_000 : 1), 62],
    ['that is slow, then keeps to the rate', (second) => (second < 9 ? 0 : 1_024), 3_600],
  ])('%s', (_, each, seconds) => {
    expect(lasts(each)).toBe(seconds)
  })

  test('is not waited for while it is not asked', () => {
    let late = false
    const patience = new Patience(PACE, () => {
      late = true
    })
    patience.begin()
    vi.advanceTimersByTime(9_000)
    patience.pause()
    vi.advanceTimersByTime(1_000_000)
    expect(late).toBe(false)
    patience.begin()
    vi.advanceTimersByTime(900)
    expect(late).toBe(false)
    vi.advanceTimersByTime(200)
    expect(late).toBe(true)
  })

  test('that is done is not waited for, and no timer is left', () => {
    const patience = new Patience(PACE, () => expect.unreachable())
    patience.begin()
    patience.end()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1_000_000)
  })
})
