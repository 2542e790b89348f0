// Where the body of an upstream's answer ends. The HTTP client has refused most of what desynchronises; what it still takes is refused
// here: any transfer coding but `chunked`, which it would read to the end of the connection and we would pass on as it is, and a length
// that is not one number. A 204 has no length to tell (RFC 9110 §8.6).

import { type Refusal, refuse } from '../domain/refusal.ts'

type Fields = Readonly<Record<string, string | string[] | undefined>>

/** More interim answers (1xx) than any server has a use for; each of them starts the wait for the final one anew. */
export const MOST_INTERIM = 16

const LENGTH = /^(?:0|[1-9]\d{0,14})$/

/** The fields as they may be passed on. */
export function readAnswerFraming(status: number, headers: Fields): Fields | Refusal {
  const { 'transfer-encoding': coding, 'content-length': length, 'content-type': type } = headers
  if (Array.isArray(type)) return BROKEN
  if (
    coding !== undefined &&
    (length !== undefined || typeof coding !== 'string' || coding.toLowerCase() !== 'chunked')
  )
    return BROKEN
  if (length !== undefined && (typeof length !== 'string' || !LENGTH.test(length))) return BROKEN
  if (status !== 204 || length === undefined) return headers
  const { 'content-length': _, ...others } = headers
  return others
}

const BROKEN = refuse(
  'upstream-broken',
  'The server behind this route answered in a form that could be read in two ways.',
)
export const TOO_MANY_INTERIM = refuse('upstream-broken', 'The server behind this route does not come to its answer.')
