// How many query parameters a request may have (contract §3 `limits.searchParameters`). The target is read before its route is known, so
// the largest limit of all bounds the reading, and that of the route is asked once it is found.

import type { Settings } from '../config/settings.ts'
import type { RequestTarget } from '../domain/http/request-target.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'

export function largestParameterLimit({ server, routes }: Settings): number {
  const own = routes.map((route) => (route.kind === 'fhir' ? route.limits?.searchParameters : undefined) ?? 0)
  return Math.max(server.limits.searchParameters, ...own)
}

export function refuseCrowded({ parameters }: RequestTarget, most: number): Refusal | undefined {
  if (parameters.length <= most) return undefined
  return refuse('target-too-long', `The query has more than ${most} parameters. Send fewer.`)
}
