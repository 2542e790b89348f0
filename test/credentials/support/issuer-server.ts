// A real token issuer on a socket: publishes a JWK Set and both kinds of metadata, mints tokens, rotates keys, and can be down,
// stalled, or answer nonsense. Counts what it is asked.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export type Mode =
  | 'up'
  | 'down'
  | 'stalled'
  | 'trickle'
  | 'cut'
  | 'redirect'
  | 'huge'
  | 'nonsense'
  | 'wrong-type'
  | 'only-rfc8414'
  | 'other-issuer'

/** One question of RFC 7662, as it came. */
export interface Question {
  readonly form: URLSearchParams
  readonly authorization: string | undefined
}

export interface SigningKey {
  readonly alg: string
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

export async function signingKey(alg: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { alg, kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** Undefined ones are left out, so a test can take any of them away. */
export type Claims = Readonly<Record<string, unknown>>

export interface Mint {
  readonly key?: SigningKey
  readonly header?: Readonly<Record<string, unknown>>
}

export class IssuerServer {
  readonly url: string
  published: JWK[]
  mode: Mode = 'up'
  readonly asked: string[] = []
  /** What the introspection endpoint was asked, and what it says of a token; undefined: not active. */
  readonly questions: Question[] = []
  introspection: Mode = 'up'
  /** Instead of what `say` says, byte for byte. */
  saying: string | undefined
  say: (token: string) => Readonly<Record<string, unknown>> | undefined = () => undefined
  readonly key: SigningKey
  readonly #close: () => void

  constructor(url: string, key: SigningKey, close: () => void) {
    this.url = url
    this.key = key
    this.#close = close
    this.published = [key.jwk]
  }

  get jwksUrl(): string {
    return `${this.url}/jwks`
  }

  mint(claims: Claims, { key = this.key, header = {} }: Mint = {}): Promise<string> {
    const { alg, kid, privateKey } = key
    return new SignJWT(claims as JWTPayload).setProtectedHeader({ alg, kid, typ: 'at+jwt', ...header }).sign(privateKey)
  }

  answer(path: string, response: ServerResponse): void {
    this.asked.push(path)
    if (this.mode === 'stalled') return
    if (this.mode === 'down') return void response.writeHead(500).end()
    if (this.mode === 'redirect') return void response.writeHead(302, { location: `${this.url}/elsewhere` }).end()
    if (this.mode === 'trickle') return void trickle(response)
    if (this.mode === 'cut')
      return void response.writeHead(200, { 'content-length': 9_000 }).write('{"keys":[', () => response.destroy())
    if (this.mode === 'wrong-type') return void response.end('[{"keys":[]}]')
    if (this.mode === 'nonsense') return void response.end('<html>')
    if (path === '/jwks' || path === '/elsewhere') {
      const padding = this.mode === 'huge' ? 'x'.repeat(600 * 1024) : undefined
      return void response.end(JSON.stringify({ keys: this.published, padding }))
    }
    const wellKnown = this.mode === 'only-rfc8414' ? 'oauth-authorization-server' : 'openid-configuration'
    if (path !== `/.well-known/${wellKnown}`) return void response.writeHead(404).end()
    const issuer = this.mode === 'other-issuer' ? `${this.url}/` : this.url
    response.end(JSON.stringify({ issuer, jwks_uri: this.jwksUrl }))
  }

  async introspect(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const form = new URLSearchParams(body)
    this.questions.push({ form, authorization: request.headers.authorization })
    const answer = this.saying ?? JSON.stringify({ active: false, ...this.say(form.get('token') ?? '') })
    const json = { 'content-type': 'application/json' }
    switch (this.introspection) {
      case 'stalled':
        return
      case 'trickle':
        response.writeHead(200, json)
        return trickle(response)
      case 'cut':
        response.writeHead(200, { ...json, 'content-length': answer.length }).write(answer.slice(0, -5))
        return void setTimeout(() => response.destroy(), 5)
      case 'down':
        return void response.writeHead(500, json).end(answer)
      case 'redirect':
        return void response.writeHead(307, { location: `${this.url}/elsewhere` }).end()
      case 'huge':
        return void response.writeHead(200, json).end(answer.replace('{', `{"padding":"${'x'.repeat(100_000)}",`))
      case 'nonsense':
        return void response.writeHead(200, json).end('<html>')
      case 'wrong-type':
        return void response.writeHead(200, { 'content-type': 'application/token-introspection+jwt' }).end(answer)
      default:
        response.writeHead(200, json).end(answer)
    }
  }

  close(): void {
    this.#close()
  }
}

export async function startIssuer(alg = 'ES256'): Promise<IssuerServer> {
  const key = await signingKey(alg, 'k1')
  const server = createServer((request, response) => {
    if (request.url === '/introspect') void issuer.introspect(request, response)
    else issuer.answer(request.url!, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = new IssuerServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, () => {
    server.close()
    server.closeAllConnections()
  })
  return issuer
}

/** One byte now and then, for ever. */
function trickle(response: ServerResponse): void {
  const timer = setInterval(() => response.write(' '), 20)
  response.on('close', () => clearInterval(timer))
}
