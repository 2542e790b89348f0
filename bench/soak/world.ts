// Everything around the gateway in a soak: a FHIR server with the demo's data, a server that breaks connections, and an issuer that
// changes its keys while tokens of the older one are still good.

import { randomUUID } from 'node:crypto'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { readDemoData } from '../../src/demo/demo-data.ts'
import { startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { createFhirStore } from '../../src/demo/fhir/fhir-store.ts'
import { closeServer, listenOn } from '../../src/demo/listen.ts'
import { answerWebSocket } from './web-sockets.ts'

export const AUDIENCE = 'urn:soak'

export interface World {
  readonly fhirUrl: string
  readonly flakyUrl: string
  readonly issuerUrl: string
  /** A token of the newest key, the same for some seconds. */
  token(scope: string, patient?: string): Promise<string>
  rotate(): Promise<void>
  close(): Promise<void>
}

/** Keys that are published: tokens of the oldest have ended before it goes. */
const KEYS_KEPT = 3
const TOKEN_SECONDS = 60
const SAME_TOKEN_MS = 5_000

export async function startWorld(): Promise<World> {
  const fhir = await startFhirServer({ basePath: '/fhir', store: createFhirStore({ packed: readDemoData() }) })
  const flaky = createServer((request, response) => misbehave(Number(/n=(\d+)/.exec(request.url!)?.[1]), response))
  flaky.on('upgrade', answerWebSocket)
  const flakyUrl = `http://127.0.0.1:${await listenOn(flaky, 0)}`
  const keys: { readonly jwk: JWK; readonly privateKey: CryptoKey }[] = []
  const jwks: Server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }))
  })
  const issuerUrl = `http://127.0.0.1:${await listenOn(jwks, 0)}`
  const tokens = new Map<string, { readonly token: Promise<string>; readonly until: number }>()

  async function rotate(): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: 'ES256', use: 'sig' }
    keys.push({ jwk, privateKey })
    if (keys.length > KEYS_KEPT) keys.shift()
    tokens.clear()
  }

  function mint(scope: string, patient: string | undefined): Promise<string> {
    const { jwk, privateKey } = keys.at(-1)!
    return new SignJWT({ scope, client_id: 'soak', ...(patient && { patient }) })
      .setProtectedHeader({ alg: 'ES256', kid: jwk.kid!, typ: 'at+jwt' })
      .setIssuer(issuerUrl)
      .setAudience(AUDIENCE)
      .setSubject('soak')
      .setIssuedAt()
      .setJti(randomUUID())
      .setExpirationTime(`${TOKEN_SECONDS}s`)
      .sign(privateKey)
  }

  await rotate()
  return {
    fhirUrl: fhir.url,
    flakyUrl,
    issuerUrl,
    rotate,
    token(scope, patient) {
      const key = `${scope} ${patient}`
      const known = tokens.get(key)
      if (known !== undefined && Date.now() < known.until) return known.token
      const minted = { token: mint(scope, patient), until: Date.now() + SAME_TOKEN_MS }
      tokens.set(key, minted)
      return minted.token
    },
    close: async () => {
      await Promise.all([fhir.close(), closeServer(flaky), closeServer(jwks)])
    },
  }
}

/** Of ten answers seven are good; the others break before the head, within the head's length, and in the middle of the body. */
function misbehave(n: number, response: ServerResponse): void {
  const body = 'x'.repeat(64 * 1024)
  switch (n % 10) {
    case 0:
      response.socket?.resetAndDestroy()
      break
    case 1:
      response.writeHead(200, { 'content-length': body.length }).write(body.slice(0, 1_000))
      setTimeout(() => response.destroy(), 5)
      break
    case 2:
      response.write(body)
      setTimeout(() => response.socket?.resetAndDestroy(), 5)
      break
    default:
      response.end(body)
  }
}
