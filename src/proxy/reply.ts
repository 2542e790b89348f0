// Writes the answers that the gateway gives by itself: refusals, and its own documents. Nothing of the request is echoed but
// the request id. Where the client is still sending a body that nobody will read, the answer goes out at once, the connection
// is closed after it, and what still arrives is discarded for a moment, so that the close does not destroy the answer on its way.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerOf, statusOf } from '../domain/answer.ts'
import { type ChallengeContext, challengeOf } from '../domain/challenge.ts'
import type { Refusal } from '../domain/refusal.ts'

export interface RefusalContext {
  readonly fhir: boolean
  readonly wantsXml: boolean
  readonly requestId: string
  /** Left out where no challenge makes sense (the admin port's own checks). */
  readonly challenge?: ChallengeContext
}

export interface Document {
  readonly status: number
  readonly contentType: string
  readonly body: string | Buffer
  /** Further header fields, flat: name, value, name, value … */
  readonly headers?: readonly string[]
}

const LINGER_MS = 1000
const LINGER_BYTES = 256 * 1024

/** Answers with a refusal; returns the status and the number of body bytes, for the record. */
export function replyRefusal(response: ServerResponse, refusal: Refusal, context: RefusalContext): Sent {
  const answer = answerOf(refusal, context)
  const headers = ['cache-control', 'no-store']
  // Where the fields of one request are in doubt, so is the beginning of the next one.
  if (refusal.code === 'header-ambiguous') response.shouldKeepAlive = false
  const challenge = context.challenge && challengeOf(refusal, context.challenge)
  if (challenge !== undefined) headers.push('www-authenticate', challenge)
  if (refusal.code !== 'not-found') {
    const { retryAfter, allow } = refusal.extras
    if (retryAfter !== undefined) headers.push('retry-after', String(Math.max(1, Math.ceil(retryAfter))))
    if (allow !== undefined && statusOf(refusal) === 405) headers.push('allow', allow.join(', '))
  }
  return replyDocument(response, { ...answer, headers }, context.requestId)
}

/** Answers with a JSON document of our own, never to be cached. */
export function replyJson(response: ServerResponse, status: number, value: unknown, requestId?: string): Sent {
  const body = `${JSON.stringify(value)}\n`
  const headers = ['cache-control', 'no-store']
  return replyDocument(response, { status, contentType: 'application/json', body, headers }, requestId)
}

export interface Sent {
  readonly status: number
  readonly bytes: number
}

export function replyDocument(response: ServerResponse, document: Document, requestId?: string): Sent {
  const { status } = document
  const request = response.req
  // An answer that has begun cannot be replaced; breaking the connection is the only way left to say that it is not whole.
  if (response.headersSent) {
    response.destroy()
    return { status, bytes: 0 }
  }
  const bodiless = status === 304 || status === 204
  const length = Buffer.byteLength(document.body)
  const headers = ['x-content-type-options', 'nosniff']
  if (!bodiless) headers.push('content-type', document.contentType, 'content-length', String(length))
  if (requestId !== undefined) headers.push('x-request-id', requestId)
  if (document.headers !== undefined) headers.push(...document.headers)
  const unread = bodyIsUnread(request)
  if (unread) headers.push('connection', 'close')
  response.writeHead(status, headers)
  const silent = bodiless || request.method === 'HEAD'
  if (!unread || request.headers.expect !== undefined) response.end(silent ? undefined : document.body)
  else linger(request, response, silent ? undefined : document.body)
  return { status, bytes: silent ? 0 : length }
}

function bodyIsUnread(request: IncomingMessage): boolean {
  if (request.complete && request.readableLength === 0) return false
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

function linger(request: IncomingMessage, response: ServerResponse, body: string | Buffer | undefined): void {
  let left = LINGER_BYTES
  if (body === undefined) response.flushHeaders()
  else response.write(body)
  const timer = setTimeout(finish, LINGER_MS)
  function finish(): void {
    clearTimeout(timer)
    request.off('data', discard)
    if (!response.writableEnded) response.end()
  }
  function discard(chunk: Buffer): void {
    left -= chunk.length
    if (left < 0) finish()
  }
  request.on('error', finish).once('close', finish).once('end', finish).on('data', discard)
  request.resume()
}
