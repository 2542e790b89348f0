// Several servers behind one name, under every order of requests, outcomes, checks and time.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import type { Outcome } from '../../src/proxy/outlier.ts'
import type { Target } from '../../src/proxy/target.ts'
import { Upstream } from '../../src/proxy/upstream.ts'
import type { Waiter } from '../../src/proxy/waiting-line.ts'
import { upstreamOptions } from '../proxy/support/upstream-options.ts'

const RUNS = { numRuns: 400 }

type Step =
  | { readonly kind: 'send' }
  | { readonly kind: 'end'; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: 'leave'; readonly which: number }
  | { readonly kind: 'check'; readonly which: number; readonly healthy: boolean }
  | { readonly kind: 'wait'; readonly milliseconds: number }

const which = fc.nat(50)
const outcome = fc.constantFrom<Outcome>('answered', 'fault', 'fault', 'unreachable', 'unreachable', 'untold')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('send') }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('end'), which, outcome }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('check'), which, healthy: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait'), milliseconds: fc.constantFrom(10, 1_000, 10_000) }) },
) as fc.Arbitrary<Step>
const setting = fc.record({ servers: fc.integer({ min: 1, max: 5 }), connections: fc.integer({ min: 1, max: 3 }) })

/** A request, as the upstream sees it. */
class Asker implements Waiter {
  readonly client = undefined
  target: Target | undefined
  served_ = 0
  refused = false

  served(taken: Target | Refusal): void {
    this.served_++
    if (isRefusal(taken)) this.refused = true
    else this.target = taken
  }
}

class Play {
  readonly upstream: Upstream
  readonly connections: number
  readonly all: Asker[] = []
  readonly left = new Set<Asker>()
  now = 1_000

  constructor(servers: number, connections: number) {
    this.connections = connections
    const url = Array.from({ length: servers }, (_, index) => `http://127.0.0.1:${index + 1}`)
    const ejection = { faults: 2, time: 5_000, longest: 60_000, slowStart: 1_000 }
    this.upstream = new Upstream(
      upstreamOptions({ url, connections, ejection, queue: { perConnection: 9, timeout: 1e6 } }),
      {
        now: () => this.now,
      },
    )
  }

  get running(): Asker[] {
    return this.all.filter(({ target }) => target !== undefined)
  }

  get waiting(): Asker[] {
    return this.all.filter((asker) => asker.served_ === 0 && !this.left.has(asker))
  }

  do(step: Step): void {
    if (step.kind === 'wait') this.now += step.milliseconds
    else if (step.kind === 'send') this.#send()
    else if (step.kind === 'end') this.#end(pick(this.running, step.which), step.outcome)
    else if (step.kind === 'leave') this.#leave(pick(this.waiting, step.which))
    else pick(this.upstream.targets, step.which)!.outlier.check(step.healthy, this.now)
  }

  #send(): void {
    const asker = new Asker()
    this.all.push(asker)
    const taken = this.upstream.take(asker)
    if (taken === undefined) this.upstream.wait(asker)
    else asker.served(taken)
  }

  #end(asker: Asker | undefined, told: Outcome): void {
    const target = asker?.target
    if (asker === undefined || target === undefined) return
    asker.target = undefined
    this.upstream.tell(target, asker, told)
    this.upstream.release(target, asker)
  }

  #leave(asker: Asker | undefined): void {
    if (asker === undefined) return
    this.left.add(asker)
    this.upstream.giveUp(asker)
  }
}

const pick = <Item>(items: readonly Item[], which: number): Item | undefined => items[which % items.length]

function played(look: (play: Play) => void, finish: (play: Play) => void = () => {}): void {
  fc.assert(
    fc.property(setting, fc.array(step, { maxLength: 80 }), ({ servers, connections }, steps) => {
      const play = new Play(servers, connections)
      for (const each of steps) {
        play.do(each)
        look(play)
      }
      finish(play)
      void play.upstream.close()
    }),
    RUNS,
  )
}

test('No server runs more requests than it has connections, and what is counted there is what runs there.', () => {
  played(({ upstream, connections, running }) => {
    for (const each of upstream.targets) {
      expect(each.running).toBeLessThanOrEqual(connections)
      expect(each.running).toBe(running.filter(({ target }) => target === each).length)
    }
  })
})

test('Requests that fail never leave out more than half of the servers, and never the only one.', () => {
  played(({ upstream }) => {
    expect(upstream.count('ejected')).toBeLessThanOrEqual(upstream.targets.length / 2)
  })
})

test('Who waits is served or refused once, unless it leaves, and nobody waits for ever.', () => {
  played(
    (play) => {
      expect(play.upstream.waiting).toBe(play.waiting.length)
      for (const { served_ } of play.all) expect(served_).toBeLessThanOrEqual(1)
    },
    (play) => {
      while (play.running.length > 0) play.do({ kind: 'end', which: 0, outcome: 'answered' })
      expect(play.waiting).toEqual([])
    },
  )
})

test('Nobody is refused while every server can be reached.', () => {
  played((play) => {
    if (!play.upstream.targets.every(({ outlier }) => outlier.mayReach(play.now))) return
    const before = play.all.filter(({ refused }) => refused).length
    play.do({ kind: 'send' })
    expect(play.all.filter(({ refused }) => refused)).toHaveLength(before)
  })
})

test('A server that is back, after all that happened, gets its share again.', () => {
  played(
    () => {},
    (play) => {
      const { upstream } = play
      while (play.running.length > 0) play.do({ kind: 'end', which: 0, outcome: 'answered' })
      for (let i = 0; i < upstream.targets.length; i++) play.do({ kind: 'check', which: i, healthy: true })
      for (let i = 0; i < 20; i++) {
        play.do({ kind: 'wait', milliseconds: 60_000 })
        play.do({ kind: 'send' })
        play.do({ kind: 'end', which: 0, outcome: 'answered' })
      }
      for (let i = 0; i < upstream.targets.length; i++) play.do({ kind: 'send' })
      expect(upstream.targets.map(({ running }) => running)).toEqual(upstream.targets.map(() => 1))
    },
  )
})
