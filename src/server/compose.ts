// From the settings to the live parts of one configuration: the only place that constructs.

import type { FhirRoute, Route, Settings } from '../config/settings.ts'
import { type Authenticator, createAuthenticator, type KeyLookup } from '../credentials/authenticate.ts'
import type { KeySets } from '../credentials/jwks.ts'
import { decide } from '../domain/decision/decide.ts'
import { type Catalogue, compileCatalogue, type FhirPolicy } from '../domain/decision/policy.ts'
import { definitionsOf } from '../domain/fhir/definitions.ts'
import { headerReader } from '../domain/http/request-headers.ts'
import type { MappedRoute } from '../domain/reference/mapped-route.ts'
import { compileRouteTable, type TableEntry } from '../domain/route-table.ts'
import { parseScope } from '../domain/smart/scope.ts'
import { compileInbound } from '../proxy/answer-headers.ts'
import { compileOutbound } from '../proxy/headers.ts'
import type { ScopeCounts } from '../proxy/identity-headers.ts'
import { compilePublicUrls, type PublicUrls } from '../proxy/public-url.ts'
import { Upstream } from '../proxy/upstream.ts'
import { rememberDecisions } from './decision-cache.ts'
import { createDiscovery, type Discovery } from './discovery.ts'
import type { Endpoint } from './endpoint.ts'
import { createExportJobs } from './export-jobs.ts'
import { fhirEndpoint } from './fhir-endpoint.ts'
import type { House } from './gateway.ts'
import { createOwnPages } from './own-pages.ts'
import { createPages } from './pages.ts'
import { plainEndpoint, type SharedParts } from './plain-endpoint.ts'
import { createSeals, type Seals } from './seals.ts'

export interface Hearers {
  readonly onCacheLookup: (cache: 'token' | 'decision', result: 'hit' | 'miss') => void
  readonly onFetch: (what: string, error: unknown) => void
  readonly onGuarded: (result: 'released' | 'withheld', count: number) => void
}

export interface ComposeOptions {
  readonly generation: number
  /** Those of the process: keys and cooldowns outlive a reload. */
  readonly keySets: KeySets
  /** API keys and service keys; left out where there are none to ask. */
  readonly keyStore?: Pick<KeyLookup, 'find'> | undefined
  /** Newest first; see `seals.ts`. */
  readonly sealKeys: readonly string[]
  readonly hear: Hearers
  /** Nothing is fetched before it is needed: for `explain`. */
  readonly offline?: boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
}

export interface Composed {
  readonly house: House
  readonly settings: Settings
  readonly discovery: Discovery
  readonly authenticator: Authenticator
  /** Lets running requests end for so many milliseconds. */
  close(milliseconds: number): Promise<void>
}

export function compose(settings: Settings, options: ComposeOptions): Composed {
  const { hear, now } = options
  const catalogue = compileCatalogue(settings.scopes)
  const upstreams = new Map(
    Object.values(settings.upstreams).map((upstream) => [upstream.name, new Upstream(upstream)]),
  )
  const seals = createSeals({ keys: options.sealKeys, now })
  const authenticator = createAuthenticator({
    issuers: settings.issuers,
    limits: settings.server.limits,
    now,
    keySets: options.keySets,
    ...(options.keyStore && { apiKeys: { header: apiKeyHeader(settings), find: options.keyStore.find } }),
    onCacheLookup: (result) => hear.onCacheLookup('token', result),
  })
  const discovery = createDiscovery(settings, { onFetch: hear.onFetch, lazy: options.offline ?? false })
  const ownPages = createOwnPages({
    settings,
    catalogue,
    routes: mapRoutes(settings, catalogue),
    apiKeyHeader: apiKeyHeader(settings),
  })
  const build = { settings, catalogue, upstreams, seals, options }
  const house: House = {
    routes: compileRouteTable(settings.routes.flatMap((route) => entriesOf(route, build))),
    readHeaders: headerReader({
      owned: ownedHeaders(settings),
      apiKeyHeader: apiKeyHeader(settings),
      limit: settings.server.limits.header,
    }),
    limits: settings.server.limits,
    stallTimeout: settings.server.timeouts.idle,
    findOpenDocument: (path) => discovery.find(path) ?? ownPages.find(path),
    authenticate: (headers, target, endpoint) => authenticator.authenticate(headers, target, endpoint.route),
  }
  const close = async (milliseconds: number): Promise<void> => {
    await Promise.all([...upstreams.values()].map((upstream) => upstream.close(milliseconds)))
    await Promise.all([discovery.close(), authenticator.close()])
  }
  return { house, settings, discovery, authenticator, close }
}

