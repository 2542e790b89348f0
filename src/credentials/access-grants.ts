// From an access token to what it conveys, whoever sent it and wherever to: a JWT by its signature, any other token by asking the issuers
// that the route lists, a JWT of an issuer that says `always` by both. Facts are remembered; what a route accepts is asked every time.
// INVARIANT: a JWT is shown to nobody but the issuer that it names, any other token to no issuer that the route does not list.

import type { Agent } from 'undici'
import type { Issuer, Route } from '../config/settings.ts'
import { type Grant, grantOf } from '../domain/grant.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { joinIntrospectedFacts, readIntrospectedFacts } from './introspected-facts.ts'
import { Introspector, type IntrospectorOptions } from './introspector.ts'
import type { KeySets } from './jwks.ts'
import { invalid, isJwtLike, parseJwt } from './jwt.ts'
import { createJwtVerifier, type JwtVerifier } from './jwt-verifier.ts'
import type { KeySet } from './key-set.ts'
import { overloaded, type SignatureWork } from './signature-work.ts'
import { type Digest, digestOf, type VerifiedToken, VerifiedTokens } from './verified-tokens.ts'

/** New tokens of one issuer that wait at the same time, for keys too; more would only time out. */
const MOST_PENDING = 1_024

export type CacheLookup = (cache: 'token' | 'introspection', result: 'hit' | 'miss') => void

/** What a route says about the tokens that count on it. */
export type RouteRules = Pick<Route, 'issuers' | 'audience'> & Partial<Pick<Route, 'authorization'>>

export interface AccessGrantsOptions {
  readonly issuers: readonly Issuer[]
  readonly keySets: Pick<KeySets, 'of'>
  readonly work: SignatureWork
  /** Asks introspection endpoints. */
  readonly agent: Agent
  readonly now: () => number
  readonly onCacheLookup?: CacheLookup | undefined
  readonly onIntrospectionFailure?: IntrospectorOptions['onFailure'] | undefined
}

export type AccessGrants = (
  token: string,
  digest: Digest,
  route: RouteRules,
) => Grant | Refusal | Promise<Grant | Refusal>

interface Trusted {
  readonly issuer: Issuer
  /** Left out where the issuer publishes no keys: then its word alone counts. */
  readonly signed?: { readonly keys: KeySet; readonly verify: JwtVerifier }
  readonly introspector?: Introspector
  pending: number
}

