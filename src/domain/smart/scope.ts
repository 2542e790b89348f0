// SMART scopes, v1 and v2, exactly as written (SMART App Launch 2.2 §Scopes for requesting FHIR resources; spec §1.1–1.3).
// What does not parse grants nothing: a scope is never read as a wider one, and a filter that cannot be read never falls off.

import { decodeScopeText } from './scope-encoding.ts'

export type ScopeContext = 'patient' | 'user' | 'system'
export type Permission = 'c' | 'r' | 'u' | 'd' | 's'

/** One `name=value` of a granular scope, percent-decoded; several are an AND, commas in a value an OR. */
export interface ScopeFilter {
  readonly name: string
  readonly value: string
}

export interface SmartScope {
  readonly context: ScopeContext
  /** A resource type name, or `*`. Whether FHIR defines the type is asked when a request names it. */
  readonly type: string
  /** Letters in the order `cruds`; v1 words are already translated. */
  readonly permissions: string
  readonly filters: readonly ScopeFilter[]
}

/** RFC 6749 §3.3 `scope-token`: no space, quote, backslash, control or non-ASCII character stands in it unencoded. */
const TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/
const SHAPE = /^(patient|user|system)\/(\*|[A-Z][A-Za-z]{0,63})\.(read|write|\*|c?r?u?d?s?)$/
const V1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' }
const FILTER_NAME = /^[A-Za-z][A-Za-z0-9-]*$/
// Common parameters that select resources; every other `_…` steers a search or its answer and cannot be a filter.
const COMMON_FILTERS = new Set(['_id', '_lastUpdated', '_tag', '_profile', '_security', '_source'])

export function parseScope(text: string): SmartScope | undefined {
  if (!TOKEN.test(text)) return undefined
  const mark = text.indexOf('?')
  const shape = SHAPE.exec(mark < 0 ? text : text.slice(0, mark))
  if (shape === null || shape[3] === '') return undefined
  const [, context, type, word] = shape as unknown as [string, ScopeContext, string, string]
  const v1 = V1[word]
  if (mark < 0) return { context, type, permissions: v1 ?? word, filters: [] }
  // SMART defines filters for v2 only; dropping them from `….read?category=…` would widen it.
  if (v1 !== undefined) return undefined
  const filters = parseFilters(text.slice(mark + 1))
  return filters && { context, type, permissions: word, filters }
}

/** The canonical v2 spelling; equal for scopes that mean the same by spelling rules alone (`.read` and `.rs`). */
export function printScope(scope: SmartScope): string {
  const filters = scope.filters.map(({ name, value }) => `${name}=${printValue(value)}`).join('&')
  return `${scope.context}/${scope.type}.${scope.permissions}${filters === '' ? '' : `?${filters}`}`
}

function parseFilters(text: string): ScopeFilter[] | undefined {
  const filters: ScopeFilter[] = []
  for (const piece of text.split('&')) {
    const equals = piece.indexOf('=')
    if (equals < 1) return undefined
    const rest = piece.slice(equals + 1)
    if (rest === '' || rest.includes('=')) return undefined
    const name = decodeScopeText(piece.slice(0, equals))
    const value = decodeScopeText(rest)
    if (name === undefined || value === undefined || value === '') return undefined
    // A modifier or a chain is experimental in SMART and never evaluated here (contract §5).
    if (!(FILTER_NAME.test(name) || COMMON_FILTERS.has(name))) return undefined
    filters.push({ name, value })
  }
  return filters
}

// Only what RFC 6749 §3.3 or the scope grammar forbids inside a value is encoded; `|`, `/`, `:` stay readable as SMART prints them.
function printValue(value: string): string {
  return value.replace(/[^\x21\x23-\x25\x27-\x3c\x3e-\x5b\x5d-\x7e]|%/gu, (character) => encodeURIComponent(character))
}
