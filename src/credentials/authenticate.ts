// Authenticates one request (contract §1 step 3): exactly one credential in, a Grant or a Refusal out. A key, and a token that was
// verified before, are answered at once, without a promise. What a route accepts, what was revoked and what a token is bound to is asked
// on every request: caches hold facts only. One authenticator serves one generation of the route map, so a reload starts with empty
// caches and the same keys, revocations and used proofs.

import { Agent } from 'undici'
import type { Issuer } from '../config/settings.ts'
import type { Grant } from '../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { SharedState } from '../state/shared-state.ts'
import { type AccessGrantsOptions, type CacheLookup, createAccessGrants, type RouteRules } from './access-grants.ts'
import { type AccessToken, readAccessToken } from './access-token.ts'
import { readKeyHeader } from './api-keys/key-header.ts'
import { kindOfSecret } from './api-keys/secret.ts'
import type { CredentialRequest } from './credential-request.ts'
import { createKeySets, type KeySets, type KeySetsOptions } from './jwks.ts'
import { invalid } from './jwt.ts'
import { createPossessionCheck } from './possession.ts'
import type { Revocations } from './revocations.ts'
import { SignatureWork } from './signature-work.ts'
import { digestOf } from './verified-tokens.ts'

/** To each introspection endpoint. */
const CONNECTIONS = 32
const NOTHING_REVOKED: Pick<Revocations, 'find'> = { find: () => undefined }
const NO_PROOFS: Pick<SharedState, 'once'> = {
  once: () => Promise.reject(new Error('nobody remembers which proofs were used')),
}

export interface AuthenticatorOptions {
  readonly issuers: readonly Issuer[]
  readonly limits: { readonly token: number }
  /** What clients call this gateway; proofs of possession name it. */
  readonly publicUrl: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Those of the process, so that keys and cooldowns outlive a reload; without them the authenticator has its own. */
  readonly keySets?: KeySets
  readonly onJwksRefresh?: KeySetsOptions['onRefresh']
  readonly onCacheLookup?: CacheLookup
  readonly onIntrospectionFailure?: AccessGrantsOptions['onIntrospectionFailure']
  /** API keys and service keys; without them every key is unknown. */
  readonly apiKeys?: KeyLookup
  readonly revocations?: Pick<Revocations, 'find'>
  /** Remembers used proofs; without it, tokens that are bound to a key are refused. */
  readonly replays?: Pick<SharedState, 'once'>
  /** Of the process, so that two generations do not work at once. */
  readonly work?: SignatureWork
}

export interface KeyLookup {
  /** Name of the header that carries them. */
  readonly header: string
  /** `now` in milliseconds since 1970. */
  find(secret: string, now: number): Grant | Refusal
}

type Found = Grant | Refusal | Promise<Grant | Refusal>

export interface Authenticator {
  authenticate(request: CredentialRequest, route: RouteRules): Found
  /** Who it would be, if a token that is bound came with its proof: for `explain`, which has no connection to prove anything on. */
  identify(request: CredentialRequest, route: RouteRules): Found
  /** Fetches the keys that are not there yet, so that the first request need not wait. Never rejects. */
  warm(): Promise<void>
  close(): Promise<void>
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { issuers, limits, now, apiKeys, publicUrl, onCacheLookup, onIntrospectionFailure } = options
  const { revocations = NOTHING_REVOKED, replays = NO_PROOFS, work = new SignatureWork() } = options
  const keyHeader = (apiKeys?.header ?? 'X-API-Key').toLowerCase()
  const keySets =
    options.keySets ?? createKeySets({ now, ...(options.onJwksRefresh && { onRefresh: options.onJwksRefresh }) })
  const agent = new Agent({
    connections: CONNECTIONS,
    keepAliveTimeout: 4_000,
    // INVARIANT: TLS is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says: who vouches for tokens hangs on it.
    connect: { rejectUnauthorized: true },
  })
  const grantOfToken = createAccessGrants({ issuers, keySets, work, agent, now, onCacheLookup, onIntrospectionFailure })
  const possession = createPossessionCheck({ publicUrl, replays, work, now })
  const missing = refuse(
    'token-missing',
    `Send an access token ("Authorization: Bearer …") or a key (${apiKeys?.header}: …).`,
  )

  /** The grant of a key, or the token that is to be looked into. */
  function read({ headers, target }: CredentialRequest): Grant | AccessToken | Refusal {
    const secret = readKeyHeader(headers, target, keyHeader)
    if (isRefusal(secret)) return secret
    // What a route says of issuers and audiences is about tokens; a key counts wherever its scopes do.
    if (secret !== undefined) return apiKeys?.find(secret, now()) ?? invalid('This API takes no keys.')
    const token = readAccessToken(headers, target, limits.token)
    if (isRefusal(token)) return token.code === 'token-missing' && apiKeys !== undefined ? missing : token
    if (kindOfSecret(token.text) !== undefined) return invalid(`This is a key. Send it in the ${keyHeader} header.`)
    return token
  }

  function find(request: CredentialRequest, route: RouteRules, proven: boolean): Found {
    const presented = read(request)
    if (!('scheme' in presented)) return presented
    const digest = digestOf(presented.text)
    const judge = (grant: Grant | Refusal): Found => {
      const refusal = isRefusal(grant) ? grant : revocations.find(grant)
      if (refusal !== undefined || isRefusal(grant)) return refusal as Refusal
      if (!proven) return grant
      const passesOn = route.authorization === 'passthrough'
      const problem = possession(grant, { token: presented, digest, request, passesOn })
      return problem instanceof Promise ? problem.then((it) => it ?? grant) : (problem ?? grant)
    }
    const grant = grantOfToken(presented.text, digest, route)
    return grant instanceof Promise ? grant.then(judge) : judge(grant)
  }

  return {
    authenticate: (request, route) => find(request, route, true),
    identify: (request, route) => find(request, route, false),
    async warm() {
      const sets = issuers.filter(({ jwks, discovery, jwksFile }) => jwks ?? jwksFile ?? (discovery || undefined))
      await Promise.all(sets.map((issuer) => keySets.of(issuer)).map((set) => set.isUsable() || set.refresh()))
    },
    async close() {
      await Promise.all([agent.destroy(), options.keySets === undefined ? keySets.close() : undefined])
    },
  }
}
