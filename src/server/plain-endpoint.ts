// One `match` line of a route that is no FHIR endpoint: product scopes only, bodies pass unread but for the names in forms.

import type { Match, PlainRoute } from '../config/settings.ts'
import { hasTokenInQuery } from '../credentials/access-token.ts'
import { hasKeyInQuery } from '../credentials/api-keys/key-header.ts'
import { decidePlain } from '../domain/decision/decide-plain.ts'
import type { Catalogue } from '../domain/decision/policy.ts'
import type { BodyUse } from '../domain/fhir-request.ts'
import { mediaType } from '../domain/http/media-type.ts'
import { printTarget, type RequestTarget } from '../domain/http/request-target.ts'
import { rewritePath } from '../domain/http/rewrite-path.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { inspectForm } from '../proxy/form-inspection.ts'
import type { Asked, AskedLine, Endpoint } from './endpoint.ts'

export type SharedParts = Pick<
  Endpoint,
  'upstream' | 'outbound' | 'ownToken' | 'inbound' | 'parameterLimit' | 'bodyLimit' | 'heldLimit' | 'count'
>

export function plainEndpoint(route: PlainRoute, match: Match, catalogue: Catalogue, parts: SharedParts): Endpoint {
  const { requires } = match
  const { rewrite } = route
  return {
    ...parts,
    route,
    isPublic: requires === 'public',
    webSocket: match.method === 'GET' ? route.webSocket : undefined,
    bodyUse,
    name: (line): Asked | Refusal => {
      // Nobody looks for a credential where none is asked for; the server behind would get it, and its logs.
      if (requires === 'public' && hasCredential(line.target)) return CREDENTIAL_IN_URL
      return {
        interaction: 'http',
        decide: (grant) => decidePlain(requires, grant, catalogue),
        plan: () => {
          const path = rewrite === undefined ? printTarget(line.target) : rewritePath(line.target, rewrite)
          if (isRefusal(path)) return path
          const plan = { method: line.method, path, bodyUse: bodyUse(line), readsAnswer: false }
          const form =
            line.headers.bodyLength === 0 ? undefined : inspectForm(mediaType(line.headers.get('content-type')))
          return form === undefined ? plan : { ...plan, inspect: () => form }
        },
      }
    },
  }
}

function bodyUse({ method }: AskedLine): BodyUse {
  return method === 'GET' || method === 'HEAD' ? 'none' : 'stream'
}

const hasCredential = (target: RequestTarget): boolean => hasTokenInQuery(target) || hasKeyInQuery(target)

const CREDENTIAL_IN_URL = refuse(
  'credential-ambiguous',
  'The URL holds a credential. This path asks for none: leave it out, and replace it, because URLs end in logs.',
)
