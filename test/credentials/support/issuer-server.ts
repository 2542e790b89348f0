// A real token issuer on a socket: publishes a JWK Set and both kinds of metadata, mints tokens, rotates keys, and can be down,
// stalled, or answer nonsense. Counts what it is asked.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export type Mode = 'up' | 'down' | 'stalled' | 'redirect' | 'huge' | 'nonsense' | 'only-rfc8414' | 'other-issuer'

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

  close(): void {
    this.#close()
  }
}

export async function startIssuer(alg = 'ES256'): Promise<IssuerServer> {
  const key = await signingKey(alg, 'k1')
  const server = createServer((request, response) => issuer.answer(request.url!, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const issuer = new IssuerServer(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, key, () => {
    server.close()
    server.closeAllConnections()
  })
  return issuer
}
