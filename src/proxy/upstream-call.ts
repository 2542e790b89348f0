// One request at an upstream, from the wait for a connection to the end of the answer: which server it goes to, when it goes to
// another or goes again, what its end tells of the server. One object for each request, by callbacks; who called hears of one answer
// or of one refusal.

import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { MOST_INTERIM, readAnswerFraming, TOO_MANY_INTERIM } from './answer-framing.ts'
import type { Outcome } from './outlier.ts'
import { BodyRefused } from './request-body.ts'
import { sliceBody } from './sliced-body.ts'
import type { Target } from './target.ts'
import type { Upstream } from './upstream.ts'
import { diedUnanswered, outcomeOf, refusalOf } from './upstream-fault.ts'
import type { Waiter } from './waiting-line.ts'

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

export interface UpstreamRequest {
  readonly method: string
  /** Below the upstream's base, with the query. */
  readonly path: string
  /** `path` is not below the base. */
  readonly atOrigin?: boolean | undefined
  readonly headers: string[]
  readonly body?: Buffer | string | Readable | undefined
  /** Name of who asks, by which places and connections are counted. */
  readonly client?: string | undefined
  /** Milliseconds that may pass between two pieces of the answer, instead of the upstream's `idleTimeout`. */
  readonly longPause?: number | undefined
}

/** Who called. After `broken`, and after `end`, nothing more comes. */
export interface Caller {
  /** May be gone: what is still in line is not sent any more. */
  readonly isLeaving?: boolean
  /** The final status and headers; once. */
  answered(status: number, headers: AnswerHeaders): void
  data(chunk: Buffer): void
  end(): void
  broken(refusal: Refusal): void
}

/** That one request goes to in vain: each may take as long as a connection may. */
const MOST_SERVERS = 3

/** Nobody may be there any more, so nothing is done for it that was not begun. */
export const LEAVING = refuse(
  'too-slow',
  'The connection was half closed before the request could be sent on. Keep it open until the answer is there.',
)

export class UpstreamCall implements Dispatcher.DispatchHandler, Waiter {
  readonly #upstream: Upstream
  readonly #request: UpstreamRequest
  readonly #caller: Caller
  /** Where it is, while it holds a connection there. */
  #target: Target | undefined
  /** Set when the request was about to be written. */
  #controller: Dispatcher.DispatchController | undefined
  #attempts = 0
  /** Answers before the answer (1xx). */
  #interim = 0
  #answered = false
  #told = false
  #over = false
  #waits = false
  #startedAt = 0
  #answeredAt = 0
  #bytes = 0
  /** Milliseconds in which the caller did not want more. */
  #paused = 0
  #pausedAt = 0
  #trickles = true

  constructor(upstream: Upstream, request: UpstreamRequest, caller: Caller) {
    this.#upstream = upstream
    this.#request = request
    this.#caller = caller
  }

  get client(): string | undefined {
    return this.#request.client
  }

  /** When it went to a server; 0 while it waits. */
  get startedAt(): number {
    return this.#startedAt
  }

  /** Who sends has a place at the upstream. */
  send(): void {
    const taken = this.#upstream.take(this)
    if (taken !== undefined) this.served(taken)
    else {
      this.#waits = true
      this.#upstream.wait(this)
    }
  }

  served(taken: Target | Refusal): void {
    const late = this.#waits && this.#caller.isLeaving === true
    this.#waits = false
    if (isRefusal(taken)) this.#break(taken)
    else if (late) this.#giveBack(taken)
    else this.#dispatch(taken)
  }

