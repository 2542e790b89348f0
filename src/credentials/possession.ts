// A bound token counts only for whoever holds what it is bound to: checked on every request, whether its token was remembered or not.
// INVARIANT: a bound token is never taken as a bearer token, a plain one never by the scheme or with the proof of a bound one, and a
// proof is taken once.

import type { Grant } from '../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { SharedState } from '../state/shared-state.ts'
import type { AccessToken } from './access-token.ts'
import { certificateThumbprint } from './client-certificate.ts'
import type { CredentialRequest } from './credential-request.ts'
import { readProof, wrongProof } from './dpop-proof.ts'
import { invalid } from './jwt.ts'
import { ProofKeys } from './proof-keys.ts'
import type { SignatureWork } from './signature-work.ts'
import { digestOf } from './verified-tokens.ts'

export interface PossessionOptions {
  /** What clients call this gateway; proofs name it. */
  readonly publicUrl: string
  /** Remembers which proofs were used. */
  readonly replays: Pick<SharedState, 'once'>
  readonly work: SignatureWork
  readonly now: () => number
}

export interface Presented {
  readonly token: AccessToken
  /** SHA-256 of the token, as base64url. */
  readonly digest: string
  readonly request: CredentialRequest
  /** The route passes the token on to its upstream. */
  readonly passesOn: boolean
}

/** Undefined when the token counts as it was presented. */
export type PossessionCheck = (grant: Grant, presented: Presented) => Refusal | undefined | Promise<Refusal | undefined>

export function createPossessionCheck({ publicUrl, replays, work, now }: PossessionOptions): PossessionCheck {
  const { origin, pathname } = new URL(publicUrl)
  const keys = new ProofKeys()
  // Clients sign the URL that they call; a server in front may have cut the public prefix off.
  const prefix = pathname === '/' ? '' : pathname.replace(/\/$/, '')

  const checkProof = async (
    key: string,
    grant: Grant,
    { digest, request }: Presented,
  ): Promise<Refusal | undefined> => {
    const text = request.headers.get('dpop')
    if (text === undefined || text === '') return wrongProof('Send a DPoP proof with this access token.')
    const { method, target } = request
    const proof = await readProof(
      text,
      { key, method, origin, path: prefix + target.path, tokenHash: digest, now: now() },
      { work, lane: `proofs ${grant.issuer}`, keys },
    )
    if (isRefusal(proof)) return proof
    const first = await mark(digestOf(`${key} ${proof.id}`), proof.good, ownerOf(grant, key))
    if (isRefusal(first)) return first
    return first ? undefined : wrongProof('This DPoP proof was used before. Make a new one for every request.')
  }

  const mark = async (proof: string, milliseconds: number, owner: string): Promise<boolean | Refusal> => {
    try {
      return await replays.once(`dpop ${proof}`, milliseconds, owner)
    } catch {
      return refuse('overloaded', 'Whether the DPoP proof was used before cannot be told at present. Try again.', {
        retryAfter: 1,
      })
    }
  }

  return (grant, presented) => {
    const { token, request, passesOn } = presented
    const { proofKey, certificate } = grant.confirmation ?? {}
    if (proofKey === undefined && (token.scheme === 'dpop' || request.headers.get('dpop'))) {
      return invalid('The access token is not bound to a key. Send it as "Authorization: Bearer …", without a proof.')
    }
    if (grant.confirmation === undefined) return undefined
    // The server behind could not check the binding: it would have to believe the token as if it were plain.
    if (passesOn)
      return invalid('This route passes access tokens on, so it takes none that are bound. Get a plain one.')
    if (certificate !== undefined && certificate !== certificateThumbprint(request.socket, now())) {
      return invalid('The access token is bound to a client certificate. Connect by TLS with that certificate.')
    }
    if (proofKey === undefined) return undefined
    if (token.scheme !== 'dpop') {
      return invalid('The access token is bound to a key. Send it as "Authorization: DPoP …" with a proof.')
    }
    return checkProof(proofKey, grant, presented)
  }
}

/** A client may have as many keys as it likes. */
function ownerOf({ issuerUrl, client, subject }: Grant, key: string): string {
  return digestOf(JSON.stringify([issuerUrl, client ?? null, client === undefined ? (subject ?? key) : null]))
}
