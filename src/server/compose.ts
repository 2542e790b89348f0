// From the settings to the live parts of one generation: the only place that constructs. What lasts longer than a generation comes
// from `lasting`, or is taken from the lease on the parts that the process keeps while their settings stay the same.

import type { Settings } from '../config/settings.ts'
import type { KeyStore } from '../credentials/api-keys/key-store.ts'
import { type Authenticator, createAuthenticator } from '../credentials/authenticate.ts'
import { compileCatalogue } from '../domain/decision/policy.ts'
import { headerReader } from '../domain/http/request-headers.ts'
import { compileRouteTable } from '../domain/route-table.ts'
import { Upstream } from '../proxy/upstream.ts'
import type { UpstreamTls } from '../proxy/upstream-tls.ts'
import { compileCrossOrigin } from './discovery/cross-origin.ts'
import { createDiscovery, type Discovery } from './discovery/discovery.ts'
import { createOwnPages } from './discovery/own-pages.ts'
import { entriesOf } from './endpoints.ts'
import type { House } from './gateway.ts'
import type { Lease } from './generations/keeper.ts'
import type { Lasting } from './generations/lasting.ts'
import { createLiveHouse } from './live/live-house.ts'
import { ownTokens } from './own-tokens.ts'
import { apiKeyHeader, ownedHeaders } from './owned-headers.ts'
import { largestParameterLimit } from './parameter-limit.ts'
import { mapRoutes } from './policy-of.ts'
import { compileClientAddress, compileNetworks } from './port/client-address.ts'

export interface GenerationParts {
  readonly generation: number
  readonly lease: Lease
  /** API keys and service keys; left out where there are none to ask. */
  readonly keyStore?: Pick<KeyStore, 'find' | 'counts'> | undefined
  /** What TLS towards upstreams is spoken with, by their names. */
  readonly upstreamTls?: ReadonlyMap<string, UpstreamTls> | undefined
  /** Nothing is fetched before it is needed: for `explain`. */
  readonly offline?: boolean
}

export interface Composed {
  readonly house: House
  readonly settings: Settings
  /** Whether `server.trustedProxies` names an address. */
  isProxy(address: string): boolean
  readonly discovery: Discovery
  readonly authenticator: Authenticator
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** Gives the parts back; what nobody else uses is closed, and what runs in it has so many milliseconds. */
  close(milliseconds: number): Promise<void>
}

export function compose(settings: Settings, lasting: Lasting, own: GenerationParts): Composed {
  const { hear, now, seals, keySets, state, revocations, signatureWork } = lasting
  const { generation, lease, keyStore, offline = false } = own
  const { limits } = settings.server
  const catalogue = compileCatalogue(settings.scopes)
  const upstreams = new Map(
    Object.values(settings.upstreams).map((upstream) => {
      const tls = own.upstreamTls?.get(upstream.name)
      const make = () => new Upstream(upstream, { tls, onTarget: hear.onTarget })
      // With what its files hold: a renewed certificate is another upstream.
      const part = lease.part(`upstream ${upstream.name}`, [upstream, tls], make, (part, ms) => part.close(ms))
      if (!offline) part.start()
      return [upstream.name, part]
    }),
  )
  const authenticator = createAuthenticator({
    issuers: settings.issuers,
    limits,
    publicUrl: settings.server.publicUrl,
    now,
    keySets,
    work: signatureWork,
    revocations,
    replays: state,
    ...(keyStore && { apiKeys: { header: apiKeyHeader(settings), find: keyStore.find } }),
    onCacheLookup: hear.onCacheLookup,
    onIntrospectionFailure: hear.onIntrospectionFailure,
  })
  const ownTokenOf = ownTokens(lease, hear.onFetch)
  const { upstreamTls } = own
  const discovery = createDiscovery(settings, { lease, onFetch: hear.onFetch, lazy: offline, upstreamTls, ownTokenOf })
  const ownPages = createOwnPages({
    settings,
    catalogue,
    routes: mapRoutes(settings, catalogue),
    apiKeyHeader: apiKeyHeader(settings),
  })
  const build = { settings, catalogue, upstreams, seals, generation, now, hear, state, ownTokenOf }
  const routes = compileRouteTable(settings.routes.flatMap((route) => entriesOf(route, build)))
  const ours = { owned: ownedHeaders(settings), apiKeyHeader: apiKeyHeader(settings) }
  const house: House = {
    routes,
    readHeaders: headerReader({
      ...ours,
      limit: limits.header,
    }),
    parameterLimit: largestParameterLimit(settings),
    clientAddress: compileClientAddress(settings.server.trustedProxies),
    live: createLiveHouse(settings, lasting, keyStore, authenticator),
    crossOrigin: compileCrossOrigin({ cors: settings.cors, routes, ...ours }),
    findOpenDocument: (path) => discovery.find(path) ?? ownPages.find(path),
    authenticate: (request, endpoint) => authenticator.authenticate(request, endpoint.route),
  }
  const close = async (milliseconds: number): Promise<void> => {
    await Promise.all([lease.end(milliseconds), authenticator.close()])
  }
  const isProxy = compileNetworks(settings.server.trustedProxies)
  return { house, settings, isProxy, discovery, authenticator, upstreams, close }
}
