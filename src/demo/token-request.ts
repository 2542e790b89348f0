// The form of a token request (RFC 6749 §4.4.2) with the demo's own fields `patient`, `fhirUser` and `expires_in`, and
// the errors of RFC 6749 §5.2.

export interface TokenRequest {
  /** Verbatim: a scope may hold `?`, `|`, `=` and `&`. */
  readonly scope: string
  readonly clientId: string
  readonly expiresIn: number
  readonly patient?: string
  readonly fhirUser?: string
}

export interface GrantedToken {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly scope: string
  readonly patient?: string
}

type ErrorCode = 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope'

export class TokenError extends Error {
  readonly status: number
  readonly body: { readonly error: ErrorCode; readonly error_description: string }
  readonly headers: Record<string, string>

  constructor(status: number, error: ErrorCode, description: string) {
    super(description)
    this.name = 'TokenError'
    this.status = status
    this.body = { error, error_description: description }
    this.headers = status === 401 ? { 'www-authenticate': 'Basic realm="demo issuer"' } : {}
  }
}

/** RFC 6749 §3.3: tokens of %x21 / %x23-5B / %x5D-7E, one space between two. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/
const LONGEST = 24 * 3600

export function readTokenRequest(form: URLSearchParams, authorization: string | undefined): TokenRequest {
  const grant = single(form, 'grant_type')
  if (grant === undefined) throw new TokenError(400, 'invalid_request', 'grant_type is missing')
  if (grant !== 'client_credentials') {
    throw new TokenError(400, 'unsupported_grant_type', 'this issuer grants client_credentials only')
  }
  const scope = single(form, 'scope')
  if (scope === undefined) throw new TokenError(400, 'invalid_scope', 'scope is missing: say what the token is for')
  if (!SCOPE.test(scope)) {
    throw new TokenError(400, 'invalid_scope', 'scopes are printable ASCII without quotes, divided by one space')
  }
  const patient = single(form, 'patient')
  const fhirUser = single(form, 'fhirUser')
  return {
    scope,
    clientId: single(form, 'client_id') ?? basicUser(authorization) ?? 'demo-app',
    expiresIn: readLifetime(single(form, 'expires_in')),
    ...(patient === undefined ? {} : { patient }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
  }
}

function single(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name)
  if (values.length > 1) throw new TokenError(400, 'invalid_request', `${name} came more than once`)
  return values[0] === '' ? undefined : values[0]
}

function readLifetime(text: string | undefined): number {
  if (text === undefined) return 3600
  const seconds = Number(text)
  if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds > LONGEST) {
    throw new TokenError(400, 'invalid_request', `expires_in takes seconds from 1 to ${LONGEST}`)
  }
  return seconds
}

function basicUser(authorization: string | undefined): string | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  return decodeURIComponent(Buffer.from(encoded, 'base64').toString('utf8').split(':')[0]!) || undefined
}
