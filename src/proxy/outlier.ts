// Whether one server of an upstream is worth sending to, told by what becomes of requests and of health checks: a state machine
// without a clock of its own. It is a circuit breaker too: opened by faults in a row for a time that doubles, half open then for one
// request, whose holder alone decides what comes next, and slow at first once it is closed again.

/** `fault`: a connection was there, but no answer of the server itself; `untold`: nothing that speaks for or against it. */
export type Outcome = 'answered' | 'fault' | 'unreachable' | 'untold'

export type TargetState = 'available' | 'unhealthy' | 'ejected' | 'unreachable'

/** Times are milliseconds. */
export interface EjectionRules {
  readonly faults: number
  readonly time: number
  readonly longest: number
  readonly slowStart: number
}

/**
 * A server to which no connection can be made is tried by one request in this time, even where it is the last one left: nobody is
 * served by more, and nobody waits long for one that is back.
 */
const RETRY_MS = 1_000
/** What a server is worth in the first moment of its slow start. */
const LEAST_WEIGHT = 0.1

export class Outlier {
  readonly #rules: EjectionRules
  /** In a row. */
  #faults = 0
  #unreachable = 0
  /** 0: closed. */
  #openUntil = 0
  #ejections = 0
  #retryAt = 0
  /** Whose request tries whether the server is back. */
  #probe: unknown
  #healthy = true
  /** 0: no slow start. */
  #recoveredAt = 0
  #lastEjectionEnded = 0

  constructor(rules: EjectionRules) {
    this.#rules = rules
  }

  /** Nothing is known against it: no clock needs to be read. */
  get isQuiet(): boolean {
    return this.#faults === 0 && this.#openUntil === 0 && this.#healthy && this.#recoveredAt === 0
  }

  get state(): TargetState {
    if (!this.#healthy) return 'unhealthy'
    if (this.#openUntil > 0) return 'ejected'
    return this.#isUnreachable ? 'unreachable' : 'available'
  }

  /** Left out by a check or by faults: what counts against the half that may be. */
  get isLeftOut(): boolean {
    return !this.#healthy || this.#openUntil > 0
  }

  /** Open for so long that it is time for the one request that finds out. */
  isDue(now: number): boolean {
    return this.#healthy && this.#openUntil > 0 && this.#isHalfOpen(now)
  }

  isUsable(now: number): boolean {
    return this.#healthy && (this.#openUntil === 0 ? this.mayReach(now) : this.#isHalfOpen(now))
  }

  /** Whether trying can be of use at all, for when no server is usable. */
  mayReach(now: number): boolean {
    return !this.#isUnreachable || (this.#probe === undefined && now >= this.#retryAt)
  }

  /** Between 0.1 and 1: how many requests it should have beside the others. */
  weight(now: number): number {
    if (this.#recoveredAt === 0) return 1
    const part = (now - this.#recoveredAt) / this.#rules.slowStart
    if (part >= 1) this.#recoveredAt = 0
    return part >= 1 ? 1 : Math.max(LEAST_WEIGHT, part)
  }

  /** `holder` sends a request; the same tells its outcome, once. */
  take(holder: unknown): void {
    if ((this.#openUntil > 0 || this.#isUnreachable) && this.#probe === undefined) this.#probe = holder
  }

  isProbe(holder: unknown): boolean {
    return this.#probe === holder
  }

  /** `mayEject`: the others can do without it. */
  tell(holder: unknown, outcome: Outcome, now: number, mayEject: boolean): void {
    const probes = this.#probe !== undefined && this.#probe === holder
    if (probes) this.#probe = undefined
    if (outcome === 'untold') return
    if (outcome === 'unreachable') {
      this.#unreachable++
      this.#retryAt = now + RETRY_MS
    } else this.#unreachable = 0
    if (this.#openUntil > 0) {
      // Those who left before it was opened know nothing new.
      if (!probes) return
      if (outcome === 'answered') this.#close(now)
      else if (now >= this.#openUntil) this.#open(now)
    } else if (outcome === 'answered') this.#faults = 0
    else if (++this.#faults >= this.#rules.faults && mayEject) this.#open(now)
  }

  /** What the health checks find. A check that passes has made a connection, too. */
  check(healthy: boolean, now: number): void {
    if (healthy) {
      if (this.#isUnreachable) {
        this.#faults = 0
        if (this.#openUntil > 0) this.#close(now)
      }
      this.#unreachable = 0
      if (!this.#healthy) this.#recoveredAt = now
    }
    this.#healthy = healthy
  }

  #isHalfOpen(now: number): boolean {
    return this.#probe === undefined && now >= this.#openUntil
  }

  get #isUnreachable(): boolean {
    return this.#unreachable >= this.#rules.faults
  }

  #open(now: number): void {
    const { time, longest } = this.#rules
    // Who was good for long enough begins anew.
    if (this.#lastEjectionEnded > 0 && now - this.#lastEjectionEnded >= longest) this.#ejections = 0
    this.#openUntil = now + Math.min(longest, time * 2 ** this.#ejections)
    this.#ejections = Math.min(this.#ejections + 1, 30)
    this.#faults = 0
  }

  #close(now: number): void {
    this.#openUntil = 0
    this.#faults = 0
    this.#recoveredAt = now
    this.#lastEjectionEnded = now
  }
}
