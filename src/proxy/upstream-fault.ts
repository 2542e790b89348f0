// What went wrong between the gateway and an upstream, as one of three refusals. The cause stays here: it names addresses.

import { type Refusal, refuse } from '../domain/refusal.ts'

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
