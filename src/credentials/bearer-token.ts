// The only reader of `Authorization` (RFC 6750 §2.1): exactly one bearer token, in one header field, never in the URL.
// INVARIANT: what comes out is one token68 text of bounded length; anything that two readers could read differently is refused.

import type { RequestHeaders } from '../domain/http/request-headers.ts'
import type { RequestTarget } from '../domain/http/request-target.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'

const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/
const SCHEME = /^([A-Za-z0-9!#$%&'*+\-.^_`|~]+)(?: +(.*))?$/
/** A second credential behind a comma, as a proxy that joins two fields would write it. */
const ANOTHER_CREDENTIAL = /,[ \t]*(?:bearer|dpop|basic|negotiate)(?:[ \t]|$)/i

export function readBearerToken(
  headers: Pick<RequestHeaders, 'get'>,
  target: Pick<RequestTarget, 'parameters'>,
  maximumLength: number,
): string | Refusal {
  if (hasTokenInQuery(target)) {
    return refuse('credential-ambiguous', 'The URL holds an access token. Send it in the Authorization header only.')
  }
  const value = headers.get('authorization')
  if (value === undefined || value === '') return missing()
  const token = value.startsWith('Bearer ') && value[7] !== ' ' ? value.slice(7) : tokenOf(value)
  if (typeof token !== 'string') return token
  if (token.length > maximumLength) {
    return refuse(
      'token-invalid',
      `The access token is longer than ${maximumLength} bytes. Ask for one with fewer scopes.`,
    )
  }
  if (TOKEN68.test(token)) return token
  return token.includes(',')
    ? ambiguous()
    : refuse('token-invalid', 'The access token holds a character that no token has.')
}

function tokenOf(value: string): string | Refusal {
  if (ANOTHER_CREDENTIAL.test(value)) return ambiguous()
  const [, scheme, token] = SCHEME.exec(value) ?? []
  switch (scheme?.toLowerCase()) {
    case 'bearer':
      return token ?? refuse('token-invalid', 'The Authorization header names Bearer but holds no token.')
    case 'dpop':
      return refuse('token-invalid', 'DPoP-bound tokens are not supported yet. Send a plain bearer token.')
    default:
      return missing()
  }
}

/** RFC 6750 §2.3 allows it and RFC 9700 §4.3.2 forbids it: URLs end in logs. The name is compared as loosely as a server might. */
export function hasTokenInQuery(target: Pick<RequestTarget, 'parameters'>): boolean {
  for (const { name } of target.parameters) {
    if (name.length === 12 && name.toLowerCase() === 'access_token') return true
  }
  return false
}

// Another scheme is no bearer credential at all, so the challenge carries no error code (RFC 6750 §3.1).
const missing = (): Refusal => refuse('token-missing', 'Send an access token: "Authorization: Bearer …".')

const ambiguous = (): Refusal =>
  refuse('credential-ambiguous', 'The Authorization header holds more than one credential. Send exactly one.')
