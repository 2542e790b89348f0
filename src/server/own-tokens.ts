// The gateway's own tokens, one for each set of client credentials: routes that name the same share it, and so do generations.

import type { Route } from '../config/settings.ts'
import { OwnToken } from '../proxy/own-token.ts'
import type { Lease } from './generations/keeper.ts'

/** `onFetch` hears of each attempt; `error` is undefined when it brought a token. */
export function ownTokens(
  lease: Lease,
  onFetch: (what: string, error: unknown) => void,
): (route: Route) => OwnToken | undefined {
  return ({ name, authorization }) => {
    if (typeof authorization !== 'object' || !('clientCredentials' in authorization)) return undefined
    const { clientCredentials } = authorization
    const hear = (problem: string | undefined): void =>
      onFetch(`token of the gateway for ${name}`, problem === undefined ? undefined : new Error(problem))
    const make = () => new OwnToken(clientCredentials, { onFetch: hear })
    return lease.part('token of the gateway', clientCredentials, make, (part) => part.close())
  }
}
