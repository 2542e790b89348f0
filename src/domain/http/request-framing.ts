// Where the body of a request ends (RFC 9112 §6), and what it says of its connection. The parser has refused most of what smugglers
// send; what it still takes is refused here: any transfer coding but `chunked`, one on HTTP/1.0 or beside a length, a body where none
// has a meaning, and a `Connection` that would have a field dropped which is judged here.

import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { RequestLine } from './request-headers.ts'

interface Fields {
  get(name: string): string | undefined
}

const LENGTH = /^\d{1,15}$/
/** A host, which no `http` URI is without (RFC 9110 §4.2.1), with an optional port. */
const HOST = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f]*:[0-9A-Fa-f]*:[0-9A-Fa-f:.]*\])(?::\d{1,5})?$/
/** Fields that say what a request means: a client that names one in `Connection` asks that it be judged and not sent. */
const MEANS_SOMETHING =
  /(?:^|,)[\t ]*(?:host|authorization|cookie|prefer|range|expect|accept|content|if)(?:-[a-z-]+)?[\t ]*(?:,|$)/i
/** What may be repeated without harm, so it may come as early data (RFC 8470 §5.2). */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', undefined])

/** Bytes of the body; undefined when it comes in chunks. */
export function readFraming(headers: Fields, { method, httpVersion }: RequestLine): number | undefined | Refusal {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    return ambiguous('Only HTTP/1.1 and HTTP/1.0 are understood here.')
  const host = headers.get('host')
  if (host !== undefined && !HOST.test(host))
    return ambiguous('The Host header is not a host name with an optional port.')
  const connection = headers.get('connection')
  if (connection !== undefined && MEANS_SOMETHING.test(connection))
    return ambiguous('The Connection header names a field that is not about the connection. Leave it out there.')
  if (headers.get('early-data') !== undefined && !SAFE_METHODS.has(method)) {
    return refuse(
      'too-early',
      'This request came as early data, which can be replayed. Send it again after the handshake.',
    )
  }
  const coding = headers.get('transfer-encoding')
  const announced = headers.get('content-length')
  if (coding === undefined && announced === undefined) return 0
  const length = coding === undefined ? lengthOf(announced) : chunked(coding, announced, httpVersion)
  if ((method === 'GET' || method === 'HEAD') && length !== 0 && !isRefusal(length)) {
    return refuse('body-invalid', `A ${method} request has no body. Leave it out, or search by POST to …/_search.`)
  }
  return length
}

function chunked(coding: string, announced: string | undefined, httpVersion: string): undefined | Refusal {
  if (announced !== undefined)
    return ambiguous('Content-Length and Transfer-Encoding exclude each other. Send one of them.')
  if (httpVersion !== '1.1') return ambiguous('HTTP/1.0 has no Transfer-Encoding. Send a Content-Length.')
  if (coding.toLowerCase() !== 'chunked') return ambiguous('The only Transfer-Encoding understood here is chunked.')
  return undefined
}

function lengthOf(announced = ''): number | Refusal {
  return LENGTH.test(announced) ? Number(announced) : ambiguous('The Content-Length is not a number of bytes.')
}

const ambiguous = (detail: string): Refusal => refuse('header-ambiguous', detail)
