// The upstream does not accept the gateway itself: nothing that the client did or could do.

import { type Refusal, refuse } from '../domain/refusal.ts'
import type { Endpoint } from './endpoint.ts'

export function refusedOwnToken({ ownToken }: Pick<Endpoint, 'ownToken'>, value: string): Refusal {
  ownToken?.refused(value)
  return refuse('upstream-broken', 'The server behind this route did not accept the gateway. Try again shortly.')
}
