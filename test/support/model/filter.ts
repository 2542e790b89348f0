// Whether a resource certainly matches one `name=value` of a scope (spec §3.1, §3.5(3)): every value against every alternative,
// read anew each time. Shares no code with src/.

import type { ModelParameter, ModelValue } from './elements.ts'
import { isOurs, readReference } from './references.ts'

/** `exactly`: as a server that compares letter for letter and by relative references would find it. */
export type Strictness = 'exactly' | 'as meant'

/** Undefined for a value that cannot be read: then nothing matches, and a scope that says it grants nothing. */
export function alternativesOf(value: string): readonly string[] | undefined {
  const alternatives: string[] = ['']
  for (let at = 0; at < value.length; at++) {
    if (value[at] === '\\') {
      if (!',|$\\'.includes(value[at + 1] ?? 'x')) return undefined
      alternatives[alternatives.length - 1] += value[at]! + value[++at]!
    } else if (value[at] === ',') alternatives.push('')
    else alternatives[alternatives.length - 1] += value[at]!
  }
  return alternatives.includes('') ? undefined : alternatives
}

/** Whether a scope may filter by it at all. */
export function isReadable(parameter: ModelParameter, value: string): boolean {
  const alternatives = alternativesOf(value)
  if (alternatives === undefined) return false
  return alternatives.every((one) => {
    if (parameter.kind === 'token') return tokenParts(one) !== undefined
    if (parameter.kind === 'date')
      return readDate(one.replace(/^[a-z]{2}/, '')) !== undefined && /^(eq|ne|gt|lt|ge|le|sa|eb)?\d/.test(one)
    return true
  })
}

export function matches(
  resource: unknown,
  parameter: ModelParameter,
  value: string,
  ownBases: readonly string[],
  strictness: Strictness,
): boolean {
  const alternatives = alternativesOf(value) ?? []
  const found = parameter.values(resource)
  return alternatives.some((one) => found.some((each) => fits(each, one, parameter, ownBases, strictness)))
}

function fits(
  value: ModelValue,
  one: string,
  { targets }: ModelParameter,
  ownBases: readonly string[],
  strictness: Strictness,
): boolean {
  switch (value.as) {
    case 'code':
    case 'bound code':
    case 'identifier':
      return tokenFits(value, one, strictness)
    case 'boolean':
      return value.value === true ? one === 'true' : value.value === false && one === 'false'
    case 'contact':
    case 'id':
      return !one.includes('|') && value.value === plain(one)
    case 'uri':
      return value.uri === plain(one)
    case 'text':
      return typeof value.text === 'string' && folded(value.text).startsWith(folded(plain(one)))
    case 'date':
      return dateFits(spanOfDate(value.date), one)
    case 'period':
      return dateFits(spanOfPeriod(value.period), one)
    case 'reference': {
      const named = readReference(value.reference)
      if (value.onlyPatient && named?.type !== 'Patient') return false
      if (named === undefined) return strictness === 'as meant' && value.reference === plain(one)
      if (!isOurs(named, ownBases)) return value.reference === plain(one)
      if (strictness === 'exactly' && (named.base !== '' || String(value.reference).includes('_history'))) return false
      const wanted = readReference(plain(one))
      if (wanted !== undefined) return isOurs(wanted, ownBases) && wanted.type === named.type && wanted.id === named.id
      return plain(one) === named.id && (targets.length === 0 || targets.includes(named.type))
    }
  }
}

function plain(text: string): string {
  return text.replaceAll(/\\([,|$\\])/g, '$1')
}

function folded(text: string): string {
  return text.normalize('NFD').replaceAll(/\p{M}/gu, '').toLowerCase()
}

interface TokenParts {
  /** Undefined: any. Empty: none. */
  readonly system: string | undefined
  /** Undefined: any. */
  readonly code: string | undefined
}

function tokenParts(one: string): TokenParts | undefined {
  const bars = [...one.matchAll(/(?<!\\)(?:\\\\)*\|/g)]
  if (bars.length > 1) return undefined
  if (bars.length === 0) return { system: undefined, code: plain(one) }
  const bar = bars[0]!.index + bars[0]![0].length - 1
  const [system, code] = [plain(one.slice(0, bar)), plain(one.slice(bar + 1))]
  if (system === '' && code === '') return undefined
  return { system, code: code === '' ? undefined : code }
}

