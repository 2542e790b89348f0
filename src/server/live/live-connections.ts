// What stays open for as long as both sides want: WebSockets and event streams. Each ends no later than the right to it does: when its
// credential expires or is revoked, when a reload changes what it was let in by, and when the process stops. One look a second at all
// of them, so that nothing depends on who hears of what.

import { isDeepStrictEqual } from 'node:util'
import type { Settings } from '../../config/settings.ts'

/** Why the gateway ends one. */
export type Ending = 'credential' | 'reload' | 'shutdown'

export interface LiveConnection {
  readonly route: string
  /** By which it was let in. */
  readonly settings: Settings
  /** False once its credential counts for nothing. */
  isGood(): boolean
  /** `now` never goes back. */
  look?(now: number): void
  end(why: Ending): void
}

const LOOK_EVERY_MS = 1_000

export class LiveConnections {
  readonly #all = new Set<LiveConnection>()
  readonly #every: number
  #timer: NodeJS.Timeout | undefined
  #closing = false
  /** Since the last reload. */
  #inForce: Settings | undefined

  constructor(every = LOOK_EVERY_MS) {
    this.#every = every
  }

  get size(): number {
    return this.#all.size
  }

  /** Nothing new is opened. */
  get isClosing(): boolean {
    return this.#closing
  }

  /** Returns what is to be called when it is over. */
  add(live: LiveConnection): () => void {
    this.#all.add(live)
    // It may have been let in before what ends those that were open already.
    queueMicrotask(() => {
      if (this.#closing) live.end('shutdown')
      else if (this.#inForce !== undefined) this.#judge([live], this.#inForce)
    })
    this.#timer ??= setInterval(() => this.look(), this.#every).unref()
    return () => {
      this.#all.delete(live)
      if (this.#all.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  look(): void {
    const now = performance.now()
    for (const live of [...this.#all]) {
      if (live.isGood()) live.look?.(now)
      else live.end('credential')
    }
  }

  /** Ends those that were let in by something that is different now; they may come again and are decided anew. */
  reloaded(next: Settings): void {
    this.#inForce = next
    this.#judge([...this.#all], next)
  }

  close(): void {
    this.#closing = true
    for (const live of [...this.#all]) live.end('shutdown')
  }

  #judge(all: readonly LiveConnection[], next: Settings): void {
    const judged = new Map<Settings, Map<string, boolean>>()
    for (const live of all) {
      const { settings, route } = live
      if (settings === next) continue
      const known = judged.get(settings) ?? new Map<string, boolean>()
      judged.set(settings, known)
      const unchanged = known.get(route) ?? isDeepStrictEqual(letInBy(settings, route), letInBy(next, route))
      known.set(route, unchanged)
      if (!unchanged) live.end('reload')
    }
  }
}

/** Everything of a route map that bears on who may open something on a route, and where it leads. */
function letInBy(settings: Settings, name: string): unknown {
  const { routes, upstreams, issuers, apiKeys, scopes, cors, server } = settings
  const route = routes.find((each) => each.name === name)
  return (
    route && { route, upstream: upstreams[route.upstream], issuers, apiKeys, scopes, cors, publicUrl: server.publicUrl }
  )
}
