// The gateway's own question to an upstream, for what it must know before it lets something through: the stored version of a resource
// that is to be written, or which resource a condition finds. Bounded in size and time; the answer goes to no client.

import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Upstream } from './upstream.ts'
import { refusalOf } from './upstream-fault.ts'

export interface UpstreamAnswer {
  readonly status: number
  readonly etag: string | undefined
  readonly body: Buffer
}

/** `path` is below the upstream's base. */
export async function askUpstream(
  upstream: Upstream,
  path: string,
  headers: string[],
  mostHeld: number,
): Promise<UpstreamAnswer | Refusal> {
  const refusal = upstream.enter()
  if (refusal !== undefined) return refusal
  try {
    const origin = upstream.pick()
    const target = origin.path + path
    const answer = await origin.pool.request({
      method: 'GET',
      path: target.startsWith('/') ? target : `/${target}`,
      headers,
    })
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > mostHeld)
        return refuse(
          'upstream-broken',
          `What is stored is larger than the ${mostHeld} bytes that may be checked at once.`,
        )
      chunks.push(chunk)
    }
    const { etag } = answer.headers
    return {
      status: answer.statusCode,
      etag: typeof etag === 'string' ? etag : undefined,
      body: Buffer.concat(chunks, bytes),
    }
  } catch (error) {
    return refusalOf(error as Error, true)
  } finally {
    upstream.leave()
  }
}