export function createAccessGrants(options: AccessGrantsOptions): AccessGrants {
  const { issuers, now, onCacheLookup, agent } = options
  const verified = new VerifiedTokens()
  const running = new Map<Digest, Promise<VerifiedToken | Refusal>>()
  const byUrl = new Map(issuers.map((issuer) => [issuer.issuer, trust(issuer)]))
  if (byUrl.size !== issuers.length) throw new Error('two issuers have the same URL')
  const byName = new Map([...byUrl.values()].map((trusted) => [trusted.issuer.name, trusted]))

  function trust(issuer: Issuer): Trusted {
    const { keySets, work, onIntrospectionFailure } = options
    const hasKeys = issuer.jwks !== undefined || issuer.discovery || issuer.jwksFile !== undefined
    const keys = hasKeys ? keySets.of(issuer) : undefined
    const introspector =
      issuer.introspection &&
      new Introspector({
        issuer,
        dispatcher: agent,
        now,
        onLookup: (result) => onCacheLookup?.('introspection', result),
        ...(onIntrospectionFailure && { onFailure: onIntrospectionFailure }),
      })
    return {
      issuer,
      pending: 0,
      ...(keys && { signed: { keys, verify: createJwtVerifier({ issuer, keys, work, now }) } }),
      ...(introspector && { introspector }),
    }
  }

  /** A JWT that is new here. */
  function verifyNew(token: string, digest: Digest, route: RouteRules): Grant | Refusal | Promise<Grant | Refusal> {
    const pending = running.get(digest)
    if (pending !== undefined)
      return pending.then((found) => (isRefusal(found) ? found : countHere(found, token, digest, route)))
    const jwt = parseJwt(token)
    if (isRefusal(jwt)) return jwt
    const { iss } = jwt.claims
    const trusted = typeof iss === 'string' ? byUrl.get(iss) : undefined
    if (trusted === undefined) return invalid('The issuer of the access token is not one that this API trusts.')
    const { signed, issuer, introspector } = trusted
    // Before any work: what no route takes costs nothing.
    if (!route.issuers.includes(issuer.name)) return foreign()
    if (signed === undefined) return askAlone(introspector!, token, digest, route)
    if (trusted.pending >= MOST_PENDING) return overloaded()
    trusted.pending++
    const remember = async (): Promise<VerifiedToken | Refusal> => {
      const result = await signed.verify(jwt)
      if (isRefusal(result)) return result
      const { facts, keys, epoch } = result
      const claims = issuer.introspection?.always ? { claims: jwt.claims } : {}
      const remembered = { grant: grantOf(facts, digestOf), keys, epoch, ...claims }
      verified.set(digest, remembered, token.length)
      return remembered
    }
    // Failures are not remembered: a forger never sends the same token twice, and an issuer that was down must count again at once.
    const started = remember().finally(() => {
      trusted.pending--
      running.delete(digest)
    })
    running.set(digest, started)
    return started.then((found) => (isRefusal(found) ? found : countHere(found, token, digest, route)))
  }

  /** A JWT that was verified, now or before. */
  function countHere(
    { grant, claims }: VerifiedToken,
    token: string,
    digest: Digest,
    route: RouteRules,
  ): Grant | Refusal | Promise<Grant | Refusal> {
    const admitted = admit(grant, route)
    if (claims === undefined || isRefusal(admitted)) return admitted
    const { introspector, issuer } = byName.get(grant.issuer!)!
    const found = introspector!.find(token, digest, (answer, time) =>
      joinIntrospectedFacts({ claims, facts: grant }, answer, issuer, time),
    )
    return admitFound(found, route)
  }

  function askAlone(introspector: Introspector, token: string, digest: Digest, route: RouteRules) {
    const { issuer } = introspector
    const found = introspector.find(token, digest, (answer, time) => readIntrospectedFacts(answer, issuer, time))
    return admitFound(found, route)
  }

  /** In the order of the route, until one of them knows the token. */
  function askInTurn(
    introspectors: readonly Introspector[],
    token: string,
    digest: Digest,
    route: RouteRules,
  ): Grant | Refusal | Promise<Grant | Refusal> {
    const [first, ...others] = introspectors
    if (first === undefined) return invalid('The access token is not a signed JWT.')
    const found = askAlone(first, token, digest, route)
    if (others.length === 0) return found
    const next = (result: Grant | Refusal): Grant | Refusal | Promise<Grant | Refusal> => {
      if (!isRefusal(result)) return result
      const later = askInTurn(others, token, digest, route)
      return later instanceof Promise ? later.then((it) => worse(result, it)) : worse(result, later)
    }
    return found instanceof Promise ? found.then(next) : next(found)
  }

  return (token, digest, route) => {
    const known = verified.get(digest, now())
    if (known !== undefined) {
      onCacheLookup?.('token', 'hit')
      return countHere(known, token, digest, route)
    }
    if (isJwtLike(token)) {
      onCacheLookup?.('token', 'miss')
      return verifyNew(token, digest, route)
    }
    const asked = route.issuers.flatMap((name) => {
      const trusted = byName.get(name)
      return trusted?.introspector && trusted.issuer.introspection!.opaque ? [trusted.introspector] : []
    })
    return askInTurn(asked, token, digest, route)
  }
}

function admitFound(found: Grant | Refusal | Promise<Grant | Refusal>, route: RouteRules) {
  const judge = (it: Grant | Refusal): Grant | Refusal => (isRefusal(it) ? it : admit(it, route))
  return found instanceof Promise ? found.then(judge) : judge(found)
}

/** One that could not be asked may have known the token: then nobody can say that it is bad. */
function worse(before: Refusal, later: Grant | Refusal): Grant | Refusal {
  return isRefusal(later) && before.status === 503 ? before : later
}

const foreign = (): Refusal => invalid('Tokens of this issuer do not count on this route.')

/** Whether a token's issuer and audience count on a route. */
export function admit(grant: Grant, route: RouteRules): Grant | Refusal {
  if (!route.issuers.includes(grant.issuer!)) return foreign()
  for (const audience of grant.audience) {
    if (route.audience.includes(audience)) return grant
  }
  return invalid('The access token was issued for another audience. Ask the issuer for one for this API.')
}
