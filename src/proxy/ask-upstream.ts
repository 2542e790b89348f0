// The gateway's own question to an upstream, for what it must know before it lets something through: the stored version of a resource
// that is to be written, or which resource a condition finds. Or what was cleared, sent once more (docs/decisions/0015). Bounded in size
// and time; the answer goes to no client as it is.

import { type Refusal, refuse } from '../domain/refusal.ts'
import { notFound } from './guarded-resource.ts'
import type { Upstream } from './upstream.ts'
import { type AnswerHeaders, type Caller, UpstreamCall } from './upstream-call.ts'

export interface UpstreamAnswer {
  readonly status: number
  readonly etag: string | undefined
  readonly body: Buffer
}

export interface UpstreamQuestion {
  readonly method: 'GET' | 'POST'
  /** Below the upstream's base. */
  readonly path: string
  readonly body?: string
  /** See `UpstreamRequest`. */
  readonly client?: string | undefined
}

export function askUpstream(
  upstream: Upstream,
  asked: UpstreamQuestion,
  headers: string[],
  mostHeld: number,
): Promise<UpstreamAnswer | Refusal> {
  const refusal = upstream.enter(asked.client)
  if (refusal !== undefined) return Promise.resolve(refusal)
  return new Promise((resolve) => {
    new Question(upstream, asked, headers, mostHeld, (answer) => {
      upstream.leave(asked.client)
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
    asked: UpstreamQuestion,
    headers: string[],
    mostHeld: number,
    done: (answer: UpstreamAnswer | Refusal) => void,
  ) {
    this.#call = new UpstreamCall(upstream, { ...asked, headers }, this)
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
