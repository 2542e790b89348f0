// One `match` line of a route that is no FHIR endpoint: product scopes only, bodies pass unread.

import type { Match, PlainRoute } from '../config/settings.ts'
import { decidePlain } from '../domain/decision/decide-plain.ts'
import type { Catalogue } from '../domain/decision/policy.ts'
import type { BodyUse } from '../domain/fhir-request.ts'
import type { Asked, AskedLine, Endpoint } from './endpoint.ts'

export type SharedParts = Pick<Endpoint, 'upstream' | 'outbound' | 'inbound' | 'bodyLimit'>

export function plainEndpoint(route: PlainRoute, match: Match, catalogue: Catalogue, parts: SharedParts): Endpoint {
  const { requires } = match
  return {
    ...parts,
    route,
    isPublic: requires === 'public',
    bodyUse,
    name: (line): Asked => ({
      interaction: 'http',
      method: line.method,
      path: line.target.path + (line.target.query === '' ? '' : `?${line.target.query}`),
      bodyUse: bodyUse(line),
      decide: (grant) => decidePlain(requires, grant, catalogue),
      readsAnswer: false,
    }),
  }
}

function bodyUse({ method }: AskedLine): BodyUse {
  return method === 'GET' || method === 'HEAD' ? 'none' : 'stream'
}
