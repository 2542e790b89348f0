// Authenticates one request (contract §1 step 3): exactly one credential in, a Grant or a Refusal out. A key, and a token that was
// verified before, are answered at once, without a promise. What a route accepts is asked on every request: the cache holds facts only.
// One authenticator serves one generation of the route map, so a reload starts with an empty cache and the same keys.

import type { Issuer, Route } from '../config/settings.ts'
import { type Grant, grantOf } from '../domain/grant.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import type { RequestTarget } from '../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { readKeyHeader } from './api-keys/key-header.ts'
import { kindOfSecret } from './api-keys/secret.ts'
import { readBearerToken } from './bearer-token.ts'
import { createKeySets, type KeySets, type KeySetsOptions } from './jwks.ts'
import { invalid } from './jwt.ts'
import { createJwtVerifier } from './jwt-verifier.ts'
import { type Digest, digestOf, VerifiedTokens } from './verified-tokens.ts'

/** Verifications at the same time; beyond that a flood of forged tokens would queue before honest ones. */
const MAXIMUM_VERIFICATIONS = 1_024

export interface AuthenticatorOptions {
  readonly issuers: readonly Issuer[]
  readonly limits: { readonly token: number }
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Those of the process, so that keys and cooldowns outlive a reload; without them the authenticator has its own. */
  readonly keySets?: KeySets
  readonly onJwksRefresh?: KeySetsOptions['onRefresh']
  readonly onCacheLookup?: (result: 'hit' | 'miss') => void
  /** API keys and service keys; without them every key is unknown. */
  readonly apiKeys?: KeyLookup
}

export interface KeyLookup {
  /** Name of the header that carries them. */
  readonly header: string
  /** `now` in milliseconds since 1970. */
  find(secret: string, now: number): Grant | Refusal
}

/** What a route says about the tokens that count on it. */
export type RouteRules = Pick<Route, 'issuers' | 'audience'>

export interface Authenticator {
  authenticate(
    headers: Pick<RequestHeaders, 'get'>,
    target: Pick<RequestTarget, 'parameters'>,
    route: RouteRules,
  ): Grant | Refusal | Promise<Grant | Refusal>
  /** Fetches the keys that are not there yet, so that the first request need not wait. Never rejects. */
  warm(): Promise<void>
  close(): Promise<void>
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { issuers, limits, now, onCacheLookup, apiKeys } = options
  const keyHeader = (apiKeys?.header ?? 'X-API-Key').toLowerCase()
  const keySets =
    options.keySets ?? createKeySets({ now, ...(options.onJwksRefresh && { onRefresh: options.onJwksRefresh }) })
  const verify = createJwtVerifier({ issuers, keySets, now })
  const verified = new VerifiedTokens()
  const missing = refuse(
    'token-missing',
    `Send an access token ("Authorization: Bearer …") or a key (${apiKeys?.header}: …).`,
  )
  const running = new Map<Digest, Promise<Grant | Refusal>>()

  const verifyOnce = async (token: string, digest: Digest): Promise<Grant | Refusal> => {
    const result = await verify(token)
    if (isRefusal(result)) return result
    const grant = grantOf(result.facts, digestOf)
    verified.set(digest, { grant, keys: result.keys, epoch: result.epoch }, token.length)
    return grant
  }

  // Failures are not remembered: a forger never sends the same token twice, and an issuer that was down must count again at once.
  const verifyShared = (token: string, digest: Digest): Promise<Grant | Refusal> => {
    const pending = running.get(digest)
    if (pending !== undefined) return pending
    const started = verifyOnce(token, digest).finally(() => running.delete(digest))
    running.set(digest, started)
    return started
  }

  return {
    authenticate(headers, target, route) {
      const secret = readKeyHeader(headers, target, keyHeader)
      if (isRefusal(secret)) return secret
      // What a route says of issuers and audiences is about tokens; a key counts wherever its scopes do.
      if (secret !== undefined) return apiKeys?.find(secret, now()) ?? invalid('This API takes no keys.')
      const token = readBearerToken(headers, target, limits.token)
      if (isRefusal(token)) return token.code === 'token-missing' && apiKeys !== undefined ? missing : token
      const digest = digestOf(token)
      const known = verified.get(digest, now())
      onCacheLookup?.(known === undefined ? 'miss' : 'hit')
      if (known !== undefined) return admit(known.grant, route)
      if (kindOfSecret(token) !== undefined) return invalid(`This is a key. Send it in the ${keyHeader} header.`)
      if (running.size >= MAXIMUM_VERIFICATIONS && !running.has(digest)) {
        return refuse('overloaded', 'Too many new access tokens are being verified. Try again in a moment.', {
          retryAfter: 1,
        })
      }
      return verifyShared(token, digest).then((result) => (isRefusal(result) ? result : admit(result, route)))
    },
    async warm() {
      await Promise.all(issuers.map((issuer) => keySets.of(issuer)).map((set) => set.isUsable() || set.refresh()))
    },
    close: async () => (options.keySets === undefined ? keySets.close() : undefined),
  }
}

/** Whether a token's issuer and audience count on a route. */
export function admit(grant: Grant, route: RouteRules): Grant | Refusal {
  if (!route.issuers.includes(grant.issuer!)) {
    return invalid('Tokens of this issuer do not count on this route.')
  }
  for (const audience of grant.audience) {
    if (route.audience.includes(audience)) return grant
  }
  return invalid('The access token was issued for another audience. Ask the issuer for one for this API.')
}
