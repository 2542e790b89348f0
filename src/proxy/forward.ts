// Carries one cleared request to its upstream and the answer back, both as streams with backpressure, by callbacks: no promise
// and no stream object per request. A fault before the first byte of the answer is a refusal; after it, the client's connection
// is broken, because an answer that is not whole must never end cleanly.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Cleared } from '../domain/decision/decision.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { breakConnection } from './break-connection.ts'
import { discardRest } from './discard-rest.ts'
import { notModified } from './not-modified.ts'
import { type Pace, Patience } from './patience.ts'
import type { UntakenAnswers } from './untaken-answers.ts'
import type { Upstream } from './upstream.ts'
import { type AnswerHeaders, type Caller, LEAVING, UpstreamCall, type UpstreamRequest } from './upstream-call.ts'

export type { AnswerHeaders }

/** Changes an answer on its way; what it holds back it must bound. A refusal before the first byte out replaces the answer. */
export interface BodyTransform {
  /** What it checks; then no field of the upstream's may tell of what is withheld. */
  readonly guards?: 'resource' | 'bundle'
  write(chunk: Buffer, out: BodySink): Refusal | undefined
  end(out: BodySink): Ended | Promise<Ended>
}

/** `not-modified`: nothing was written, and the answer is a 304 with the header fields of this one. */
export type Ended = Refusal | 'not-modified' | undefined

export interface BodySink {
  write(bytes: Buffer): void
}

/** What the client gets: the list may still be changed by the transform until its first byte is out. */
export interface Answer {
  readonly status: number
  readonly headers: string[]
  readonly transform?: BodyTransform | undefined
  /** The head goes out before there is a body: who waits for events waits for it first. */
  readonly headAtOnce?: boolean
}

export interface Exchange extends UpstreamRequest {
  readonly upstream: Upstream
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** In which a client must take its answer. */
  readonly pace: Pace
  /** Where answers that were changed here are counted as long as the client has not taken them. */
  readonly untaken?: UntakenAnswers
  /** From the upstream's final status and headers to what the client gets. */
  answer(status: number, headers: AnswerHeaders): Answer | Refusal
  /** Answers the client instead of the upstream. */
  refuse(refusal: Refusal): void
  /** Once, when the exchange is over in whatever way. */
  done?(report: ForwardReport): void
}

export interface ForwardReport {
  readonly outcome: 'complete' | 'refused' | 'client-aborted' | 'broken'
  /** The upstream's status; 0 when there was none. */
  readonly status: number
  /** Milliseconds from sending to the headers, and to the end, of the upstream's answer; undefined when they did not come. */
  readonly headersMs: number | undefined
  readonly answerMs: number | undefined
  /** Body bytes to the client. */
  readonly bytes: number
}

/** `cleared` is the proof that someone decided: without it this does not compile. */
export function forward(_cleared: Cleared, exchange: Exchange): void {
  const refusal = exchange.upstream.enter(exchange.client)
  if (refusal === undefined) new Forwarding(exchange).send()
  else exchange.refuse(refusal)
}

class Forwarding implements Caller, BodySink {
  readonly #exchange: Exchange
  readonly #response: ServerResponse
  readonly #call: UpstreamCall
  #answer: Answer | undefined
  /** Where there is a body to change. */
  #transform: BodyTransform | undefined
  /** No more is wanted of the upstream. */
  #over = false
  #outcome: ForwardReport['outcome'] = 'client-aborted'
  #status = 0
  #headersAt: number | undefined
  #endAt: number | undefined
  /** Length that the upstream announced, while the body is passed unchanged. */
  #expected = -1
  /** Until the head is written: small answers leave in one piece. */
  #held: Buffer[] = []
  #bytes = 0
  #flushing = false
  /** While the client does not read on; made by the first pause. */
  #patience: Patience | undefined
  #paused = false
  /** Body bytes that the client had taken when it last read on. */
  #taken = 0

  constructor(exchange: Exchange) {
    this.#exchange = exchange
    this.#response = exchange.response
    this.#call = new UpstreamCall(exchange.upstream, exchange, this)
  }

  get isLeaving(): boolean {
    return this.#exchange.request.socket.readableEnded
  }

  send(): void {
    // A client that left while its token was verified: `close` has been and does not come again.
    if (this.#response.destroyed) {
      this.#closed()
      return
    }
    this.#response.on('close', this.#closed)
    if (this.isLeaving) this.#fail(LEAVING)
    else this.#call.send()
  }

