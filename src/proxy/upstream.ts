// The servers behind one name of the route map: one undici Pool for each URL, HTTP/1.1, one request on a connection at a time
// (RFC 9112 §9.3.2 pipelining lets one answer be taken for another), TLS verified, everything bounded in number and time.

import { Pool } from 'undici'
import { type Refusal, refuse } from '../domain/refusal.ts'

export interface UpstreamOptions {
  readonly name: string
  readonly url: readonly string[]
  /** Milliseconds until the headers of an answer must have arrived, and between two pieces of its body. */
  readonly timeout: number
  /** Most connections to each URL. */
  readonly connections: number
}

export interface Origin {
  readonly pool: Pool
  /** Path of the URL, without a slash at its end; request paths are appended to it. */
  readonly path: string
}

const LONGEST_CONNECT_MS = 10_000
// Servers close idle connections after 5 s (Node) or more; closing first avoids most races. A server's own hint is believed up
// to the second figure.
const KEEP_ALIVE_MS = 4_000
const LONGEST_KEEP_ALIVE_MS = 30_000
/** Requests that may wait for each connection; more would only time out. */
const WAITING_PER_CONNECTION = 15
const LONGEST_ANSWER_HEADERS = 64 * 1024

export class Upstream {
  readonly name: string
  readonly origins: readonly Origin[]
  readonly #most: number
  #running = 0
  #next = 0

  constructor(options: UpstreamOptions) {
    this.name = options.name
    this.origins = options.url.map((url) => ({ pool: poolOf(new URL(url).origin, options), path: pathOf(url) }))
    this.#most = options.connections * options.url.length * (1 + WAITING_PER_CONNECTION)
  }

  get running(): number {
    return this.#running
  }

  /** Takes one of the places; a refusal when all are taken. Each place taken is given back by `leave`. */
  enter(): Refusal | undefined {
    if (this.#running >= this.#most) {
      return refuse('overloaded', 'Too many requests wait for the server behind this route. Try again in a moment.', {
        retryAfter: 1,
      })
    }
    this.#running++
    return undefined
  }

  leave(): void {
    this.#running--
  }

  /** The URLs take turns. */
  pick(): Origin {
    const { origins } = this
    if (origins.length === 1) return origins[0]!
    this.#next = (this.#next + 1) % origins.length
    return origins[this.#next]!
  }

  /** Waits for running requests; after `milliseconds` they are broken off. */
  async close(milliseconds = 0): Promise<void> {
    await Promise.all(this.origins.map(({ pool }) => closePool(pool, milliseconds)))
  }
}

function poolOf(origin: string, { timeout, connections }: UpstreamOptions): Pool {
  return new Pool(origin, {
    connections,
    pipelining: 1,
    allowH2: false,
    headersTimeout: timeout,
    bodyTimeout: timeout,
    keepAliveTimeout: KEEP_ALIVE_MS,
    keepAliveMaxTimeout: LONGEST_KEEP_ALIVE_MS,
    maxHeaderSize: LONGEST_ANSWER_HEADERS,
    // INVARIANT: TLS is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says (CVE-2026-107318 was a proxy that did not).
    connect: { timeout: Math.min(timeout, LONGEST_CONNECT_MS), rejectUnauthorized: true },
  })
}

async function closePool(pool: Pool, milliseconds: number): Promise<void> {
  const timer = setTimeout(() => void pool.destroy().catch(() => {}), milliseconds)
  // A pool that is destroyed while it closes says so by rejecting.
  await pool.close().catch(() => {})
  clearTimeout(timer)
}

function pathOf(url: string): string {
  return new URL(url).pathname.replace(/\/+$/, '')
}