  #giveBack(target: Target): void {
    this.#target = target
    this.#settle('untold')
    this.#break(LEAVING)
  }

  pause(): void {
    if (this.#pausedAt !== 0) return
    this.#pausedAt = performance.now()
    this.#controller?.pause()
  }

  resume(): void {
    if (this.#pausedAt === 0) return
    this.#paused += performance.now() - this.#pausedAt
    this.#pausedAt = 0
    if (!this.#over) this.#controller?.resume()
  }

  /** Nothing more is wanted; nothing more comes. */
  abort(): void {
    if (this.#over) return
    this.#over = true
    if (this.#waits) this.#upstream.giveUp(this)
    // Without a controller the HTTP client still holds on to it: the connection is not free before it lets go.
    if (this.#controller === undefined) return
    this.#settle('untold')
    this.#controller.abort(new Error('no longer wanted'))
  }

  #dispatch(target: Target): void {
    const { method, path, atOrigin, headers, body, longPause = null } = this.#request
    this.#target = target
    this.#told = false
    this.#attempts++
    this.#startedAt = performance.now()
    const whole = atOrigin ? path : target.path + path
    const sliced = sliceBody(body)
    const options = {
      method: method as Dispatcher.HttpMethod,
      path: whole.startsWith('/') ? whole : `/${whole}`,
      headers: sliced === undefined ? headers : [...headers, 'content-length', String(sliced.bytes)],
      body: sliced ?? body ?? null,
      bodyTimeout: longPause,
    }
    target.pool.dispatch(options, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('no longer wanted'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: AnswerHeaders): undefined {
    if (this.#over) return
    if (status < 200) {
      if (++this.#interim > MOST_INTERIM) this.#giveUpOn(TOO_MANY_INTERIM)
      return
    }
    const fields = readAnswerFraming(status, headers)
    if (isRefusal(fields)) return this.#giveUpOn(fields)
    this.#answered = true
    this.#answeredAt = performance.now()
    // What is sent as it happens may come slowly.
    this.#trickles = String(headers['content-type'] ?? '').startsWith('text/event-stream')
    if (status >= 502 && status <= 504) this.#tell('fault')
    else if (this.#target!.outlier.isProbe(this)) this.#tell('answered')
    this.#caller.answered(status, fields)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    this.#bytes += chunk.length
    if (this.#isTooSlow()) {
      this.#giveUpOn(refuse('upstream-timeout', 'The answer of the server behind this route came too slowly.'))
    } else this.#caller.data(chunk)
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#settle('answered')
    this.#caller.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const sent = this.#controller !== undefined
    if (this.#over) {
      this.#settle(sent ? 'untold' : outcomeOf(error, false))
    } else if (error instanceof BodyRefused) {
      this.#settle('untold')
      this.#break(error.refusal)
    } else if (!this.#goesAgain(error, sent)) {
      this.#settle(outcomeOf(error, sent))
      this.#break(refusalOf(error, sent))
    }
  }

  /**
   * To another server when it was never sent, whatever it is: not a byte of it left. Once more, when it is safe and has no body (RFC
   * 9110 §9.2.2) and the idle connection died under it before any byte of an answer.
   */
  #goesAgain(error: Error, sent: boolean): boolean {
    const { method, body } = this.#request
    const upstream = this.#upstream
    if (this.#answered) return false
    if (!sent) {
      if (this.#attempts >= Math.min(upstream.targets.length, MOST_SERVERS)) return false
      if (outcomeOf(error, false) !== 'unreachable') return false
      if (body instanceof Readable && (body.destroyed || body.readableDidRead)) return false
      const failed = this.#target!
      this.#settle('unreachable')
      const other = upstream.take(this, failed)
      if (other === undefined || isRefusal(other)) return false
      this.#dispatch(other)
      return true
    }
    const safe = (method === 'GET' || method === 'HEAD') && body === undefined
    if (this.#attempts > 1 || !safe || !diedUnanswered(error)) return false
    this.#settle('untold')
    this.#controller = undefined
    this.send()
    return true
  }

  /** The idle timeout sees to it that pieces come; this, that they are not crumbs. Needs no timer: a crumb is when it is asked. */
  #isTooSlow(): boolean {
    if (this.#trickles) return false
    const { idleTimeout, minimumRate } = this.#upstream.options
    const taken = performance.now() - this.#answeredAt - this.#paused
    return taken > idleTimeout && this.#bytes * 1000 < minimumRate * taken
  }

  #tell(outcome: Outcome): void {
    this.#told = true
    this.#upstream.tell(this.#target!, this, outcome)
  }

  /** Gives the connection back. */
  #settle(outcome: Outcome): void {
    const target = this.#target
    if (target === undefined) return
    if (!this.#told) this.#tell(outcome)
    this.#target = undefined
    this.#upstream.release(target, this)
  }

  /** What the server sends is no use; its connection is closed. */
  #giveUpOn(refusal: Refusal): undefined {
    this.#over = true
    this.#settle('fault')
    this.#controller?.abort(new Error(refusal.code))
    this.#break(refusal)
  }

  #break(refusal: Refusal): void {
    this.#over = true
    this.#caller.broken(refusal)
  }
}
