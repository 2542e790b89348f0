// Pages of other origins (`cors`, spec §5.3). Every answer to a page of a listed origin says that it may be read, refusals too, so that
// an app sees why; preflights are answered here, before there is a credential, and never forwarded. Credentials mode is never
// allowed: a token is sent by the app itself, and a cookie is no credential here. Without `cors` no field is sent at all.

import type { IncomingMessage } from 'node:http'
import type { Settings } from '../../config/settings.ts'
import { folded } from '../../domain/http/field-names.ts'
import type { RequestTarget } from '../../domain/http/request-target.ts'
import { isRefusal } from '../../domain/refusal.ts'
import type { RouteTable } from '../../domain/route-table.ts'
import type { Endpoint } from '../endpoint.ts'
import type { OpenDocument } from './open-document.ts'

export interface CrossOrigin {
  /** Header fields of every answer to a request of that origin, flat. */
  fieldsFor(origin: string | undefined): readonly string[]
  /** The answer to a preflight of a listed origin for a path that has a route; undefined for every other request. */
  findPreflight(request: IncomingMessage, target: RequestTarget): OpenDocument | undefined
}

export interface CrossOriginFacts {
  readonly cors: Settings['cors']
  readonly routes: RouteTable<Endpoint>
  readonly apiKeyHeader: string
  /** Identity headers: no page is told that it may send them. */
  readonly owned: readonly string[]
}

const EXPOSED = [
  'Content-Location',
  'DPoP-Nonce',
  'ETag',
  'Last-Modified',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Progress',
  'X-Request-Id',
].join(', ')
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
/** What a FHIR endpoint understands (spec §5.3) and what helps to find a request again. */
const REQUEST_HEADERS = [
  'Accept',
  'Authorization',
  'Cache-Control',
  'Content-Type',
  'DPoP',
  'If-Match',
  'If-Modified-Since',
  'If-None-Exist',
  'If-None-Match',
  'If-Unmodified-Since',
  'Prefer',
  'Range',
  'Traceparent',
  'Tracestate',
  'X-Correlation-Id',
  'X-Request-Id',
]
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i
const MOST_OTHER_HEADERS = 32
/** Seconds; what a reload changes is known soon. */
const PREFLIGHT_HOLDS = '600'
const NOTHING: readonly string[] = []

const NONE: CrossOrigin = { fieldsFor: () => NOTHING, findPreflight: () => undefined }

export function compileCrossOrigin({ cors, routes, apiKeyHeader, owned }: CrossOriginFacts): CrossOrigin {
  const origins = cors?.origins ?? []
  if (origins.length === 0) return NONE
  const open = origins.includes('*')
  const expose = ['access-control-expose-headers', EXPOSED]
  const everyone = ['access-control-allow-origin', '*', ...expose]
  // Whether a cache may give the answer to somebody else depends on the origin even where none was sent.
  const others = ['vary', 'Origin']
  const listed = new Map(
    origins.map((origin) => [origin, ['access-control-allow-origin', origin, ...expose, ...others]]),
  )
  const ownNames = new Set(owned.map(folded))
  const sendable = [...REQUEST_HEADERS, apiKeyHeader]

  function fieldsFor(origin: string | undefined): readonly string[] {
    if (open) return everyone
    return (origin === undefined ? undefined : listed.get(origin)) ?? others
  }

  /** On other products' routes every header crosses that is not the gateway's own, so a page may send what it asks for. */
  function headersFor(endpoint: Endpoint, asked: string): string {
    if (endpoint.route.kind === 'fhir') return sendable.join(', ')
    const known = new Set(sendable.map((name) => name.toLowerCase()))
    const more = asked
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => TOKEN.test(name) && !known.has(name) && !ownNames.has(folded(name)))
    return [...sendable, ...more.slice(0, MOST_OTHER_HEADERS)].join(', ')
  }

  function findPreflight({ method, headers }: IncomingMessage, target: RequestTarget): OpenDocument | undefined {
    const { origin, 'access-control-request-method': asked } = headers
    if (method !== 'OPTIONS' || origin === undefined || asked === undefined) return undefined
    if (!open && !listed.has(origin)) return undefined
    const endpoints = new Map<string, Endpoint>()
    for (const candidate of METHODS) {
      const found = routes.find(candidate, target)
      if (!isRefusal(found)) endpoints.set(candidate, found.route)
    }
    const endpoint = endpoints.get(asked) ?? endpoints.values().next().value
    if (endpoint === undefined) return undefined
    const fields = fieldsFor(origin)
    const answer = [
      'access-control-allow-methods',
      [...endpoints.keys()].join(', '),
      'access-control-allow-headers',
      headersFor(endpoint, headers['access-control-request-headers'] ?? ''),
      'access-control-max-age',
      PREFLIGHT_HOLDS,
    ]
    return {
      route: endpoint.route.name,
      interaction: 'preflight',
      fhir: endpoint.route.kind === 'fhir',
      refusalHeaders: fields,
      answer: () => ({ status: 204, contentType: '', body: '', headers: [...fields, ...answer] }),
    }
  }

  return { fieldsFor, findPreflight }
}
