// The request target, read once into a canonical form; that form, printed, is what goes upstream, and parsing the print
// gives the same form (contract §1). Two readers must never see two different targets, so whatever a server behind us
// might collapse, decode a second time or cut off is refused here: dot segments, `//`, `;`, encoded separators, fragments,
// backslashes, absolute form (RFC 9112 §3.2; RFC 3986 §6.2.2).

import { type Refusal, refuse } from '../refusal.ts'
import { refuseMethodOverride } from './method-override.ts'

/** One query parameter, percent- and form-decoded once; FHIR's own `\` escapes are untouched. */
export interface Parameter {
  readonly name: string
  readonly value: string
}

export interface RequestTarget {
  /** Canonical path, percent-encoded; starts with `/`; ends with `/` only when the client's did. */
  readonly path: string
  /** Decoded path segments, without the empty one behind a trailing slash. */
  readonly segments: readonly string[]
  readonly parameters: readonly Parameter[]
  /** Canonical query, without `?`; empty when there is none. */
  readonly query: string
}

const UNRESERVED = /^[A-Za-z0-9\-._~]$/
// Path characters that stand as they are: unreserved and the sub-delims but `;`, plus `:` and `@`.
const PLAIN_PATH = /^(?:\/[A-Za-z0-9\-._~!$&'()*+,=:@]*)+$/
const PATH_CHARACTER = /^[A-Za-z0-9\-._~!$&'()*+,=:@]$/
// A query that decodes to itself and prints as itself.
const PLAIN_QUERY =
  /^[A-Za-z0-9\-._~!$'()*,/:@?]+=[A-Za-z0-9\-._~!$'()*,/:@?]+(?:&[A-Za-z0-9\-._~!$'()*,/:@?]+=[A-Za-z0-9\-._~!$'()*,/:@?]+)*$/
const QUERY_CHARACTERS = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/?%|{}^`]*$/
const DECODES_TO_ITSELF = /^[A-Za-z0-9\-._~!$'()*,/:@?;=|{}^`]*$/
const NEEDS_ENCODING = /[^A-Za-z0-9\-._~!$'()*,/:@?]/
const REFUSED_ENCODED = new Set(['/', '\\', ';', '#', '?', '%'])

const ambiguous = (detail: string): Refusal => refuse('target-ambiguous', detail)

export function parseRequestTarget(raw: string, maximumParameters = Number.POSITIVE_INFINITY): RequestTarget | Refusal {
  if (raw.includes('#')) return ambiguous('The request target holds a fragment. Send it without "#".')
  const mark = raw.indexOf('?')
  const path = parsePath(mark < 0 ? raw : raw.slice(0, mark))
  if (!('segments' in path)) return path
  const parameters = mark < 0 ? [] : parseQuery(raw.slice(mark + 1), maximumParameters)
  if (!Array.isArray(parameters)) return parameters
  if (parameters.length > maximumParameters) {
    return refuse('target-too-long', `The query has more than ${maximumParameters} parameters. Send fewer.`)
  }
  const posing = refuseMethodOverride(parameters)
  if (posing !== undefined) return posing
  const query = mark < 0 ? '' : raw.slice(mark + 1)
  return { ...path, parameters, query: PLAIN_QUERY.test(query) ? query : printQuery(parameters) }
}

export function printTarget(target: RequestTarget): string {
  return target.query === '' ? target.path : `${target.path}?${target.query}`
}

type Path = Pick<RequestTarget, 'path' | 'segments'>

function parsePath(raw: string): Path | Refusal {
  if (!raw.startsWith('/')) return ambiguous('Send the request target in origin form: a path that starts with "/".')
  const parts = raw.split('/')
  const segments: string[] = []
  const printed: string[] = []
  const plain = PLAIN_PATH.test(raw)
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i]!
    if (part === '') {
      if (i === parts.length - 1) break
      return ambiguous('The path holds an empty segment ("//").')
    }
    const segment = plain ? { decoded: part, printed: part } : readSegment(part)
    if (!('decoded' in segment)) return segment
    if (segment.decoded === '.' || segment.decoded === '..') return ambiguous('The path holds a dot segment.')
    segments.push(segment.decoded)
    printed.push(segment.printed)
  }
  const slash = raw.length > 1 && raw.endsWith('/') ? '/' : ''
  return { path: plain ? raw : `/${printed.join('/')}${slash}`, segments }
}

function readSegment(part: string): { decoded: string; printed: string } | Refusal {
  let printed = ''
  for (let i = 0; i < part.length; i++) {
    const character = part[i]!
    if (character !== '%') {
      if (!PATH_CHARACTER.test(character)) return ambiguous('The path holds a character that must not stand in a path.')
      printed += character
      continue
    }
    const code = hexByte(part, i)
    if (code < 0) return ambiguous('The path holds a broken percent-encoding.')
    const decoded = String.fromCharCode(code)
    if (code < 0x20 || code === 0x7f || REFUSED_ENCODED.has(decoded)) {
      return ambiguous('The path holds an encoded separator or control character.')
    }
    printed += code < 0x80 && (UNRESERVED.test(decoded) || PATH_CHARACTER.test(decoded)) ? decoded : percent(code)
    i += 2
  }
  const decoded = decodeUtf8(printed)
  return decoded === undefined ? ambiguous('The path is not valid UTF-8.') : { decoded, printed }
}

function parseQuery(raw: string, most: number): Parameter[] | Refusal {
  if (!QUERY_CHARACTERS.test(raw)) {
    return ambiguous('The query holds a character that must be percent-encoded.')
  }
  return readForm(raw, most) ?? ambiguous('The query holds a broken percent-encoding.')
}

/**
 * Reads `application/x-www-form-urlencoded` text, from a query or a body, into parameters. Pieces without a name are dropped
 * as servers do; a piece without `=` has an empty value. Undefined when an encoding is broken, not UTF-8, or hides a NUL, and
 * when the text itself holds half a surrogate pair, which no print could carry. Reading ends at one more than `most`.
 */
export function readForm(text: string, most = Number.POSITIVE_INFINITY): Parameter[] | undefined {
  if (!text.isWellFormed()) return undefined
  const parameters: Parameter[] = []
  for (const piece of pieces(text)) {
    if (piece === '') continue
    const equals = piece.indexOf('=')
    const name = decodeForm(equals < 0 ? piece : piece.slice(0, equals))
    const value = equals < 0 ? '' : decodeForm(piece.slice(equals + 1))
    if (name === undefined || value === undefined) return undefined
    if (name !== '') parameters.push({ name, value })
    // One too many is enough to tell that there are too many.
    if (parameters.length > most) break
  }
  return parameters
}

function* pieces(text: string): Generator<string> {
  for (let start = 0; start <= text.length; ) {
    const end = text.indexOf('&', start)
    yield text.slice(start, end < 0 ? undefined : end)
    if (end < 0) return
    start = end + 1
  }
}

export function printQuery(parameters: readonly Parameter[]): string {
  let query = ''
  for (const { name, value } of parameters)
    query += `${query === '' ? '' : '&'}${encodeForm(name)}=${encodeForm(value)}`
  return query
}

function decodeForm(text: string): string | undefined {
  if (DECODES_TO_ITSELF.test(text)) return text
  const decoded = decodeUtf8(text.replaceAll('+', ' '))
  return decoded === undefined || decoded.includes('\0') ? undefined : decoded
}

function encodeForm(text: string): string {
  if (!NEEDS_ENCODING.test(text)) return text
  return encodeURIComponent(text)
    .replaceAll('%2F', '/')
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%40', '@')
    .replaceAll('%24', '$')
    .replaceAll('%3F', '?')
}

function hexByte(text: string, at: number): number {
  const pair = text.slice(at + 1, at + 3)
  return /^[0-9A-Fa-f]{2}$/.test(pair) ? Number.parseInt(pair, 16) : -1
}

function percent(code: number): string {
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`
}

function decodeUtf8(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