  answered(status: number, headers: AnswerHeaders): undefined {
    if (this.#over) return
    this.#headersAt = performance.now()
    this.#status = status
    const answer = this.#exchange.answer(status, headers)
    if (isRefusal(answer)) return this.#fail(answer)
    this.#answer = answer
    if (mayHaveBody(this.#exchange.method, status)) this.#transform = answer.transform
    const { 'content-length': length } = headers
    if (answer.transform === undefined && typeof length === 'string') this.#expected = Number(length)
    if (!answer.headAtOnce) return
    this.#flush()
    if (!this.#over) this.#response.flushHeaders()
  }

  data(chunk: Buffer): void {
    if (this.#over) return
    const transform = this.#transform
    const refusal = transform === undefined ? this.write(chunk) : transform.write(chunk, this)
    if (refusal !== undefined) this.#fail(refusal)
  }

  end(): void {
    if (this.#over) return
    this.#endAt = performance.now()
    const result = this.#transform?.end(this)
    if (result instanceof Promise) {
      result.then(this.#finish, () => this.#fail(refuse('upstream-broken', 'The answer could not be read to its end.')))
    } else this.#finish(result)
  }

  broken(refusal: Refusal): void {
    this.#fail(refusal)
  }

  /** Bytes for the client. Before the head is out they are collected for one turn of the loop: most answers end within it. */
  write(bytes: Buffer): undefined {
    if (this.#over || bytes.length === 0) return
    this.#bytes += bytes.length
    if (this.#response.headersSent) {
      if (!this.#response.write(bytes)) this.#pause()
      return
    }
    this.#held.push(bytes)
    if (this.#flushing || this.#bytes === this.#expected) return
    this.#flushing = true
    process.nextTick(this.#flush)
  }

  readonly #flush = (): void => {
    this.#flushing = false
    if (this.#over || this.#response.headersSent || !this.#writeHead()) return
    const response = this.#response
    response.cork()
    for (const bytes of this.#held) response.write(bytes)
    response.uncork()
    this.#held = []
    if (response.writableNeedDrain) this.#pause()
  }

  readonly #finish = (ended: Ended): undefined => {
    if (this.#over) return
    if (ended === 'not-modified') this.#answer = notModified(this.#answer!)
    else if (ended !== undefined) return this.#fail(ended)
    const response = this.#response
    if (response.headersSent) {
      this.#complete()
      response.end()
      this.#countUntaken()
      return
    }
    const { status, headers } = this.#answer!
    // Of a guarded Bundle a length would tell, now and then, how much was withheld.
    const untold = this.#expected >= 0 || this.#transform?.guards === 'bundle'
    if (!untold && mayHaveBody(this.#exchange.method, status)) headers.push('content-length', String(this.#bytes))
    if (!this.#writeHead()) return
    this.#complete()
    const held = this.#held
    if (held.length === 0) response.end()
    else response.end(held.length === 1 ? held[0] : Buffer.concat(held, this.#bytes))
    this.#held = []
    this.#countUntaken()
  }

  /** What passes as it came is little at a time. */
  #countUntaken(): void {
    if (this.#transform !== undefined) this.#exchange.untaken?.hold(this.#response)
  }

  #complete(): void {
    this.#over = true
    this.#outcome = 'complete'
    // What is still on its way to the client is watched by the listener.
    this.#patience?.end()
    // The upstream did not wait for the whole body; its connection is closed by the HTTP client, ours must be emptied.
    if (!this.#exchange.request.complete) discardRest(this.#exchange.request)
  }

  #writeHead(): boolean {
    const { status, headers } = this.#answer!
    try {
      this.#response.writeHead(status, headers)
      return true
    } catch {
      this.#fail(
        refuse('upstream-broken', 'The server behind this route answered with header fields that cannot be passed on.'),
      )
      return false
    }
  }

  #fail(refusal: Refusal): undefined {
    if (this.#over) return
    this.#over = true
    this.#held = []
    if (this.#response.headersSent) {
      this.#outcome = 'broken'
      breakConnection(this.#response)
    } else {
      this.#outcome = 'refused'
      this.#exchange.refuse(refusal)
    }
    this.#call.abort()
  }

  #pause(): void {
    if (this.#paused || this.#over) return
    this.#paused = true
    this.#call.pause()
    this.#response.once('drain', this.#resume)
    this.#patience ??= new Patience(this.#exchange.pace, () => this.#response.destroy())
    this.#patience.begin()
    this.#countUntaken()
  }

  readonly #resume = (): void => {
    this.#paused = false
    this.#patience?.moved(this.#bytes - this.#taken)
    this.#patience?.pause()
    this.#taken = this.#bytes
    this.#call.resume()
  }

  /** The client's side is over, one way or another. */
  readonly #closed = (): void => {
    this.#patience?.end()
    if (!this.#over) {
      this.#over = true
      this.#call.abort()
    } else if (this.#outcome === 'complete' && !this.#response.writableFinished) this.#outcome = 'client-aborted'
    this.#exchange.upstream.leave(this.#exchange.client)
    const { startedAt } = this.#call
    const since = (at: number | undefined): number | undefined => (at === undefined ? undefined : at - startedAt)
    this.#exchange.done?.({
      outcome: this.#outcome,
      status: this.#status,
      headersMs: since(this.#headersAt),
      answerMs: since(this.#endAt),
      bytes: this.#bytes,
    })
  }
}

function mayHaveBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304
}
