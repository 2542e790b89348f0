// Request headers that go upstream. Compiled once for each route, so that a request costs one loop: what speaks about the
// client's connection, what it nominates in `Connection`, credentials, and whatever could pose as ours is dropped first; ours
// are added last. The result is one flat list of lower-case names, so nothing can be in it twice by case (gateways' CVE-2026-1525).

import type { GrantFacts } from '../domain/grant.ts'
import { folded } from '../domain/http/field-names.ts'
import { withoutAsync } from '../domain/http/prefer.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import { HOP_BY_HOP, nominated } from './hop-by-hop.ts'
import { compileIdentityHeaders, type IdentityHeaderNames, type ScopeCounts } from './identity-headers.ts'

export interface OutboundRoute {
  readonly kind: 'fhir' | 'plain'
  readonly identityHeaders?: IdentityHeaderNames | undefined
  readonly authorization: 'none' | 'passthrough' | { readonly bearer: string } | object
}

export interface OutboundFacts {
  /** Every name that carries identity on any route, and the API key header: a client's own are always dropped. */
  readonly owned: Iterable<string>
  /** What `X-Forwarded-Host` and `-Proto` say; the client's Host is never believed. */
  readonly publicUrl: string
  /** Scopes that do not count are not told. */
  readonly counts?: ScopeCounts
}

export interface OutboundRequest {
  readonly headers: RequestHeaders
  readonly grant: GrantFacts | undefined
  readonly requestId: string
  readonly clientAddress: string
  /** The gateway's own token, where the route asks for one. */
  readonly ownToken?: string | undefined
  /** The body goes as the client sends it, so its length still holds. */
  readonly bodyUnchanged: boolean
  /** The answer will be read on its way: it must be whole and not compressed. */
  readonly answerIsRead?: boolean
  /** Fields that go instead of the client's; undefined drops one. Lower-case names. */
  readonly overrides?: ReadonlyMap<string, string | undefined> | undefined
}

export type Outbound = (request: OutboundRequest) => string[]

/** Never passed on. `x-forwarded-*` and its kin are the gateway's to say, because no proxy in front of it is trusted. */
const DROPPED = [
  ...HOP_BY_HOP,
  'host',
  'authorization',
  'dpop',
  'content-length',
  'expect',
  'early-data',
  'via',
  'forwarded',
  'x-request-id',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  // CGI makes HTTP_PROXY of it, and many a program takes that for the proxy that it is to use (CVE-2016-5385).
  'proxy',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-rewrite-url',
  'x-envoy-original-path',
  'x-envoy-internal',
]
const DROPPED_PREFIXES = ['x-forwarded', 'x-original-', 'x-auth-', 'x-scopegate-']
/**
 * All that crosses to a FHIR endpoint besides what the gateway itself sends. Others are left out because servers give them powers
 * that no scope was asked for: `X-Cascade` deletes more, `X-Provenance` writes more, a cookie is a second credential.
 */
const PASSED_ON_FHIR: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'content-encoding',
  'content-language',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-none-exist',
  'if-range',
  'range',
  'prefer',
  'user-agent',
  'traceparent',
  'tracestate',
  'baggage',
  'x-correlation-id',
])
/** What would have the upstream answer with a part, or with bytes that cannot be read. */
const DROPPED_WHEN_READ = new Set(['accept-encoding', 'range', 'if-range'])

export function compileOutbound(route: OutboundRoute, facts: OutboundFacts): Outbound {
  const owned = new Set([...facts.owned].map(folded))
  const dropped = new Set([...DROPPED, ...owned])
  const passed = route.kind === 'fhir' ? PASSED_ON_FHIR : undefined
  const identity = compileIdentityHeaders(route.identityHeaders ?? {}, facts.counts)
  const { host, protocol } = new URL(facts.publicUrl)
  const fixed = ['x-forwarded-host', host, 'x-forwarded-proto', protocol.slice(0, -1), ...fixedAuthorization(route)]
  const passthrough = route.authorization === 'passthrough'
  const own = typeof route.authorization === 'object' && 'clientCredentials' in route.authorization

  return (request) => {
    const { headers, overrides, answerIsRead = false } = request
    const { raw, names } = headers
    const named = nominated(headers.get('connection'))
    const out: string[] = []
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!
      if (dropped.has(name) || named?.has(name) || isDroppedByShape(name, owned)) continue
      if (passed?.has(name) === false || (answerIsRead && DROPPED_WHEN_READ.has(name))) continue
      if (overrides?.has(name)) continue
      const value = passed !== undefined && name === 'prefer' ? withoutAsync(raw[2 * i + 1]!) : raw[2 * i + 1]!
      if (value !== undefined) out.push(name, value)
    }
    if (overrides !== undefined) for (const [name, value] of overrides) if (value !== undefined) out.push(name, value)
    if (answerIsRead) out.push('accept-encoding', 'identity')
    if (request.bodyUnchanged && headers.bodyLength) out.push('content-length', String(headers.bodyLength))
    const token = passthrough ? headers.get('authorization') : undefined
    if (token !== undefined) out.push('authorization', token)
    if (own) out.push('authorization', `Bearer ${present(request.ownToken)}`)
    if (request.grant !== undefined) out.push(...identity(request.grant))
    const via = headers.get('via')
    out.push(...fixed, 'x-forwarded-for', request.clientAddress, 'x-request-id', request.requestId)
    out.push('via', via === undefined ? '1.1 scopegate' : `${via}, 1.1 scopegate`)
    return out
  }
}

const ODD_SEPARATOR = /[^a-z0-9-]/

/** Rare names only: those with a prefix of ours, and spellings that a server may fold into one of ours. */
function isDroppedByShape(name: string, owned: ReadonlySet<string>): boolean {
  if (name.charCodeAt(0) === 0x78 && DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix))) return true
  return ODD_SEPARATOR.test(name) && owned.has(folded(name))
}

/** INVARIANT: where the gateway has a token of its own, nothing is sent without it. */
function present(ownToken: string | undefined): string {
  if (ownToken === undefined) throw new Error('the token of the gateway is missing')
  return ownToken
}

function fixedAuthorization({ authorization }: OutboundRoute): readonly string[] {
  return typeof authorization === 'object' && 'bearer' in authorization
    ? ['authorization', `Bearer ${authorization.bearer}`]
    : []
}
