// `WWW-Authenticate` (contract §4; RFC 6750 §3, RFC 9728 §5.1). Where no credential came, no error code is given. Everything
// in a quoted string is checked against its character set first: an attribute that would break out is left away.

import { REFUSALS, type Refusal, type RefusalCode } from './refusal.ts'

export interface ChallengeContext {
  readonly realm: string
  /** Absolute URL of the route's protected-resource metadata. */
  readonly resourceMetadata?: string
  /** Algorithms of DPoP proofs (RFC 9449 §7.1), where access tokens count; left out, bound tokens are not spoken of. */
  readonly proofAlgorithms?: readonly string[]
}

/** RFC 6749 §3.3 `scope-token`, one or more with single spaces between. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/
const QUOTABLE = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/
/** Longer lists help no client and may exceed what its HTTP stack takes as one header. */
const MAXIMUM_SCOPE = 2048

const DESCRIPTIONS: Partial<Readonly<Record<RefusalCode, string>>> = {
  'token-invalid': 'The credential is not accepted',
  'token-expired': 'The credential has expired',
  'token-revoked': 'The credential has been revoked',
  'credential-ambiguous': 'Send exactly one credential, in one header',
  'scope-insufficient': 'The granted scopes do not cover the request',
  'credential-kind': 'This kind of credential cannot carry the scope',
  'operation-not-listed': 'The operation is not opened here',
  'launch-context-missing': 'A patient/ scope needs a launch patient',
}

export function challengeOf(refusal: Refusal, context: ChallengeContext): string | undefined {
  // What is refused is not the request but its entries.
  if (refusal.extras.entries !== undefined) return undefined
  const error = REFUSALS[refusal.code].challenge
  if (error === 'none') return undefined
  let value = `Bearer realm="${QUOTABLE.test(context.realm) ? context.realm : 'scopegate'}"`
  if (error !== 'bare') {
    value += attribute('error', error) + attribute('error_description', DESCRIPTIONS[refusal.code])
    if (error === 'insufficient_scope') value += attribute('scope', scopeOf(refusal))
  }
  value += attribute('resource_metadata', context.resourceMetadata)
  return value + proofChallenge(context.proofAlgorithms, refusal, error)
}

/**
 * Beside the one for bearer tokens (RFC 9449 §7.2), where a token was refused: what proofs are taken, and what was wrong with one. Who
 * sent nothing finds the same in the metadata of the resource.
 */
function proofChallenge(algorithms: readonly string[] = [], { extras }: Refusal, error: string): string {
  const offered = algorithms.join(' ')
  if (error !== 'invalid_token' || !QUOTABLE.test(offered)) return ''
  return `, DPoP algs="${offered}"${attribute('error', extras.proof === true ? 'invalid_dpop_proof' : error)}`
}

/** All or nothing: a set with a piece missing would not do what it promises. */
function scopeOf(refusal: Refusal): string | undefined {
  const scope = refusal.extras.scopes?.join(' ')
  return scope !== undefined && scope.length <= MAXIMUM_SCOPE && SCOPE.test(scope) ? scope : undefined
}

function attribute(name: string, value: string | undefined): string {
  return value !== undefined && QUOTABLE.test(value) ? `, ${name}="${value}"` : ''
}
