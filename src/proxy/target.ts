// One URL of an upstream: its connections, HTTP/1.1, one request on each at a time (RFC 9112 §9.3.2: pipelining lets one answer be
// taken for another), TLS verified, everything bounded in number and time; how many requests run there, and whether it is worth
// sending to.

import { Pool } from 'undici'
import { type EjectionRules, Outlier } from './outlier.ts'
import { connectOptions, type UpstreamTls } from './upstream-tls.ts'

/** Times are milliseconds. */
export interface TargetOptions {
  /** Until the headers of an answer must have arrived. */
  readonly timeout: number
  readonly connectTimeout: number
  /** Between two pieces of an answer. */
  readonly idleTimeout: number
  readonly keepAlive: number
  readonly connections: number
  readonly ejection: EjectionRules
}

const LONGEST_ANSWER_HEADERS = 64 * 1024

export class Target {
  readonly url: string
  /** Path of the URL, without a slash at its end; request paths are appended to it. */
  readonly path: string
  readonly tls: UpstreamTls | undefined
  readonly pool: Pool
  readonly outlier: Outlier
  /** Each of them holds a connection. */
  running = 0

  constructor(url: string, options: TargetOptions, tls: UpstreamTls | undefined) {
    const { origin, pathname } = new URL(url)
    this.url = url
    this.tls = tls
    this.path = pathname.replace(/\/+$/, '')
    this.outlier = new Outlier(options.ejection)
    this.pool = new Pool(origin, {
      connections: options.connections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: options.timeout,
      bodyTimeout: options.idleTimeout,
      keepAliveTimeout: options.keepAlive,
      // A server's own hint, less two seconds, can only shorten it.
      keepAliveMaxTimeout: options.keepAlive,
      maxHeaderSize: LONGEST_ANSWER_HEADERS,
      connect: { timeout: options.connectTimeout, ...connectOptions(tls) },
    })
  }

  /** Waits for running requests; after `milliseconds` they are broken off. */
  async close(milliseconds: number): Promise<void> {
    const timer = setTimeout(() => void this.pool.destroy().catch(() => {}), milliseconds)
    // A pool that is destroyed while it closes says so by rejecting.
    await this.pool.close().catch(() => {})
    clearTimeout(timer)
  }
}
