// Asks each server of an upstream, at an interval, whether it is well: one GET without credentials, on a connection of its own, so
// that a check neither waits behind requests nor rides on a connection that is there by luck. A server counts as well until several
// checks in a row say otherwise, and as unwell until several say that it is well.

import { Client } from 'undici'
import type { Target } from './target.ts'
import { connectOptions, type UpstreamTls } from './upstream-tls.ts'

/** Times are milliseconds. */
export interface HealthCheckOptions {
  readonly path: string
  readonly interval: number
  readonly timeout: number
  readonly unhealthyAfter: number
  readonly healthyAfter: number
}

type Found = (target: Target, healthy: boolean) => void

const LARGEST_ANSWER = 64 * 1024

export class HealthChecks {
  readonly #checks: readonly HealthCheck[]

  constructor(targets: readonly Target[], options: HealthCheckOptions, tls: UpstreamTls | undefined, found: Found) {
    this.#checks = targets.map((target) => new HealthCheck(target, options, tls, found))
  }

  /** The first check is made at once. */
  start(): void {
    for (const check of this.#checks) check.start()
  }

  /** Nothing is found any more after this. */
  async close(): Promise<void> {
    await Promise.all(this.#checks.map((check) => check.close()))
  }
}

class HealthCheck {
  readonly #target: Target
  readonly #options: HealthCheckOptions
  readonly #client: Client
  readonly #found: Found
  #healthy = true
  /** How often in a row it was otherwise. */
  #against = 0
  #timer: NodeJS.Timeout | undefined
  #state: 'new' | 'on' | 'closed' = 'new'

  constructor(target: Target, options: HealthCheckOptions, tls: UpstreamTls | undefined, found: Found) {
    const { timeout } = options
    this.#target = target
    this.#options = options
    this.#found = found
    this.#client = new Client(new URL(target.url).origin, {
      pipelining: 0,
      allowH2: false,
      headersTimeout: timeout,
      bodyTimeout: timeout,
      maxResponseSize: LARGEST_ANSWER,
      connect: { timeout, ...connectOptions(tls) },
    })
  }

  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'on'
    void this.#check()
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    clearTimeout(this.#timer)
    await this.#client.destroy().catch(() => {})
  }

  readonly #check = async (): Promise<void> => {
    this.#hear(await isWell(this.#client, this.#options))
    if (this.#state !== 'on') return
    // Spread, so that many replicas do not ask in step.
    const pause = this.#options.interval * (0.9 + Math.random() * 0.2)
    this.#timer = setTimeout(this.#check, pause).unref()
  }

  #hear(well: boolean): void {
    if (this.#state !== 'on') return
    if (well === this.#healthy) {
      this.#against = 0
      // Said again while all is well: who could not be reached by requests may be reached again.
      if (well) this.#found(this.#target, true)
      return
    }
    this.#against++
    const { healthyAfter, unhealthyAfter } = this.#options
    if (this.#against < (well ? healthyAfter : unhealthyAfter)) return
    this.#healthy = well
    this.#against = 0
    this.#found(this.#target, well)
  }
}

async function isWell(client: Client, { path, timeout }: HealthCheckOptions): Promise<boolean> {
  const signal = AbortSignal.timeout(timeout)
  const headers = { 'user-agent': 'scopegate', accept: '*/*' }
  try {
    const answer = await client.request({ method: 'GET', path, headers, signal })
    await answer.body.dump({ limit: LARGEST_ANSWER, signal })
    return answer.statusCode >= 200 && answer.statusCode < 300
  } catch {
    return false
  }
}