function tokenFits(value: Extract<ModelValue, { code: unknown }>, one: string, strictness: Strictness): boolean {
  const wanted = tokenParts(one)
  const { system, code } = value
  if (wanted === undefined || typeof code !== 'string') return false
  if (system !== undefined && typeof system !== 'string') return false
  if (wanted.system !== undefined && wanted.system !== (system ?? '')) return false
  // Not every server knows the code system that a plain code is bound to.
  if (strictness === 'exactly' && value.as === 'bound code' && wanted.system !== undefined) return false
  if (wanted.code === undefined || wanted.code === code) return true
  if (strictness === 'exactly' || value.as !== 'code') return false
  return mayIgnoreCase(system) && asciiLower(wanted.code) === asciiLower(code)
}

/** FHIR's own code systems are case-sensitive, HL7 v2's and unknown ones may not be (spec §3.5(3)). */
function mayIgnoreCase(system: string | undefined): boolean {
  if (system === undefined) return true
  if (system.startsWith('http://terminology.hl7.org/CodeSystem/v2-')) return true
  return !system.startsWith('http://terminology.hl7.org/CodeSystem/') && !system.startsWith('http://hl7.org/fhir/')
}

function asciiLower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32))
}

interface Span {
  readonly from: number
  /** Up to, not including. */
  readonly to: number
  readonly zoned: boolean
}

function readDate(text: unknown): Span | undefined {
  if (typeof text !== 'string') return undefined
  const found = /^(\d{4})(-\d\d)?(-\d\d)?(?:T(\d\d):(\d\d):(\d\d)(\.\d\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (found === null) return undefined
  const [, year, month, day, hour, , , thousandths, zone] = found
  if (hour !== undefined) {
    const from = Date.parse(zone === undefined ? `${text}Z` : text)
    return Number.isNaN(from)
      ? undefined
      : { from, to: from + (thousandths === undefined ? 1000 : 1), zoned: zone !== undefined }
  }
  const m = month === undefined ? 0 : Number(month.slice(1)) - 1
  if (m > 11) return undefined
  const d = day === undefined ? 1 : Number(day.slice(1))
  const from = Date.UTC(Number(year), m, d)
  const to =
    day !== undefined
      ? Date.UTC(Number(year), m, d + 1)
      : month !== undefined
        ? Date.UTC(Number(year), m + 1, 1)
        : Date.UTC(Number(year) + 1, 0, 1)
  return { from, to, zoned: false }
}

const spanOfDate = readDate

function spanOfPeriod(period: unknown): Span | undefined {
  if (typeof period !== 'object' || period === null) return undefined
  const { start, end } = period as { start?: unknown; end?: unknown }
  const first = readDate(start)
  const last = readDate(end)
  if ((start !== undefined && first === undefined) || (end !== undefined && last === undefined)) return undefined
  if (first === undefined && last === undefined) return undefined
  if (first !== undefined && last !== undefined && last.to <= first.from) return undefined
  return {
    from: first?.from ?? Number.NEGATIVE_INFINITY,
    to: last?.to ?? Number.POSITIVE_INFINITY,
    zoned: (first ?? last)!.zoned,
  }
}

/** A date without a zone is tried in every zone on earth beside one that has a zone. */
function dateFits(value: Span | undefined, one: string): boolean {
  const prefix = /^[a-z]{2}/.exec(one)?.[0] ?? 'eq'
  const wanted = readDate(one.replace(/^[a-z]{2}/, ''))
  if (value === undefined || wanted === undefined) return false
  if (value.zoned === wanted.zoned) return relates(prefix, value, wanted)
  for (let hours = -12; hours <= 14; hours++) {
    const shift = (value.zoned ? hours : -hours) * 3_600_000
    if (!relates(prefix, { ...value, from: value.from + shift, to: value.to + shift }, wanted)) return false
  }
  return true
}

function relates(prefix: string, value: Span, wanted: Span): boolean {
  switch (prefix) {
    case 'eq':
      return value.from >= wanted.from && value.to <= wanted.to
    case 'ne':
      return value.from < wanted.from || value.to > wanted.to
    case 'gt':
      return value.to > wanted.to
    case 'lt':
      return value.from < wanted.from
    case 'ge':
      return value.to > wanted.to || value.from >= wanted.from
    case 'le':
      return value.from < wanted.from || value.to <= wanted.to
    case 'sa':
      return value.from >= wanted.to
    default:
      return value.to <= wanted.from
  }
}
