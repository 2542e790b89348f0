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

function isUtf8(value: string | undefined): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(value ?? '')?.[1]
  return charset === undefined || charset.toLowerCase() === 'utf-8'
}
