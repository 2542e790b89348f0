// The breaker of one server, on a clock that the test sets.

import { describe, expect, test } from 'vitest'
import { Outlier } from '../../src/proxy/outlier.ts'

const RULES = { faults: 3, time: 10_000, longest: 60_000, slowStart: 10_000 }
const MAY = true
const MUST_NOT = false

function ejected(at = 1_000): Outlier {
  const outlier = new Outlier(RULES)
  for (let i = 0; i < 3; i++) outlier.tell({}, 'fault', at, MAY)
  return outlier
}

/** One request whose outcome is told. */
function probe(outlier: Outlier, outcome: 'answered' | 'fault' | 'unreachable' | 'untold', now: number): void {
  const holder = {}
  outlier.take(holder)
  outlier.tell(holder, outcome, now, MAY)
}

describe('opens', () => {
  test('by faults in a row, not by faults', () => {
    const outlier = new Outlier(RULES)
    for (const outcome of ['fault', 'fault', 'answered', 'fault', 'unreachable'] as const) {
      outlier.tell({}, outcome, 1, MAY)
    }
    expect(outlier.state).toBe('available')
    expect(outlier.isUsable(1)).toBe(true)
    outlier.tell({}, 'fault', 1, MAY)
    expect(outlier.state).toBe('ejected')
    expect(outlier.isUsable(1)).toBe(false)
  })

  test('not by what tells nothing', () => {
    const outlier = new Outlier(RULES)
    for (let i = 0; i < 10; i++) outlier.tell({}, 'untold', 1, MAY)
    expect(outlier.isQuiet).toBe(true)
  })

  test('not where the others cannot do without it, and as soon as they can', () => {
    const outlier = new Outlier(RULES)
    for (let i = 0; i < 10; i++) outlier.tell({}, 'fault', 1, MUST_NOT)
    expect(outlier.isUsable(1)).toBe(true)
    outlier.tell({}, 'fault', 1, MAY)
    expect(outlier.isUsable(1)).toBe(false)
  })
})

describe('is half open', () => {
  test('when its time is over, for one request', () => {
    const outlier = ejected(1_000)
    expect(outlier.isUsable(10_999)).toBe(false)
    expect(outlier.isUsable(11_000)).toBe(true)
    expect(outlier.isDue(11_000)).toBe(true)
    const holder = {}
    outlier.take(holder)
    expect(outlier.isUsable(11_000)).toBe(false)
    expect(outlier.isProbe(holder)).toBe(true)
  })

  test('until that request is over without an answer: then for the next', () => {
    const outlier = ejected(1_000)
    probe(outlier, 'untold', 11_000)
    expect(outlier.state).toBe('ejected')
    expect(outlier.isUsable(11_000)).toBe(true)
  })

  test('whoever left before it was opened decides nothing', () => {
    const outlier = new Outlier(RULES)
    const before = {}
    outlier.take(before)
    for (let i = 0; i < 3; i++) outlier.tell({}, 'fault', 1_000, MAY)
    outlier.take({})
    outlier.tell(before, 'answered', 11_000, MAY)
    expect(outlier.state).toBe('ejected')
    expect(outlier.isUsable(11_000)).toBe(false)
  })
})

test('closes by one answer, and is slow at first', () => {
  const outlier = ejected(1_000)
  probe(outlier, 'answered', 11_000)
  expect(outlier.state).toBe('available')
  expect(outlier.weight(11_000)).toBe(0.1)
  expect(outlier.weight(16_000)).toBe(0.5)
  expect(outlier.isQuiet).toBe(false)
  expect(outlier.weight(21_000)).toBe(1)
  expect(outlier.isQuiet).toBe(true)
})

test('stays out twice as long each time, never longer than the longest; who was good for that long begins anew', () => {
  const outlier = ejected(1_000)
  let now = 1_000
  for (const time of [10_000, 20_000, 40_000, 60_000, 60_000]) {
    expect(outlier.isUsable(now + time - 1)).toBe(false)
    now += time
    expect(outlier.isUsable(now)).toBe(true)
    probe(outlier, 'fault', now)
  }
  now += 60_000
  probe(outlier, 'answered', now)
  for (let i = 0; i < 3; i++) outlier.tell({}, 'fault', now + 59_999, MAY)
  now += 59_999 + 60_000
  probe(outlier, 'answered', now)
  for (let i = 0; i < 3; i++) outlier.tell({}, 'fault', now + 60_000, MAY)
  expect(outlier.isUsable(now + 60_000 + 10_000)).toBe(true)
})

describe('to which no connection can be made', () => {
  function unreachable(): Outlier {
    const outlier = new Outlier(RULES)
    for (let i = 0; i < 3; i++) outlier.tell({}, 'unreachable', 1_000, MUST_NOT)
    return outlier
  }

  test('is tried by one request a second, even as the last one', () => {
    const outlier = unreachable()
    expect(outlier.state).toBe('unreachable')
    expect(outlier.mayReach(1_999)).toBe(false)
    expect(outlier.mayReach(2_000)).toBe(true)
    const holder = {}
    outlier.take(holder)
    expect(outlier.mayReach(2_000)).toBe(false)
    outlier.tell(holder, 'unreachable', 2_100, MUST_NOT)
    expect(outlier.mayReach(3_000)).toBe(false)
    expect(outlier.mayReach(3_100)).toBe(true)
  })

  test('is back with the first answer, of whatever kind', () => {
    const outlier = unreachable()
    probe(outlier, 'fault', 2_000)
    expect(outlier.mayReach(2_000)).toBe(true)
  })

  test('is back when a health check reaches it', () => {
    const outlier = unreachable()
    outlier.check(true, 1_100)
    expect(outlier.isUsable(1_100)).toBe(true)
    const open = new Outlier(RULES)
    for (let i = 0; i < 3; i++) open.tell({}, 'unreachable', 1_000, MAY)
    expect(open.state).toBe('ejected')
    open.check(true, 1_100)
    expect(open.state).toBe('available')
  })
})

describe('health checks', () => {
  test('leave it out, and bring it back slowly', () => {
    const outlier = new Outlier(RULES)
    outlier.check(false, 1_000)
    expect(outlier.state).toBe('unhealthy')
    expect(outlier.isUsable(1_000)).toBe(false)
    expect(outlier.mayReach(1_000)).toBe(true)
    outlier.check(true, 2_000)
    expect(outlier.isUsable(2_000)).toBe(true)
    expect(outlier.weight(2_000)).toBe(0.1)
  })

  test('that pass do not bring back one whose requests fail', () => {
    const outlier = ejected(1_000)
    outlier.check(true, 1_100)
    expect(outlier.state).toBe('ejected')
  })
})
