// Makes DPoP proofs as a client does, right ones and wrong ones.

import { createHash } from 'node:crypto'
import { calculateJwkThumbprint, type JWTPayload, SignJWT } from 'jose'
import { type SigningKey, signingKey } from './issuer-server.ts'

export interface ProofParts {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** Signs it; the header still shows the client's own key. */
  readonly signedBy?: SigningKey
}

let serial = 0

export class ProofMaker {
  readonly key: SigningKey
  readonly thumbprint: string

  private constructor(key: SigningKey, thumbprint: string) {
    this.key = key
    this.thumbprint = thumbprint
  }

  static async make(alg = 'ES256'): Promise<ProofMaker> {
    const key = await signingKey(alg, 'unused')
    return new ProofMaker(key, await calculateJwkThumbprint(key.jwk))
  }

  get publicKey(): Record<string, unknown> {
    const { kid, alg, use, ...jwk } = this.key.jwk as Record<string, unknown>
    return jwk
  }

  /** `line` is `METHOD url`. */
  prove(line: string, token: string, seconds: number, parts: ProofParts = {}): Promise<string> {
    const [htm, htu] = line.split(' ')
    const ath = createHash('sha256').update(token).digest('base64url')
    const claims = { htm, htu, ath, iat: seconds, jti: `proof-${serial++}`, ...parts.claims }
    const header = { alg: this.key.alg, typ: 'dpop+jwt', jwk: this.publicKey, ...parts.header }
    return new SignJWT(claims as JWTPayload)
      .setProtectedHeader(header as never)
      .sign((parts.signedBy ?? this.key).privateKey)
  }
}
