// Response headers that come back. What speaks about the upstream's connection, its software, its own challenges or its place in
// the network stays behind; answers to a credential are never cached; Location and Content-Location show the public base.

import { HOP_BY_HOP, nominated } from './hop-by-hop.ts'
import type { PublicUrls } from './public-url.ts'

export interface InboundRoute {
  readonly kind: 'fhir' | 'plain'
  readonly authorization: unknown
}

export interface InboundAnswer {
  /** Lower-case names, as the HTTP client read them; repeated fields as a list. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly requestId: string
  /** Asked for with a credential: shared caches must not keep it. */
  readonly authenticated: boolean
  /** The body is changed on its way. */
  readonly rewritten: boolean
  /** The body is checked on its way, and parts of it may be withheld. */
  readonly guards?: 'resource' | 'bundle' | undefined
}

export type Inbound = (answer: InboundAnswer) => string[]

/**
 * The gateway speaks for itself about cross-origin access, so the upstream's word does not count; `Alt-Svc` and `Refresh` would
 * lead clients around it.
 */
const DROPPED = [
  ...HOP_BY_HOP,
  '__proto__',
  'x-request-id',
  'server',
  'x-powered-by',
  'alt-svc',
  'refresh',
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-expose-headers',
  'access-control-max-age',
  'access-control-allow-private-network',
  'x-accel-redirect',
  'x-sendfile',
]
const DROPPED_ON_FHIR = ['set-cookie', 'www-authenticate', 'link']
const DROPPED_WHEN_AUTHENTICATED = new Set(['cache-control', 'expires', 'pragma', 'age', 'surrogate-control'])
/** They describe bytes that are no longer sent. */
const DROPPED_WHEN_REWRITTEN = new Set([
  'content-length',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
  'accept-ranges',
])
/** All that passes beside a body that is checked: a total or a digest in a field would count what the check withholds. */
const KEPT_WHEN_GUARDED = new Set([
  'content-type',
  'content-language',
  'date',
  'retry-after',
  'x-correlation-id',
  'strict-transport-security',
  'x-content-type-options',
])
/** They tell of the one resource that is released with them, and of a Bundle whatever was found. */
const KEPT_WITH_RESOURCE = new Set(['etag', 'last-modified', 'location', 'content-location'])
const LINKS = new Set(['location', 'content-location'])

export function compileInbound(route: InboundRoute, urls: PublicUrls): Inbound {
  const fhir = route.kind === 'fhir'
  const dropped = new Set([...DROPPED, ...(fhir ? DROPPED_ON_FHIR : [])])
  if (route.authorization === 'passthrough') dropped.delete('www-authenticate')

  return ({ headers, requestId, authenticated, rewritten, guards }) => {
    const named = nominated(text(headers['connection']))
    const out: string[] = []
    for (const name in headers) {
      if (dropped.has(name) || named?.has(name)) continue
      const kept = KEPT_WHEN_GUARDED.has(name) || (guards === 'resource' && KEPT_WITH_RESOURCE.has(name))
      if (guards !== undefined && !kept) continue
      if (authenticated && (DROPPED_WHEN_AUTHENTICATED.has(name) || name === 'vary')) continue
      if (rewritten && (DROPPED_WHEN_REWRITTEN.has(name) || isStrongTag(name, headers[name]))) continue
      const value = headers[name]!
      if (LINKS.has(name)) pushLink(out, name, value, urls)
      else if (typeof value === 'string') out.push(name, value)
      else for (const one of value) out.push(name, one)
    }
    if (authenticated) out.push('cache-control', 'no-store', 'vary', vary(headers['vary']))
    if (rewritten) out.push('x-intermediary', 'scopegate')
    out.push('x-request-id', requestId)
    return out
  }
}

/** Of two Locations neither counts. */
function pushLink(out: string[], name: string, value: string | string[], urls: PublicUrls): void {
  const url = typeof value === 'string' ? urls.map(value) : undefined
  if (url !== undefined) out.push(name, url)
}

/** A strong validator vouches for bytes, so it cannot outlive a rewrite; a weak one, as FHIR's versions are, can. */
function isStrongTag(name: string, value: string | string[] | undefined): boolean {
  return name === 'etag' && !text(value)?.startsWith('W/')
}

function vary(upstream: string | string[] | undefined): string {
  const said = text(upstream)
  if (said === undefined || said === '') return 'Authorization'
  return said === '*' || /\bauthorization\b/i.test(said) ? said : `${said}, Authorization`
}

function text(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ')
}
