// The request's header fields, read once from the raw list that the parser gives. A field that may stand only once and
// stands twice is refused here, because two readers would disagree about which one counts (RFC 9110 §5.3).

import { type Refusal, refuse } from '../refusal.ts'

/** `raw` is the flat name, value, name, value … list in the order of arrival; names keep the client's case. */
export interface RequestHeaders {
  readonly raw: readonly string[]
  /** Value of the only (or, for list fields, the comma-joined) field of this lower-case name. */
  get(name: string): string | undefined
}

/** Fields of which a second one makes the request ambiguous, even when the values are equal. */
const SINGLE = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'content-location',
  'transfer-encoding',
  'expect',
  'if-match',
  'if-none-exist',
  'if-modified-since',
  'if-unmodified-since',
  'range',
  'early-data',
  'upgrade',
  'user-agent',
  'x-api-key',
])

/** Of these, a second one is a second credential (RFC 6750 §3.1 `invalid_request`). */
const CREDENTIALS = new Set(['authorization', 'x-api-key'])

export function readRequestHeaders(raw: readonly string[]): RequestHeaders | Refusal {
  const fields = new Map<string, string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const value = raw[i + 1]!
    const before = fields.get(name)
    if (before === undefined) fields.set(name, value)
    else if (SINGLE.has(name)) return cameTwice(name)
    else fields.set(name, `${before}, ${value}`)
  }
  return { raw, get: (name) => fields.get(name) }
}

function cameTwice(name: string): Refusal {
  const code = CREDENTIALS.has(name) ? 'credential-ambiguous' : 'header-ambiguous'
  return refuse(code, `The header ${name} came more than once. Send it once.`)
}
