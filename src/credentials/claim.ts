// Where a claim stands in a token differs by issuer: a member's name, or a JSON Pointer (RFC 6901) when it starts with "/".

import type { JsonObject } from './strict-json.ts'

/** The first of `places` that holds anything; what it holds is not searched further, so a malformed claim is not papered over. */
export function readClaim(claims: JsonObject, places: readonly string[]): unknown {
  for (const place of places) {
    const value = place.startsWith('/') ? followPointer(claims, place) : memberOf(claims, place)
    if (value !== undefined && value !== null) return value
  }
  return undefined
}

export function readStringClaim(claims: JsonObject, places: readonly string[]): string | undefined {
  const value = readClaim(claims, places)
  return typeof value === 'string' && value !== '' ? value : undefined
}

function followPointer(claims: JsonObject, pointer: string): unknown {
  let value: unknown = claims
  for (const token of pointer.slice(1).split('/')) {
    value = memberOf(value, token.replaceAll('~1', '/').replaceAll('~0', '~'))
  }
  return value
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return /^(?:0|[1-9]\d{0,8})$/.test(name) ? value[Number(name)] : undefined
  return Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined
}
