// The only reader of `Authorization` for tokens (RFC 6750 §2.1, RFC 9449 §7.1): exactly one access token, in one header field, never in
// the URL. INVARIANT: what comes out is one token68 text of bounded length; anything that two readers could read differently is refused.

import type { RequestHeaders } from '../domain/http/request-headers.ts'
import type { RequestTarget } from '../domain/http/request-target.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'

export interface AccessToken {
  /** How it was sent. Whether that fits the token is for `possession.ts` to say. */
  readonly scheme: 'bearer' | 'dpop'
  readonly text: string
}

const TOKEN68 = /^[A-Za-z0-9\-._~+/]+=*$/
const SCHEME = /^([A-Za-z0-9!#$%&'*+\-.^_`|~]+)(?: +(.*))?$/
/** A second credential behind a comma, as a proxy that joins two fields would write it. */
const ANOTHER_CREDENTIAL = /,[ \t]*(?:bearer|dpop|basic|negotiate)(?:[ \t]|$)/i

export function readAccessToken(
  headers: Pick<RequestHeaders, 'get'>,
  target: Pick<RequestTarget, 'parameters'>,
  maximumLength: number,
): AccessToken | Refusal {
  if (hasTokenInQuery(target)) {
    return refuse('credential-ambiguous', 'The URL holds an access token. Send it in the Authorization header only.')
  }
  const value = headers.get('authorization')
  if (value === undefined || value === '') return missing()
  const token =
    value.startsWith('Bearer ') && value[7] !== ' '
      ? ({ scheme: 'bearer', text: value.slice(7) } as const)
      : tokenOf(value)
  if (!('scheme' in token)) return token
  const { text } = token
  if (text.length > maximumLength) {
    return refuse(
      'token-invalid',
      `The access token is longer than ${maximumLength} bytes. Ask for one with fewer scopes.`,
    )
  }
  if (TOKEN68.test(text)) return token
  return text.includes(',')
    ? ambiguous()
    : refuse('token-invalid', 'The access token holds a character that no token has.')
}

function tokenOf(value: string): AccessToken | Refusal {
  if (ANOTHER_CREDENTIAL.test(value)) return ambiguous()
  const [, name, text] = SCHEME.exec(value) ?? []
  const scheme = name?.toLowerCase()
  if (scheme !== 'bearer' && scheme !== 'dpop') return missing()
  return text === undefined
    ? refuse('token-invalid', 'The Authorization header names a scheme but holds no token.')
    : { scheme, text }
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
