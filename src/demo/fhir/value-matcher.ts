// One value of a search parameter, compiled into a test on one value of a resource. OR, AND, `:not` and `:missing` are
// the clause's business.

import type { DateRange } from './date-range.ts'
import { badRequest } from './fhir-error.ts'
import { compileDate, compileNumber, compileQuantity } from './ordered-matcher.ts'
import { RESOURCE_TYPES } from './resource-types.ts'
import type { SearchParameter } from './search-parameters.ts'
import { splitUnescaped, unescapeValue } from './search-text.ts'
import type { QuantityValue, ReferenceValue, SearchValue, StringValue, TokenValue } from './search-values.ts'
import { fold, readValues } from './search-values.ts'

export type ValueTest = (value: SearchValue) => boolean

export interface MatchContext {
  /** The server's own base: an absolute reference below it means the relative one. */
  readonly base: string
  readonly now: () => Date
}

const MODIFIERS: Readonly<Record<string, readonly string[]>> = {
  token: ['not', 'text', 'of-type'],
  string: ['exact', 'contains'],
  uri: ['below', 'above'],
  reference: ['identifier'],
}

/** A modifier that the server does not know must be refused (R4 search §3.1.1.4.4). */
export function checkModifier(parameter: SearchParameter, modifier: string | undefined): void {
  if (modifier === undefined || modifier === 'missing') return
  if (MODIFIERS[parameter.kind]?.includes(modifier)) return
  if (parameter.kind === 'reference' && RESOURCE_TYPES.has(modifier)) return
  throw badRequest(`the modifier :${modifier} is not supported for ${parameter.name}`, 'not-supported')
}

export function compileValue(
  parameter: SearchParameter,
  modifier: string | undefined,
  text: string,
  context: MatchContext,
): ValueTest {
  switch (parameter.kind) {
    case 'token':
      return compileToken(modifier, text) as ValueTest
    case 'reference':
      return compileReference(parameter, modifier, text, context) as ValueTest
    case 'string':
      return compileString(modifier, unescapeValue(text)) as ValueTest
    case 'uri':
      return compileUri(modifier, unescapeValue(text)) as ValueTest
    case 'date':
      return compileDate(unescapeValue(text), parameter.name, context.now) as (
        value: SearchValue & DateRange,
      ) => boolean as ValueTest
    case 'number':
      return compileNumber(unescapeValue(text), parameter.name) as ValueTest
    case 'quantity':
      return compileQuantity(text, parameter.name) as (value: SearchValue & QuantityValue) => boolean as ValueTest
    case 'composite':
      throw badRequest(`${parameter.name} is a composite and is matched by its parts`)
  }
}

function compileToken(modifier: string | undefined, text: string): (value: TokenValue) => boolean {
  if (modifier === 'text') {
    const wanted = fold(unescapeValue(text))
    return (value) => value.text !== undefined && fold(value.text).startsWith(wanted)
  }
  const parts = splitUnescaped(text, '|').map(unescapeValue)
  if (modifier === 'of-type') {
    const [system, type, code] = parts
    if (!type || !code) throw badRequest('the value of :of-type is system|type|value')
    return (value) =>
      value.code === code && value.types.some((t) => t.code === type && (!system || t.system === system))
  }
  if (parts.length > 2) throw badRequest(`the token "${text}" has more than one bar`, 'value')
  const [first, second] = parts as [string, string | undefined]
  if (second === undefined) return (value) => value.code === first
  if (first === '') return (value) => value.code === second && value.system === undefined
  if (second === '') return (value) => value.system === first
  return (value) => value.code === second && value.system === first
}

const TYPED = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(\/_history\/.+)?$/

/** `Type/id` (without version) that a reference value means, or undefined for a bare id or a foreign URL. */
export function referenceTarget(
  parameter: SearchParameter,
  modifier: string | undefined,
  text: string,
  context: MatchContext,
): string | undefined {
  const own = text.startsWith(`${context.base}/`) ? text.slice(context.base.length + 1) : text
  const match = TYPED.exec(own)
  if (match !== null) return `${match[1]}/${match[2]}`
  const type = modifier !== undefined && modifier !== 'identifier' ? modifier : parameter.target
  return type === undefined || own.includes('/') || own.includes(':') ? undefined : `${type}/${own}`
}

function compileReference(
  parameter: SearchParameter,
  modifier: string | undefined,
  text: string,
  context: MatchContext,
): (value: ReferenceValue) => boolean {
  if (modifier === 'identifier') {
    const token = compileToken(undefined, text)
    return (value) => value.identifier !== undefined && token(value.identifier)
  }
  const wanted = unescapeValue(text)
  const target = referenceTarget(parameter, modifier, wanted, context)
  if (target !== undefined) {
    if (modifier !== undefined && !target.startsWith(`${modifier}/`)) return () => false
    return (value) => value.key === target
  }
  if (wanted.includes(':') || wanted.includes('/')) {
    const versioned = `${wanted}|`
    return (value) => value.reference === wanted || (value.reference?.startsWith(versioned) ?? false)
  }
  const end = `/${wanted}`
  return (value) => value.key?.endsWith(end) ?? false
}

function compileString(modifier: string | undefined, text: string): (value: StringValue) => boolean {
  if (modifier === 'exact') return (value) => value.raw === text
  const wanted = fold(text)
  if (modifier === 'contains') return (value) => value.folded.includes(wanted)
  return (value) => value.folded.startsWith(wanted)
}

function compileUri(modifier: string | undefined, text: string): (value: string) => boolean {
  if (modifier === 'below') return (value) => value === text || value.startsWith(text.endsWith('/') ? text : `${text}/`)
  if (modifier === 'above')
    return (value) => value === text || text.startsWith(value.endsWith('/') ? value : `${value}/`)
  return (value) => value === text
}

/** The parts of a composite must hold on the same element: `code$gt5` is one component, not two. */
export function compileComposite(
  parameter: SearchParameter,
  text: string,
  context: MatchContext,
): (element: unknown) => boolean {
  const values = splitUnescaped(text, '$')
  const parts = parameter.parts ?? []
  if (values.length !== parts.length) throw badRequest(`${parameter.name} takes ${parts.length} values divided by $`)
  const tests = parts.map((part, i) => ({ part, test: compileValue(part, undefined, values[i]!, context) }))
  return (element) => tests.every(({ part, test }) => readValues(element, part).some(test))
}
