// Prefixed values: dates, numbers and quantities (R4 search §3.1.1.4.5–11). A value stands for the range that its
// precision implies: 5.4 is 5.35 up to 5.45, 2024-03 the whole of March.

import { type DateRange, dateRange } from './date-range.ts'
import { badRequest } from './fhir-error.ts'
import { type Prefix, splitPrefix, splitUnescaped, unescapeValue } from './search-text.ts'
import type { QuantityValue } from './search-values.ts'

export function compileDate(text: string, name: string, now: () => Date): (value: DateRange) => boolean {
  const { prefix, rest } = splitPrefix(text)
  const wanted = dateRange(rest)
  if (wanted === undefined)
    throw badRequest(`${name} takes a date such as 2024-03-01 or ge2024-03, not "${text}"`, 'value')
  const { start, end } = wanted
  switch (prefix) {
    case 'eq':
      return (value) => value.start >= start && value.end <= end
    case 'ne':
      return (value) => !(value.start >= start && value.end <= end)
    case 'gt':
      return (value) => value.end > end
    case 'lt':
      return (value) => value.start < start
    case 'ge':
      return (value) => value.end > end || (value.start >= start && value.end <= end)
    case 'le':
      return (value) => value.start < start || (value.start >= start && value.end <= end)
    case 'sa':
      return (value) => value.start >= end
    case 'eb':
      return (value) => value.end <= start
    case 'ap': {
      const slack = Math.abs(now().getTime() - start) / 10
      return (value) => value.start < end + slack && value.end > start - slack
    }
  }
}

interface NumberRange {
  readonly value: number
  readonly low: number
  readonly high: number
}

const NUMBER = /^[+-]?\d+(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

function numberRange(text: string, name: string): NumberRange {
  const match = NUMBER.exec(text)
  if (match === null) throw badRequest(`${name} takes a number such as 5.4 or gt100, not "${text}"`, 'value')
  const value = Number(text)
  const half = 0.5 * 10 ** (Number(match[2] ?? 0) - (match[1]?.length ?? 0))
  return { value, low: value - half, high: value + half }
}

function compareNumber(prefix: Prefix, { value: wanted, low, high }: NumberRange): (value: number) => boolean {
  switch (prefix) {
    case 'eq':
      return (value) => value >= low && value < high
    case 'ne':
      return (value) => value < low || value >= high
    case 'gt':
    case 'sa':
      return (value) => value > wanted
    case 'lt':
    case 'eb':
      return (value) => value < wanted
    case 'ge':
      return (value) => value >= wanted
    case 'le':
      return (value) => value <= wanted
    case 'ap': {
      const slack = Math.abs(wanted) / 10
      return (value) => Math.abs(value - wanted) <= slack
    }
  }
}

export function compileNumber(text: string, name: string): (value: number) => boolean {
  const { prefix, rest } = splitPrefix(text)
  return compareNumber(prefix, numberRange(rest, name))
}

/** `5.4`, `5.4|http://unitsofmeasure.org|mg`, or `5.4||mg`, where a unit is compared as code or as printed. */
export function compileQuantity(text: string, name: string): (value: QuantityValue) => boolean {
  const [number, system, code] = splitUnescaped(text, '|').map(unescapeValue)
  const { prefix, rest } = splitPrefix(number!)
  const compare = compareNumber(prefix, numberRange(rest, name))
  return (quantity) => {
    if (!compare(quantity.value)) return false
    if (!code) return !system || quantity.system === system
    if (system) return quantity.system === system && quantity.code === code
    return quantity.code === code || quantity.unit === code
  }
}
