// From the routes of the settings to the entries of the route table: each with its upstream, its header rules and its limits.

import type { FhirRoute, Route, Settings } from '../config/settings.ts'
import { decide } from '../domain/decision/decide.ts'
import type { Catalogue } from '../domain/decision/policy.ts'
import type { TableEntry } from '../domain/route-table.ts'
import { compileInbound } from '../proxy/answer-headers.ts'
import { compileOutbound } from '../proxy/headers.ts'
import type { OwnToken } from '../proxy/own-token.ts'
import { compilePublicUrls, type PublicUrls } from '../proxy/public-url.ts'
import type { Upstream } from '../proxy/upstream.ts'
import type { SharedState } from '../state/shared-state.ts'
import { rememberDecisions } from './decision-cache.ts'
import type { Endpoint } from './endpoint.ts'
import { createExportJobs } from './fhir/export-jobs.ts'
import { type FhirParts, fhirEndpoint } from './fhir/fhir-endpoint.ts'
import { createPages } from './fhir/pages.ts'
import type { Seals } from './fhir/seals.ts'
import type { Hearers } from './generations/lasting.ts'
import { countsBy, outboundRoute, ownedHeaders } from './owned-headers.ts'
import { plainEndpoint, type SharedParts } from './plain-endpoint.ts'
import { policyOf } from './policy-of.ts'
import { createRateLimit } from './rate-limits.ts'

/** What the endpoints of one generation are built from. */
export interface Build {
  readonly settings: Settings
  readonly catalogue: Catalogue
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly seals: Seals
  readonly generation: number
  readonly now: () => number
  readonly hear: Pick<Hearers, 'onCacheLookup' | 'onGuarded'>
  readonly state: SharedState
  readonly ownTokenOf: (route: Route) => OwnToken | undefined
}

export function entriesOf(route: Route, build: Build): TableEntry<Endpoint>[] {
  const { settings, catalogue, upstreams } = build
  const { url, publicBase } = settings.upstreams[route.upstream]!
  const { publicUrl } = settings.server
  const limits = limitsOf(route, settings)
  const { behind, published } = basesOf(route)
  const urls = compilePublicUrls(
    url.map((base) => base + behind),
    publicUrl + published,
  )
  const parts: SharedParts = {
    upstream: upstreams.get(route.upstream)!,
    outbound: compileOutbound(outboundRoute(route), {
      owned: ownedHeaders(settings),
      publicUrl,
      counts: countsBy(catalogue),
    }),
    ownToken: build.ownTokenOf(route),
    inbound: compileInbound(route, urls),
    parameterLimit: limits.searchParameters,
    bodyLimit: limits.body,
    heldLimit: limits.guardedBody,
    count: route.rateLimit && createRateLimit(route.name, route.rateLimit, build.state),
  }
  if (route.kind === 'fhir') {
    const template = route.path.split('/').filter(Boolean)
    return [{ route: fhirEndpoint(route, fhirParts(route, parts, urls, publicBase, build)), template, base: true }]
  }
  return route.match.map((match) => ({
    route: plainEndpoint(route, match, catalogue, parts),
    method: match.method,
    template: match.path.split('/').filter(Boolean),
    base: false,
  }))
}

function fhirParts(
  route: FhirRoute,
  parts: SharedParts,
  urls: PublicUrls,
  publicBase: boolean,
  { settings, catalogue, seals, generation, now, hear }: Build,
): FhirParts {
  const limits = limitsOf(route, settings)
  return {
    ...parts,
    policy: policyOf(route, catalogue, settings),
    decide: rememberDecisions(decide, {
      generation,
      now,
      onLookup: (result) => hear.onCacheLookup('decision', result),
    }),
    limits,
    rewrites: route.sealPages || !publicBase,
    guard: {
      links: { route: route.name, urls, pages: createPages(seals), seals: route.sealPages },
      mostHeld: limits.guardedBody,
      counted: hear.onGuarded,
    },
    jobs: createExportJobs(route.name, urls, seals),
  }
}

/** Those of the route stand instead of those of the server. */
function limitsOf(route: Route, { server }: Settings): Settings['server']['limits'] {
  return route.kind === 'fhir' ? { ...server.limits, ...route.limits } : server.limits
}

/** What stands in the upstream's links where the public ones say `published`. */
function basesOf(route: Route): { readonly behind: string; readonly published: string } {
  if (route.kind === 'fhir') return { behind: '', published: route.path }
  return { behind: route.rewrite?.to ?? '', published: route.rewrite?.from ?? '' }
}
