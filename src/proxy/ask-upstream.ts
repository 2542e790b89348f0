// The gateway's own question to an upstream, for what it must know before it lets something through: the stored version of a resource
// that is to be written, or which resource a condition finds. Bounded in size and time; the answer goes to no client.

import type { Refusal } from '../domain/refusal.ts'
import { notFound } from './guarded-resource.ts'
import type { Upstream } from './upstream.ts'
import { diedUnanswered, refusalOf } from './upstream-fault.ts'

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
    return await ask(upstream, path, headers, mostHeld).catch((error: Error) => {
      // The connection was idle and closed as the question left; a question can be asked twice.
      if (diedUnanswered(error)) return ask(upstream, path, headers, mostHeld)
      throw error
    })
  } catch (error) {
    return refusalOf(error as Error, true)
  } finally {
    upstream.leave()
  }
}

async function ask(
  upstream: Upstream,
  path: string,
  headers: string[],
  mostHeld: number,
): Promise<UpstreamAnswer | Refusal> {
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
    // What cannot be checked is not there: any other word would tell that it is.
    if (bytes > mostHeld) return notFound()
    chunks.push(chunk)
  }
  const { etag } = answer.headers
  return {
    status: answer.statusCode,
    etag: typeof etag === 'string' ? etag : undefined,
    body: Buffer.concat(chunks, bytes),
  }
}
