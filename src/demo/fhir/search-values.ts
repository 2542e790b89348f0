// What a resource says under a search parameter, in a form that compares quickly. Read from the elements once and kept
// with the version.

import { type DateRange, dateRange, timingRange } from './date-range.ts'
import { elementsAt } from './element-path.ts'
import { referenceKey } from './reference-index.ts'
import { asArray, isObject } from './resource.ts'
import type { SearchParameter } from './search-parameters.ts'
import type { StoredVersion } from './stored-version.ts'

export interface TokenValue {
  readonly system: string | undefined
  readonly code: string | undefined
  /** Display, text, or the text of an identifier's type; for `:text`. */
  readonly text: string | undefined
  /** Coding of an identifier's type; for `:of-type`. */
  readonly types: readonly TokenValue[]
}

export interface ReferenceValue {
  /** The reference, or the canonical address, as written. */
  readonly reference: string | undefined
  /** `Patient/1` when it is relative; absolute ones are compared as written. */
  readonly key: string | undefined
  readonly identifier: TokenValue | undefined
}

export interface QuantityValue {
  readonly value: number
  readonly system: string | undefined
  readonly code: string | undefined
  readonly unit: string | undefined
}

export interface StringValue {
  readonly raw: string
  readonly folded: string
}

export type SearchValue = TokenValue | ReferenceValue | QuantityValue | StringValue | DateRange | number | string

/** The values of `parameter` on the current version, read once. */
export function valuesOf(version: StoredVersion, parameter: SearchParameter): readonly SearchValue[] {
  const known = version.values.get(parameter) as readonly SearchValue[] | undefined
  if (known !== undefined) return known
  const values = readValues(version.resource, parameter)
  version.values.set(parameter, values)
  return values
}

export function readValues(root: unknown, parameter: SearchParameter): SearchValue[] {
  const values: SearchValue[] = []
  for (const path of parameter.paths) {
    for (const element of elementsAt(root, path)) readElement(element, parameter, values)
  }
  return values
}

function readElement(element: unknown, parameter: SearchParameter, into: SearchValue[]): void {
  switch (parameter.kind) {
    case 'token':
      readTokens(element, into as TokenValue[])
      return
    case 'reference': {
      const value = readReference(element)
      if (value !== undefined && (parameter.target === undefined || isOfType(value, parameter.target))) into.push(value)
      return
    }
    case 'date': {
      const range = typeof element === 'string' ? dateRange(element) : timingRange(element)
      if (range !== undefined) into.push(range)
      return
    }
    case 'string':
      readStrings(element, into as StringValue[])
      return
    case 'quantity': {
      const value = readQuantity(element)
      if (value !== undefined) into.push(value)
      return
    }
    case 'number':
      if (typeof element === 'number') into.push(element)
      return
    case 'uri':
      if (typeof element === 'string') into.push(element)
  }
}

function readTokens(element: unknown, into: TokenValue[]): void {
  if (typeof element === 'string' || typeof element === 'boolean') {
    into.push({ system: undefined, code: String(element), text: undefined, types: [] })
    return
  }
  if (!isObject(element)) return
  if (Array.isArray(element['coding']) || typeof element['text'] === 'string') {
    const before = into.length
    for (const coding of asArray(element['coding'])) readTokens(coding, into)
    const text = stringIn(element, 'text')
    if (text !== undefined) into.push({ system: undefined, code: undefined, text, types: [] })
    else if (into.length === before) return
    return
  }
  const system = stringIn(element, 'system')
  const code = stringIn(element, 'code')
  if (code !== undefined) into.push({ system, code, text: stringIn(element, 'display'), types: [] })
  else if (stringIn(element, 'value') !== undefined) into.push(readIdentifier(element))
}

/** An Identifier, or a ContactPoint, whose `system` is a kind of device and does not count as a token's system. */
function readIdentifier(element: Record<string, unknown>): TokenValue {
  const types: TokenValue[] = []
  if (element['type'] !== undefined) readTokens(element['type'], types)
  return {
    system: stringIn(element, 'system'),
    code: stringIn(element, 'value'),
    text: types.find((type) => type.text !== undefined)?.text,
    types,
  }
}

function readReference(element: unknown): ReferenceValue | undefined {
  if (typeof element === 'string') return { reference: element, key: undefined, identifier: undefined }
  if (!isObject(element)) return undefined
  const reference = stringIn(element, 'reference')
  const identifier = isObject(element['identifier']) ? readIdentifier(element['identifier']) : undefined
  if (reference === undefined && identifier === undefined) return undefined
  const key = reference === undefined || reference.includes(':') ? undefined : referenceKey(reference)
  return { reference, key, identifier }
}

function isOfType(value: ReferenceValue, type: string): boolean {
  if (value.reference === undefined) return true
  return (value.key ?? referenceKey(value.reference))?.startsWith(`${type}/`) ?? false
}

const STRING_PARTS = [
  'text',
  'family',
  'given',
  'prefix',
  'suffix',
  'line',
  'city',
  'district',
  'state',
  'postalCode',
  'country',
]

function readStrings(element: unknown, into: StringValue[]): void {
  if (typeof element === 'string') into.push({ raw: element, folded: fold(element) })
  else if (isObject(element)) {
    for (const part of STRING_PARTS) for (const item of asArray(element[part])) readStrings(item, into)
  }
}

function readQuantity(element: unknown): QuantityValue | undefined {
  if (!isObject(element) || typeof element['value'] !== 'number') return undefined
  const [system, code, unit] = ['system', 'code', 'unit'].map((key) => stringIn(element, key))
  return { value: element['value'], system, code, unit }
}

function stringIn(element: Record<string, unknown>, key: string): string | undefined {
  const value = element[key]
  return typeof value === 'string' ? value : undefined
}

/** Case and accents do not count in a string search (R4 search §3.1.1.4.8). */
export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
