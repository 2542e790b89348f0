// A steady load of the bench's own, open loop: requests start when they are due, whether or not the ones before them were answered, and
// their time counts from when they were due. So a gateway that stands still is seen by every request that it lets wait.

import { Agent, request } from 'node:http'
import type { Target } from './wrk.ts'

export interface Latencies {
  readonly requests: number
  readonly errors: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export class SteadyLoad {
  readonly #target: Target
  readonly #agent: Agent

  constructor(target: Target, connections: number) {
    this.#target = target
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections })
  }

  async run(perSecond: number, seconds: number): Promise<Latencies> {
    const times: number[] = []
    let errors = 0
    const start = performance.now()
    const running: Promise<void>[] = []
    await new Promise<void>((resolve) => {
      let sent = 0
      const timer = setInterval(() => {
        const now = performance.now()
        const due = Math.min(perSecond * seconds, Math.floor(((now - start) * perSecond) / 1_000))
        for (; sent < due; sent++) {
          const dueAt = start + ((sent + 1) * 1_000) / perSecond
          running.push(this.#ask().then((ok) => void (ok ? times.push(performance.now() - dueAt) : errors++)))
        }
        if (sent < perSecond * seconds) return
        clearInterval(timer)
        resolve()
      }, 1)
    })
    await Promise.all(running)
    times.sort((a, b) => a - b)
    const at = (share: number): number =>
      times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN
    return { requests: times.length, errors, p50: at(0.5), p99: at(0.99), max: times.at(-1) ?? Number.NaN }
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Whether the answer was 200 and whole. */
  #ask(): Promise<boolean> {
    return new Promise((resolve) => {
      const asking = request(this.#target.url, { agent: this.#agent, headers: this.#target.headers }, (answer) => {
        answer.resume().on('close', () => resolve(answer.statusCode === 200 && answer.complete))
      })
      asking.on('error', () => resolve(false)).end()
    })
  }
}
