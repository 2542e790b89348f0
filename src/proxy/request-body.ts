// The body of a request: read whole and bounded where it carries meaning (forms, Bundles), or streamed on with a limit and,
// where asked for, an inspection that may stop it. Nothing is read before one of these is called, so `100 Continue` goes out
// only then (see `server/port/listen.ts`).

import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { type Pace, Patience } from './patience.ts'

/** Watches a body go by. The last piece is held back until `end` has found nothing wrong with the whole. */
export interface BodyInspection {
  write(chunk: Buffer): Refusal | undefined
  end(): Refusal | undefined
}

/** The reason why a body stream ends before its time. */
export class BodyRefused extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

export interface ReadingRules {
  /** Most bytes. */
  readonly limit: number
  /** Left out: as long as it takes. */
  readonly pace?: Pace | undefined
  /** Asks for room in memory for so many more bytes. */
  readonly hold?: ((bytes: number) => Refusal | undefined) | undefined
}

/** Reads the whole body. */
export function readBody(
  request: IncomingMessage,
  headers: RequestHeaders,
  { limit, pace, hold }: ReadingRules,
): Promise<Buffer | Refusal> {
  const refusal = unreadable(headers, limit, true)
  if (refusal !== undefined) return Promise.resolve(refusal)
  // INVARIANT: nobody waits for a stream that is over: one without a body was never begun, one whose client left has no more events.
  if (headers.bodyLength === 0) return Promise.resolve(Buffer.alloc(0))
  if (request.destroyed) return Promise.resolve(cutOff())
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const stop = (refusal: Refusal): void => {
      request.pause()
      finish(refusal)
    }
    const patience = patienceFor(request, pace, () => stop(tooSlow()))
    const finish = (result: Buffer | Refusal): void => {
      patience?.end()
      request.off('data', take).off('end', whole).off('close', cut).off('error', cut)
      resolve(result)
    }
    const take = (chunk: Buffer): void => {
      bytes += chunk.length
      patience?.moved(chunk.length)
      const refusal = bytes > limit ? tooLarge(limit) : hold?.(chunk.length)
      if (refusal === undefined) chunks.push(chunk)
      else stop(refusal)
    }
    const whole = (): void => finish(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes))
    const cut = (): void => finish(cutOff())
    request.on('data', take).on('end', whole).on('close', cut).on('error', cut)
    patience?.begin()
  })
}

/** Checked before anything is read: the announced length, and for bodies that are looked into, that they are not compressed. */
export function unreadable(headers: RequestHeaders, limit: number, inspected: boolean): Refusal | undefined {
  if (headers.bodyLength !== undefined && headers.bodyLength > limit) return tooLarge(limit)
  const coding = inspected ? headers.get('content-encoding') : undefined
  if (coding === undefined || coding.toLowerCase() === 'identity') return undefined
  return refuse(
    'body-invalid',
    'This body must be read here, so it must not be compressed. Send it without Content-Encoding.',
  )
}

/**
 * The body on its way upstream. It stands between the client's request and the HTTP client because that one destroys the stream
 * that it is given when an upstream fails, and with the request itself the connection would go on which the refusal must travel.
 */
export class UploadStream extends Readable {
  readonly #request: IncomingMessage
  readonly #limit: number
  readonly #inspection: BodyInspection | undefined
  readonly #patience: Patience | undefined
  #bytes = 0
  #listening = false
  #held: Buffer | undefined

  constructor(request: IncomingMessage, limit: number, inspection?: BodyInspection, pace?: Pace) {
    super()
    this.#request = request
    this.#limit = limit
    this.#inspection = inspection
    this.#patience = patienceFor(request, pace, () => this.#refuse(tooSlow()))
  }

  override _read(): void {
    if (!this.#listening) {
      this.#listening = true
      this.#request.on('data', this.#take).on('end', this.#whole).on('close', this.#cut).on('error', this.#cut)
    }
    this.#request.resume()
    this.#patience?.begin()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.off('data', this.#take).off('end', this.#whole).off('close', this.#cut).off('error', this.#cut)
    this.#patience?.end()
    if (!this.#request.complete) this.#request.pause()
    callback(error)
  }

  readonly #take = (chunk: Buffer): undefined => {
    this.#bytes += chunk.length
    this.#patience?.moved(chunk.length)
    if (this.#bytes > this.#limit) return this.#refuse(tooLarge(this.#limit))
    if (this.#inspection === undefined) return this.#pass(chunk)
    const refusal = this.#inspection.write(chunk)
    if (refusal !== undefined) return this.#refuse(refusal)
    // INVARIANT: the upstream never holds a whole body that the inspection has not passed.
    const before = this.#held
    this.#held = chunk
    if (before !== undefined) this.#pass(before)
  }

  readonly #whole = (): undefined => {
    this.#patience?.end()
    const refusal = this.#inspection?.end()
    if (refusal !== undefined) return this.#refuse(refusal)
    if (this.#held !== undefined) this.push(this.#held)
    this.push(null)
  }

  readonly #cut = (): void => {
    if (!this.readableEnded && !this.#request.complete) this.#refuse(cutOff())
  }

  #pass(chunk: Buffer): undefined {
    if (this.push(chunk)) return
    this.#request.pause()
    // The upstream is the slow one now.
    this.#patience?.pause()
  }

  #refuse(refusal: Refusal): undefined {
    this.destroy(new BodyRefused(refusal))
  }
}

const cutOff = (): Refusal => refuse('body-invalid', 'The body ended before its time.')
const tooLarge = (limit: number): Refusal => refuse('body-too-large', `The body may have ${limit} bytes at most.`)
const tooSlow = (): Refusal =>
  refuse('too-slow', 'The body did not arrive in time. Send it faster, or in smaller pieces.')

/** A body that is there already is not waited for. */
function patienceFor(request: IncomingMessage, pace: Pace | undefined, late: () => void): Patience | undefined {
  return pace === undefined || request.complete ? undefined : new Patience(pace, late)
}
