// The request's header fields, read once from the raw list that the parser gives. Whatever two readers could understand in two
// ways is refused here: a field that may stand only once and stands twice (RFC 9110 §5.3), bytes outside ASCII, and names such
// as `X_Auth_Subject` that a server behind us may take for a field that decides something (CGI and WSGI fold `_` into `-`).

import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { FieldNames } from './field-names.ts'
import { readFraming } from './request-framing.ts'

export interface RequestHeaders {
  /** Flat name, value, name, value … in the order of arrival; names keep the client's case. */
  readonly raw: readonly string[]
  /** The lower-case names, in the same order. */
  readonly names: readonly string[]
  /** Bytes of the body as announced: 0 without a body, undefined when it comes in chunks. */
  readonly bodyLength: number | undefined
  /** Value of the only (or, for list fields, the comma-joined) field of this lower-case name. */
  get(name: string): string | undefined
}

/** What stands on the request line and bears on how the fields are read. */
export interface RequestLine {
  readonly method?: string | undefined
  readonly httpVersion: string
}

export interface HeaderRules {
  /** Names that the gateway sets or reads by configuration: identity headers, the API key header. */
  readonly owned?: Iterable<string>
  /** Header that carries API keys; a second one is a second credential. */
  readonly apiKeyHeader?: string
  /** Most bytes of all fields together. */
  readonly limit?: number
}

export type HeaderReader = (raw: readonly string[], line?: RequestLine) => RequestHeaders | Refusal

/** Servers commonly take a hundred fields at most, and drop the rest without a word. */
const MOST_FIELDS = 100
const NOT_ASCII_TEXT = /[^\t\x20-\x7e]/
const HTTP_1_1: RequestLine = { httpVersion: '1.1' }

export function headerReader(rules: HeaderRules = {}): HeaderReader {
  const fieldNames = new FieldNames(rules)
  const limit = rules.limit ?? Number.POSITIVE_INFINITY

  return (raw, line = HTTP_1_1) => {
    if (raw.length > 2 * MOST_FIELDS) return tooLarge(`Send ${MOST_FIELDS} header fields at most.`)
    const names: string[] = []
    let bytes = 0
    let repeats = false
    for (let i = 0; i < raw.length; i += 2) {
      const name = fieldNames.read(raw[i]!)
      if (isRefusal(name)) return name
      const value = raw[i + 1]!
      if (NOT_ASCII_TEXT.test(value)) {
        return refuse(
          'header-ambiguous',
          `The header ${name} holds bytes that are not ASCII text. Encode them (RFC 8187).`,
        )
      }
      if (names.includes(name)) {
        const refusal = fieldNames.repeated(name)
        if (refusal !== undefined) return refusal
        repeats = true
      }
      names.push(name)
      bytes += name.length + value.length + 4
    }
    if (bytes > limit) return tooLarge(`All header fields together may have ${limit} bytes.`)
    const headers = new Fields(raw, names, repeats)
    const length = readFraming(headers, line)
    if (isRefusal(length)) return length
    headers.bodyLength = length
    return headers
  }
}

/** Reads without anything configured. */
export const readRequestHeaders: HeaderReader = headerReader()

class Fields implements RequestHeaders {
  readonly raw: readonly string[]
  readonly names: readonly string[]
  readonly repeats: boolean
  bodyLength: number | undefined = 0

  constructor(raw: readonly string[], names: readonly string[], repeats: boolean) {
    this.raw = raw
    this.names = names
    this.repeats = repeats
  }

  get(name: string): string | undefined {
    const at = this.names.indexOf(name)
    if (at < 0) return undefined
    return this.repeats ? this.joined(name) : this.raw[2 * at + 1]
  }

  joined(name: string): string {
    return this.raw.filter((_, i) => i % 2 === 1 && this.names[(i - 1) / 2] === name).join(', ')
  }
}

const tooLarge = (detail: string): Refusal => refuse('headers-too-large', detail)