interface Build {
  readonly settings: Settings
  readonly catalogue: Catalogue
  readonly upstreams: ReadonlyMap<string, Upstream>
  readonly seals: Seals
  readonly options: ComposeOptions
}

function entriesOf(route: Route, build: Build): TableEntry<Endpoint>[] {
  const { settings, catalogue, upstreams } = build
  const { url, publicBase } = settings.upstreams[route.upstream]!
  const { publicUrl, limits } = settings.server
  const urls = compilePublicUrls(url, route.kind === 'fhir' ? publicUrl + route.path : publicUrl)
  const parts: SharedParts = {
    upstream: upstreams.get(route.upstream)!,
    outbound: compileOutbound(outboundRoute(route), {
      owned: ownedHeaders(settings),
      publicUrl,
      counts: countsBy(catalogue),
    }),
    inbound: compileInbound(route, urls),
    bodyLimit: (route.kind === 'fhir' ? route.limits?.body : undefined) ?? limits.body,
    heldLimit: (route.kind === 'fhir' ? route.limits?.guardedBody : undefined) ?? limits.guardedBody,
  }
  if (route.kind === 'fhir') {
    const template = route.path.split('/').filter(Boolean)
    return [{ route: fhirEndpoint(route, fhirParts(route, parts, urls, publicBase, build)), template, base: true }]
  }
  return route.match.map((match) => ({
    route: plainEndpoint(route, match, catalogue, parts),
    method: match.method,
    template: match.path.split('/').slice(1),
    base: false,
  }))
}

function fhirParts(
  route: FhirRoute,
  parts: SharedParts,
  urls: PublicUrls,
  publicBase: boolean,
  { settings, catalogue, seals, options }: Build,
) {
  const { generation, now, hear } = options
  const limits = { ...settings.server.limits, ...route.limits }
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

export function policyOf(route: FhirRoute, catalogue: Catalogue, { server, upstreams }: Settings): FhirPolicy {
  const bases = [server.publicUrl + route.path, ...upstreams[route.upstream]!.url]
  return {
    route: route.name,
    smart: route.smart !== undefined,
    worths: route.grants.map(({ name, scope, via, criteria }) => ({
      scope: name,
      smart: parseScope(scope)!,
      via,
      criteria,
    })),
    criteriaWithoutSearch: route.criteriaWithoutSearch,
    userScopes: route.userScopes,
    catalogue,
    definitions: definitionsOf(route.fhir),
    operations: route.operations,
    compartment: route.patientScopes.compartment,
    sharedTypes: new Set(route.patientScopes.sharedTypes),
    ownBases: bases.map((base) => base.replace(/\/+$/, '')),
  }
}

export function mapRoutes(settings: Settings, catalogue: Catalogue): readonly MappedRoute[] {
  return settings.routes.map((route) =>
    route.kind === 'fhir'
      ? { kind: 'fhir', route, policy: policyOf(route, catalogue, settings) }
      : { kind: 'plain', route },
  )
}

/** What only the issuer knows of, such as `openid`, is passed on for a token; a key has no issuer. */
function countsBy(catalogue: Catalogue): ScopeCounts {
  return (scope, kind) => catalogue.mayCarry(scope, kind) || (kind === 'bearer' && !catalogue.has(scope))
}

function outboundRoute(route: Route): Parameters<typeof compileOutbound>[0] {
  const { kind, identityHeaders, authorization } = route
  return { kind, authorization, identityHeaders: identityHeaders || undefined }
}

/** Every name that carries identity on some route: no client may send one, in any spelling, to any route. */
function ownedHeaders(settings: Settings): readonly string[] {
  const identity = settings.routes.flatMap(({ identityHeaders }) => Object.values(identityHeaders || {}))
  return [...new Set([...identity, apiKeyHeader(settings)])]
}

function apiKeyHeader({ apiKeys }: Settings): string {
  return apiKeys?.header ?? 'X-API-Key'
}
