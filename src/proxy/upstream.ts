// The servers behind one name of the route map. A request holds a place here from its first to its last moment, and one of a server's
// connections while it is there; for a connection it waits in line, bounded in number and time. The server with the fewest running
// requests is picked, among those worth sending to (`outlier.ts`). At most half are left out for what becomes of requests; when none
// is left they are tried all the same, because what looks like dead servers may be one client's heavy queries.

import { type Refusal, refuse } from '../domain/refusal.ts'
import { FairShare } from './fair-share.ts'
import { type HealthCheckOptions, HealthChecks } from './health-checks.ts'
import type { Outcome, TargetState } from './outlier.ts'
import { Target, type TargetOptions } from './target.ts'
import type { UpstreamTls } from './upstream-tls.ts'
import { type Holder, type Waiter, WaitingLine } from './waiting-line.ts'

/** Times are milliseconds. */
export interface UpstreamOptions extends TargetOptions {
  readonly name: string
  readonly url: readonly string[]
  /** Bytes a second. */
  readonly minimumRate: number
  readonly queue: { readonly perConnection: number; readonly timeout: number }
  readonly health?: HealthCheckOptions
  /** Connections that one client may hold at once; default: three quarters of all. */
  readonly perClient?: number
}

export interface UpstreamSurroundings {
  readonly tls?: UpstreamTls | undefined
  /** Milliseconds that never go back. */
  readonly now?: () => number
  readonly onTarget?: (news: TargetNews) => void
}

/** A server changed. Told by its number in the list, from 1: addresses stay out of logs. */
export interface TargetNews {
  readonly upstream: string
  readonly target: number
  readonly of: number
  readonly was: TargetState
  readonly state: TargetState
}

const OVERLOADED = refuse(
  'overloaded',
  'Too many requests wait for the server behind this route. Try again in a moment.',
  { retryAfter: 1 },
)
const HAS_ENOUGH = refuse('rate-limited', 'Too many of your requests run or wait here. Let some of them end first.', {
  retryAfter: 1,
})
const UNREACHABLE = refuse('upstream-unreachable', 'The server behind this route cannot be reached. Try again later.', {
  retryAfter: 1,
})
const CLOSED = refuse('overloaded', 'The gateway is shutting down. Try again in a moment.', { retryAfter: 1 })

export class Upstream {
  readonly name: string
  readonly targets: readonly Target[]
  /** Milliseconds that the whole of a question of the gateway's own may take. */
  readonly longestQuestion: number
  readonly options: UpstreamOptions
  readonly #connections: number
  readonly #most: number
  readonly #now: () => number
  readonly #onTarget: UpstreamSurroundings['onTarget']
  readonly #line: WaitingLine
  readonly #checks: HealthChecks | undefined
  readonly #places: FairShare
  readonly #sending: FairShare
  #running = 0
  /** Where the search for the next server begins: those with equally many requests take turns. */
  #next = 0

  constructor(options: UpstreamOptions, { tls, now = () => performance.now(), onTarget }: UpstreamSurroundings = {}) {
    const { name, url, connections, queue, health, perClient } = options
    this.name = name
    this.options = options
    this.targets = url.map((each) => new Target(each, options, tls))
    this.longestQuestion = options.timeout + options.idleTimeout
    this.#connections = connections
    this.#most = connections * url.length * (1 + queue.perConnection)
    this.#places = new FairShare(this.#most)
    this.#sending = new FairShare(connections * url.length, perClient)
    this.#now = now
    this.#onTarget = onTarget
    this.#line = new WaitingLine(queue.timeout, OVERLOADED)
    this.#checks = health && new HealthChecks(this.targets, health, tls, this.#checked)
  }

  /** Begins the health checks; `close` ends them. */
  start(): void {
    this.#checks?.start()
  }

