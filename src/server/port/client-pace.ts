// The timeouts of the route map as the pace that clients are held to, in sending and in taking.

import type { Pace } from '../../proxy/patience.ts'

/** Before a body must have got going: slow links begin slowly. */
const GRACE_MS = 10_000

export interface ClientPace {
  readonly upload: Pace
  readonly answer: Pace
}

export function clientPace(timeouts: {
  readonly idle: number
  readonly request: number
  readonly minimumRate: number
}): ClientPace {
  const { idle, request, minimumRate: least } = timeouts
  return {
    upload: { first: Math.min(GRACE_MS, request, idle), idle, least },
    // The operating system takes bytes for the client long before the client does, and tells of them in large steps.
    answer: { first: idle, idle, least },
  }
}
