// A token issuer for demonstrations and tests: whoever asks gets what they ask for, signed with a key made at start.
// Client credentials only (RFC 6749 §4.4), JWT access tokens (RFC 9068), introspection (RFC 7662), revocation (RFC 7009).

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { exportJWK, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { closeServer, listenOn } from './listen.ts'
import { type GrantedToken, readTokenRequest, TokenError, type TokenRequest } from './token-request.ts'

export interface IssuerOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly host?: string
  /** Every token carries all of them. */
  readonly audience: readonly string[]
  readonly algorithm?: 'ES256' | 'ES384' | 'RS256' | 'RS384'
  readonly now?: () => Date
}

export interface TokenIssuer {
  readonly url: string
  readonly port: number
  readonly jwksUrl: string
  /** Mints without a request, for tests. */
  mint(request: TokenRequest): Promise<string>
  close(): Promise<void>
}

const LARGEST_FORM = 64 * 1024

export async function startIssuer(options: IssuerOptions): Promise<TokenIssuer> {
  const algorithm = options.algorithm ?? 'ES256'
  const now = options.now ?? (() => new Date())
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const kid = randomUUID()
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }] }
  const revoked = new Set<string>()
  let url = ''

  const mint = async (request: TokenRequest): Promise<string> => {
    const issuedAt = Math.floor(now().getTime() / 1000)
    const claims: JWTPayload = {
      iss: url,
      sub: request.fhirUser ?? request.clientId,
      aud: options.audience.length === 1 ? options.audience[0]! : [...options.audience],
      client_id: request.clientId,
      scope: request.scope,
      iat: issuedAt,
      exp: issuedAt + request.expiresIn,
      jti: randomUUID(),
      ...(request.patient === undefined ? {} : { patient: request.patient }),
      ...(request.fhirUser === undefined ? {} : { fhirUser: request.fhirUser }),
    }
    return new SignJWT(claims).setProtectedHeader({ alg: algorithm, typ: 'at+jwt', kid }).sign(privateKey)
  }

  const claimsOf = async (token: string): Promise<JWTPayload | undefined> => {
    try {
      const { payload } = await jwtVerify(token, publicKey, { issuer: url, currentDate: now() })
      return revoked.has(payload.jti ?? '') ? undefined : payload
    } catch {
      return undefined
    }
  }

  const server = createServer((incoming, outgoing) => {
    answer(incoming)
      .then((body) => sendJson(outgoing, 200, body))
      .catch((error: unknown) => {
        if (error instanceof TokenError) sendJson(outgoing, error.status, error.body, error.headers)
        else sendJson(outgoing, 500, { error: 'server_error' })
      })
  })

  async function answer(incoming: IncomingMessage): Promise<object> {
    const path = new URL(incoming.url ?? '/', 'http://issuer').pathname
    if (incoming.method === 'GET' || incoming.method === 'HEAD') {
      if (path === '/jwks') return jwks
      if (path === '/.well-known/openid-configuration' || path === '/.well-known/oauth-authorization-server') {
        return discovery(url, algorithm)
      }
      throw new TokenError(404, 'invalid_request', 'there is /jwks, /.well-known/openid-configuration and POST /token')
    }
    if (incoming.method !== 'POST') throw new TokenError(405, 'invalid_request', 'the endpoints take POST')
    const form = await readForm(incoming)
    if (path === '/token') {
      const request = readTokenRequest(form, incoming.headers.authorization)
      const token: GrantedToken = {
        access_token: await mint(request),
        token_type: 'Bearer',
        expires_in: request.expiresIn,
        scope: request.scope,
        ...(request.patient === undefined ? {} : { patient: request.patient }),
      }
      return token
    }
    if (path === '/introspect') {
      if (incoming.headers.authorization === undefined)
        throw new TokenError(401, 'invalid_client', 'introspection takes client credentials (Basic)')
      const claims = await claimsOf(form.get('token') ?? '')
      return claims === undefined ? { active: false } : { active: true, token_type: 'Bearer', ...claims }
    }
    if (path === '/revoke') {
      const claims = await claimsOf(form.get('token') ?? '')
      if (claims?.jti !== undefined) revoked.add(claims.jti)
      return {}
    }
    throw new TokenError(404, 'invalid_request', 'POST goes to /token, /introspect or /revoke')
  }

  const host = options.host ?? '127.0.0.1'
  const port = await listenOn(server, options.port ?? 0, host)
  url = `http://${host}:${port}`
  return { url, port, jwksUrl: `${url}/jwks`, mint, close: () => closeServer(server) }
}

/** Only what is really there: no authorization endpoint, no ID tokens. */
function discovery(url: string, algorithm: string): object {
  return {
    issuer: url,
    jwks_uri: `${url}/jwks`,
    token_endpoint: `${url}/token`,
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
    introspection_endpoint: `${url}/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    revocation_endpoint: `${url}/revoke`,
    revocation_endpoint_auth_methods_supported: ['none'],
    grant_types_supported: ['client_credentials'],
    response_types_supported: [],
    access_token_signing_alg_values_supported: [algorithm],
  }
}

async function readForm(incoming: IncomingMessage): Promise<URLSearchParams> {
  const type = incoming.headers['content-type'] ?? ''
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw new TokenError(400, 'invalid_request', 'the body is application/x-www-form-urlencoded')
  }
  let text = ''
  for await (const chunk of incoming) {
    text += String(chunk)
    if (text.length > LARGEST_FORM) throw new TokenError(413, 'invalid_request', 'the form is too large')
  }
  return new URLSearchParams(text)
}

function sendJson(outgoing: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body)
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  outgoing.end(text)
}