  /** Requests that hold a place, whether sent or in line. */
  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#line.length
  }

  count(state: TargetState): number {
    return this.targets.filter(({ outlier }) => outlier.state === state).length
  }

  /** Takes one of the places; a refusal when all are taken, or too many by this client. Each place taken is given back by `leave`. */
  enter(client?: string): Refusal | undefined {
    if (this.#running >= this.#most) return OVERLOADED
    if (this.#places.isUsedUpBy(client)) return HAS_ENOUGH
    this.#places.take(client)
    this.#running++
    return undefined
  }

  leave(client?: string): void {
    this.#places.giveBack(client)
    this.#running--
  }

  /**
   * A server with a free connection for `holder`, who gives it back by `release`; undefined when it must wait. `not` is where it has
   * been in vain.
   */
  take(holder: Holder, not?: Target): Target | Refusal | undefined {
    const { targets } = this
    if (this.#sending.isUsedUpBy(holder.client)) return undefined
    const only = targets.length === 1 ? targets[0]! : undefined
    if (only?.outlier.isQuiet) {
      if (only.running >= this.#connections) return undefined
      only.running++
      this.#sending.take(holder.client)
      return only
    }
    const now = this.#now()
    const found = this.#pick(now, not, true) ?? this.#pick(now, not, false)
    if (found === undefined) return UNREACHABLE
    if (found.running >= this.#connections) return undefined
    found.running++
    this.#sending.take(holder.client)
    found.outlier.take(holder)
    return found
  }

  /** Gets a server as soon as there is one for it, in line after those who came before; or a refusal. */
  wait(waiter: Waiter): void {
    this.#line.add(waiter)
  }

  giveUp(waiter: Waiter): void {
    this.#line.remove(waiter)
  }

  /** What became of a request, as far as it tells of the server. Once for each `take`. */
  tell(target: Target, holder: unknown, outcome: Outcome): void {
    const { outlier } = target
    if (outcome === 'answered' && outlier.isQuiet) return
    const was = outlier.state
    outlier.tell(holder, outcome, this.#now(), this.#mayEject())
    this.#notice(target, was)
  }

  release(target: Target, holder: Holder): void {
    target.running--
    this.#sending.giveBack(holder.client)
    this.#serve()
  }

  /** Waits for running requests; after `milliseconds` they are broken off. */
  async close(milliseconds = 0): Promise<void> {
    await this.#checks?.close()
    this.#line.close(CLOSED)
    await Promise.all(this.targets.map((target) => target.close(milliseconds)))
  }

  /** Of those with a free connection, if any has one; undefined when none is worth trying. */
  #pick(now: number, not: Target | undefined, usable: boolean): Target | undefined {
    const { targets } = this
    let best: Target | undefined
    let least = 0
    let at = 0
    for (let i = 0; i < targets.length; i++) {
      const index = (this.#next + i) % targets.length
      const target = targets[index]!
      const { outlier } = target
      if (target === not || !(usable ? outlier.isUsable(now) : outlier.mayReach(now))) continue
      const full = target.running >= this.#connections
      // One that is due gets its one request at once: among busy ones it would have to wait long for fewer.
      const load = full ? Number.MAX_VALUE : outlier.isDue(now) ? -1 : (target.running + 1) / outlier.weight(now)
      if (best === undefined || load < least) {
        best = target
        least = load
        at = index
      }
    }
    if (best !== undefined) this.#next = (at + 1) % targets.length
    return best
  }

  #mayEject(): boolean {
    const { targets } = this
    let leftOut = 1
    for (const { outlier } of targets) if (outlier.isLeftOut) leftOut++
    return leftOut <= targets.length / 2
  }

  /** Those in line, as far as there are connections; whose client holds enough lets others pass. */
  #serve(): void {
    for (const waiter of this.#line) {
      if (this.#sending.isUsedUpBy(waiter.client)) continue
      const taken = this.take(waiter)
      if (taken === undefined) return
      this.#line.remove(waiter)
      waiter.served(taken)
    }
  }

  readonly #checked = (target: Target, healthy: boolean): void => {
    const was = target.outlier.state
    target.outlier.check(healthy, this.#now())
    this.#notice(target, was)
    this.#serve()
  }

  #notice(target: Target, was: TargetState): void {
    const { state } = target.outlier
    if (state === was || this.#onTarget === undefined) return
    const { name: upstream, targets } = this
    this.#onTarget({ upstream, target: targets.indexOf(target) + 1, of: targets.length, was, state })
  }
}
