// One finished request becomes one log line and its metrics. It hears and never steers: what it is given is over.

import type { RefusalCode } from '../domain/refusal.ts'
import type { TunnelReport } from '../proxy/web-socket/tunnel.ts'
import type { Log } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { printRequestLine } from './request-line.ts'

/** What became of a request. Times are milliseconds. Names are those of the route map and of closed lists, `none` where the request did not come so far. */
export interface Finished {
  readonly id: string
  readonly method: string
  readonly route: string
  readonly upstream: string | undefined
  readonly interaction: string
  readonly outcome: 'forward' | 'narrow' | 'guard' | 'narrow-guard' | 'deny' | 'open' | 'none'
  readonly code: RefusalCode | undefined
  /** 0 where the client left before there was one. */
  readonly status: number
  /** Of the answer's body. */
  readonly bytes: number
  readonly totalMs: number
  readonly upstreamMs: number | undefined
  readonly issuer: string | undefined
  readonly parameterNames: readonly string[]
  /** It went on for as long as somebody wanted, which is no time that anybody waited. */
  readonly lasts?: boolean
  /** Of a request that became a WebSocket; told when it is over. */
  readonly webSocket?: TunnelReport | undefined
  /** What went wrong inside; described in the log without what it was about. */
  readonly error: unknown
}

export type Recorder = (finished: Finished) => void

export function createRecord(log: Log, metrics: Metrics, now: () => number = Date.now): Recorder {
  const timeOf = clockText()
  return (finished) => {
    const { route, interaction, outcome, code, status, totalMs, upstream, upstreamMs } = finished
    metrics.request(route, interaction, outcome, status)
    metrics.decision(route, outcome, code ?? 'none')
    if (finished.lasts !== true) {
      // An upstream's clock may start before ours was read; own time is never less than nothing.
      metrics.gatewaySeconds(Math.max(0, totalMs - (upstreamMs ?? 0)) / 1000)
      if (upstream !== undefined && upstreamMs !== undefined) metrics.upstreamSeconds(upstream, upstreamMs / 1000)
    }
    const level = status >= 500 ? 'warn' : 'info'
    if (log.wants(level)) log.line(printRequestLine(finished, level, timeOf(now())))
    if (finished.error !== undefined) {
      log.logger.error({ requestId: finished.id, route, err: finished.error }, 'request failed inside')
    }
  }
}

/** ISO text of a time, made once for each millisecond. */
function clockText(): (time: number) => string {
  let last = Number.NaN
  let text = ''
  return (time) => {
    if (time !== last) {
      last = time
      text = new Date(time).toISOString()
    }
    return text
  }
}
