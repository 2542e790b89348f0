// The grant that `explain` decides with. What is stated of a token goes through the very reading of claims that a verified token
// goes through, so that an issuer's `mayGrant`, `scopeMap` and misprints count here as they do there.

import { hash } from 'node:crypto'
import type { Issuer, Route } from '../../config/settings.ts'
import { admit } from '../../credentials/access-grants.ts'
import { readGrantFacts } from '../../credentials/jwt-claims.ts'
import { type CredentialKind, type Grant, type GrantFacts, grantOf } from '../../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'

export interface StatedCredential {
  readonly credential?: CredentialKind | undefined
  /** Name of an issuer of the route map; default: the first that counts on the route. */
  readonly issuer?: string | undefined
  /** Scopes separated by spaces, as a token would carry them. */
  readonly scope?: string | undefined
  /** Id of the launch patient; several linked ones separated by commas. */
  readonly patient?: string | undefined
  readonly fhirUser?: string | undefined
}

const SUBJECT = 'explain'
const PLAIN_CLAIMS = { scope: ['scope'], patient: ['patient'], fhirUser: ['fhirUser'], client: ['client_id'] }

/** `now` in milliseconds. */
export function statedGrant(
  stated: StatedCredential,
  route: Route,
  issuers: readonly Issuer[],
  now: number,
): Grant | Refusal {
  const { credential = 'bearer', scope = '' } = stated
  const expiresAt = Math.floor(now / 1000) + 1
  if (credential !== 'bearer') {
    const scopes = scope.split(' ').filter((one) => one !== '')
    return sealed({ kind: credential, client: SUBJECT, audience: [], scopes, patients: [], expiresAt })
  }
  const name = stated.issuer ?? route.issuers[0]
  const issuer = issuers.find((one) => one.name === name)
  if (issuer === undefined) return refuse('token-invalid', 'The route map has no such issuer. Name one of its issuers.')
  const claims = {
    sub: SUBJECT,
    aud: issuer.audience,
    exp: expiresAt,
    scope,
    patient: stated.patient?.split(','),
    fhirUser: stated.fhirUser,
  }
  const facts = readGrantFacts(claims, { ...issuer, claims: PLAIN_CLAIMS }, now)
  return isRefusal(facts) ? facts : admit(sealed(facts), route)
}

function sealed(facts: GrantFacts): Grant {
  return grantOf(facts, (text) => hash('sha256', text, 'base64url'))
}
