// Media types that decide whether a body can be read here.

import { type Refusal, refuse } from '../refusal.ts'
import type { RequestHeaders } from './request-headers.ts'

/** Lower case, without parameters; empty when the field is missing. */
export function mediaType(value: string | undefined): string {
  if (value === undefined) return ''
  const end = value.indexOf(';')
  return (end < 0 ? value : value.slice(0, end)).trim().toLowerCase()
}

export function isJsonType(type: string): boolean {
  return type === 'application/json' || /^application\/[a-z0-9.-]+\+json$/.test(type)
}

/** JSON in UTF-8, the only encoding that RFC 8259 §8.1 allows; a body without a type is taken for JSON and has to parse as it. */
export function refuseUnlessJson(headers: RequestHeaders): Refusal | undefined {
  const value = headers.get('content-type')
  const type = mediaType(value)
  if ((type === '' || isJsonType(type)) && isUtf8(value)) return undefined
  return refuse(
    'body-invalid',
    'Send the body as application/fhir+json in UTF-8: other formats cannot be checked here.',
  )
}

export function refuseUnlessForm(headers: RequestHeaders): Refusal | undefined {
  const value = headers.get('content-type')
  if (headers.bodyLength === 0 && value === undefined) return undefined
  if (mediaType(value) === 'application/x-www-form-urlencoded' && isUtf8(value)) return undefined
  return refuse('body-invalid', 'Send the search parameters as application/x-www-form-urlencoded.')
}

// RFC 9110 §8.3.1: type/subtype, then parameters whose values are tokens or quoted strings.
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const WELL_FORMED = new RegExp(`^\\s*${TOKEN}/${TOKEN}(?:\\s*;\\s*${TOKEN}=(?:${TOKEN}|"[^"\\\\]*"))*\\s*;?\\s*$`)
const PARAMETER = new RegExp(`;\\s*(${TOKEN})=(${TOKEN}|"[^"\\\\]*")`, 'g')

/** Whether a body is said to be UTF-8 or nothing: a server that is told another charset would read other characters than those judged. */
export function isUtf8(value: string | undefined): boolean {
  if (value === undefined || !value.includes(';')) return true
  if (!WELL_FORMED.test(value)) return false
  const charsets = [...value.matchAll(PARAMETER)].filter(([, name]) => /^charset\*?/i.test(name!))
  return (
    charsets.length === 0 ||
    (charsets.length === 1 && /^"?utf-8"?$/i.test(charsets[0]![2]!) && /^charset$/i.test(charsets[0]![1]!))
  )
}
