// What went wrong between the gateway and an upstream, as one of three refusals, and what it tells of the server. The cause stays
// here: it names addresses.

import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Outcome } from './outlier.ts'

/** The gateway's own doing, or the client's: they tell nothing of the server. */
const UNTOLD: ReadonlySet<unknown> = new Set([
  'UND_ERR_ABORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
])

/** `sent`: a connection was there and the request was on its way. */
export function refusalOf(error: Error, sent: boolean): Refusal {
  const code = codeOf(error)
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return refuse('upstream-timeout', 'The server behind this route did not answer in time. Try again later.')
  }
  if (!sent || code === 'ECONNREFUSED' || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return refuse('upstream-unreachable', 'The server behind this route cannot be reached. Try again later.')
  }
  return refuse(
    'upstream-broken',
    'The server behind this route broke off, or answered with something that is not HTTP.',
  )
}

export function outcomeOf(error: Error, sent: boolean): Outcome {
  if (UNTOLD.has(codeOf(error))) return 'untold'
  return sent ? 'fault' : 'unreachable'
}

/** The connection had served before and ended without a byte of an answer: it was idle, and closed as the request left. */
export function diedUnanswered(error: Error): boolean {
  const code = codeOf(error)
  if (code === 'ECONNRESET' || code === 'EPIPE') return true
  const socket: unknown = Reflect.get(error, 'socket')
  return code === 'UND_ERR_SOCKET' && socket instanceof Object && Number(Reflect.get(socket, 'bytesRead')) > 0
}

function codeOf(error: Error): unknown {
  return Reflect.get(error, 'code')
}
