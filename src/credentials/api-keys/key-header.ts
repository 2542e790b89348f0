// The only reader of the header that carries keys (contract §3 `apiKeys.header`), both kinds in one header. A request brings one
// credential: a key beside an Authorization header, two keys, or one in the URL are refused, whichever of them would be good.
// INVARIANT: what comes out has the exact shape of a secret.

import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import type { RequestTarget } from '../../domain/http/request-target.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { hasTokenInQuery } from '../access-token.ts'
import { kindOfSecret } from './secret.ts'

/** Undefined when the request brings no key. `header` is in lower case. */
export function readKeyHeader(
  headers: Pick<RequestHeaders, 'get'>,
  target: Pick<RequestTarget, 'parameters'>,
  header: string,
): string | undefined | Refusal {
  if (hasKeyInQuery(target)) {
    return refuse('credential-ambiguous', `The URL holds a key. Send it in the ${header} header only, and replace it.`)
  }
  const value = headers.get(header)
  if (value === undefined || value === '') return undefined
  if (headers.get('authorization') || hasTokenInQuery(target)) {
    return refuse('credential-ambiguous', `Send either an access token or a key (${header}), not both.`)
  }
  if (kindOfSecret(value) !== undefined) return value
  if (/[,\s]/.test(value)) {
    return refuse('credential-ambiguous', `The header ${header} holds more than one word. Send exactly one key.`)
  }
  if (value.includes('.')) {
    return refuse(
      'token-invalid',
      `The header ${header} takes keys. Send an access token as "Authorization: Bearer …".`,
    )
  }
  return refuse('token-invalid', 'This is no key: one has the prefix sgk_ or sgs_ and 43 characters after it.')
}

/** Told by its shape, under whatever name it stands: URLs end in logs, and upstreams would see it. */
export function hasKeyInQuery({ parameters }: Pick<RequestTarget, 'parameters'>): boolean {
  for (const { value } of parameters) {
    if (value.length === 47 && kindOfSecret(value) !== undefined) return true
  }
  return false
}
