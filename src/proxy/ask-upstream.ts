// The gateway's own question to an upstream, for what it must know before it lets something through: the stored version of a resource
// that is to be written, or which resource a condition finds. Bounded in size and time; the answer goes to no client.

import { type Refusal, refuse } from '../domain/refusal.ts'
import { notFound } from './guarded-resource.ts'
import type { Upstream } from './upstream.ts'
import { type AnswerHeaders, type Caller, UpstreamCall } from './upstream-call.ts'

export interface UpstreamAnswer {
  readonly status: number
  readonly etag: string | undefined
  readonly body: Buffer
}

/** `path` is below the upstream's base. */
export function askUpstream(
  upstream: Upstream,
  path: string,
  headers: string[],
  mostHeld: number,
): Promise<UpstreamAnswer | Refusal> {
  const refusal = upstream.enter()
  if (refusal !== undefined) return Promise.resolve(refusal)
  return new Promise((resolve) => {
    new Question(upstream, path, headers, mostHeld, (answer) => {
      upstream.leave()
      resolve(answer)
    }).send()
  })
}

class Question implements Caller {
  readonly #call: UpstreamCall
  readonly #mostHeld: number
  readonly #done: (answer: UpstreamAnswer | Refusal) => void
  readonly #deadline: NodeJS.Timeout
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #status = 0
  #etag: string | undefined
  #over = false

  constructor(
    upstream: Upstream,
    path: string,
    headers: string[],
    mostHeld: number,
    done: (answer: UpstreamAnswer | Refusal) => void,
  ) {
    this.#call = new UpstreamCall(upstream, { method: 'GET', path, headers }, this)
    this.#mostHeld = mostHeld
    this.#done = done
    this.#deadline = setTimeout(() => {
      this.#end(refuse('upstream-timeout', 'The server behind this route did not answer in time. Try again later.'))
    }, upstream.longestQuestion)
  }

  send(): void {
    this.#call.send()
  }

  answered(status: number, { etag }: AnswerHeaders): void {
    this.#status = status
    this.#etag = typeof etag === 'string' ? etag : undefined
  }

  data(chunk: Buffer): void {
    this.#bytes += chunk.length
    // What cannot be checked is not there: any other word would tell that it is.
    if (this.#bytes > this.#mostHeld) this.#end(notFound())
    else this.#chunks.push(chunk)
  }

  end(): void {
    this.#end({ status: this.#status, etag: this.#etag, body: Buffer.concat(this.#chunks, this.#bytes) })
  }

  broken(refusal: Refusal): void {
    this.#end(refusal)
  }

  #end(answer: UpstreamAnswer | Refusal): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#deadline)
    this.#call.abort()
    this.#done(answer)
  }
}
