// `rateLimit` of a route: each request counts in the bucket of its client, its subject or its route, right after it was authenticated
// and before anything of its body is read. What is over is 429, and every answer tells how much is left.
// INVARIANT: buckets are named by digests; where nobody can count, the request is refused.

import type { Route } from '../config/settings.ts'
import type { Grant } from '../domain/grant.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Rate, SharedState, Taken } from '../state/shared-state.ts'
import { clientName } from './client-name.ts'

/** What became of counting one request. */
export interface Counted {
  /** Header fields for its answer, whatever that is: name, value, name, value … */
  readonly fields: readonly string[]
  readonly refusal: Refusal | undefined
}

/** `address` is the client's, asked for only where no credential tells who it is. */
export type CountRequest = (grant: Grant | undefined, address: () => string | undefined) => Counted | Promise<Counted>

type RateLimit = NonNullable<Route['rateLimit']>

/** The limit is part of the name, so a reload that changes it begins with full buckets, and one that does not goes on. */
export function createRateLimit(route: string, limit: RateLimit, state: SharedState): CountRequest {
  const rate: Rate = { requests: limit.requests, per: limit.per }
  const prefix = JSON.stringify([route, limit.by, limit.requests, limit.per])
  const print = printer(limit)
  const { by } = limit
  const nameOf = (grant: Grant | undefined, address: () => string | undefined): string =>
    by === 'route' ? prefix : prefix + clientName(grant, by, address)
  return (grant, address) => {
    try {
      const taken = state.take(nameOf(grant, address), rate)
      return taken instanceof Promise ? taken.then(print, () => UNCOUNTED) : print(taken)
    } catch {
      return UNCOUNTED
    }
  }
}

const UNCOUNTED: Counted = {
  fields: [],
  refusal: refuse('overloaded', 'This request could not be counted against its rate. Try again in a moment.', {
    retryAfter: 1,
  }),
}

/** RateLimit header fields (draft-ietf-httpapi-ratelimit-headers): the policy, and what is left of it to this client. */
function printer({ requests, per, by }: RateLimit): (taken: Taken) => Counted {
  const window = per % 1_000 === 0 ? `;w=${per / 1_000}` : ''
  const policy = `"${by}";q=${requests}${window}`
  const refusalOf = (seconds: number): Refusal =>
    refuse('rate-limited', `More than ${requests} requests in ${describe(per)}. Try again in ${seconds} s.`, {
      retryAfter: seconds,
    })
  return ({ allowed, remaining, retryAfter }) => {
    const seconds = Math.max(1, Math.ceil(retryAfter / 1_000))
    const fields = ['ratelimit-policy', policy]
    // What is left to all clients of a route together would tell one of them what the others do.
    if (by !== 'route') fields.push('ratelimit', `"${by}";r=${remaining}${retryAfter > 0 ? `;t=${seconds}` : ''}`)
    return { fields, refusal: allowed ? undefined : refusalOf(seconds) }
  }
}

function describe(milliseconds: number): string {
  return milliseconds % 1_000 === 0 ? `${milliseconds / 1_000} s` : `${milliseconds} ms`
}
