// From the settings to the live parts of one generation: the only place that constructs. What lasts longer than a generation comes
// from `lasting`, or is taken from the lease on the parts that the process keeps while their settings stay the same.

import type { Settings } from '../config/settings.ts'
import { type Authenticator, createAuthenticator, type KeyLookup } from '../credentials/authenticate.ts'
import { compileCatalogue } from '../domain/decision/policy.ts'
import { headerReader } from '../domain/http/request-headers.ts'
import { compileRouteTable } from '../domain/route-table.ts'
import { Upstream } from '../proxy/upstream.ts'
import type { UpstreamTls } from '../proxy/upstream-tls.ts'
import { compileClientAddress } from './client-address.ts'
import { createDiscovery, type Discovery } from './discovery.ts'
import { entriesOf } from './endpoints.ts'
import type { House } from './gateway.ts'
import type { Lease } from './keeper.ts'
import type { Lasting } from './lasting.ts'
import { createOwnPages } from './own-pages.ts'
import { apiKeyHeader, ownedHeaders } from './owned-headers.ts'
import { mapRoutes } from './policy-of.ts'

export interface GenerationParts {
  readonly generation: number
  readonly lease: Lease
  /** API keys and service keys; left out where there are none to ask. */
  readonly keyStore?: Pick<KeyLookup, 'find'> | undefined
  /** What TLS towards upstreams is spoken with, by their names. */
  readonly upstreamTls?: ReadonlyMap<string, UpstreamTls> | undefined
  /** Nothing is fetched before it is needed: for `explain`. */
  readonly offline?: boolean
}

export interface Composed {
  readonly house: House
  readonly settings: Settings
  readonly discovery: Discovery
  readonly authenticator: Authenticator
  readonly upstreams: ReadonlyMap<string, Upstream>
  /** Gives the parts back; what nobody else uses is closed, and what runs in it has so many milliseconds. */
  close(milliseconds: number): Promise<void>
}

export function compose(settings: Settings, lasting: Lasting, own: GenerationParts): Composed {
  const { hear, now, seals, keySets, state } = lasting
  const { generation, lease, keyStore, offline = false } = own
  const { limits, timeouts } = settings.server
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
    now,
    keySets,
    ...(keyStore && { apiKeys: { header: apiKeyHeader(settings), find: keyStore.find } }),
    onCacheLookup: (result) => hear.onCacheLookup('token', result),
  })
  const discovery = createDiscovery(settings, { lease, onFetch: hear.onFetch, lazy: offline })
  const ownPages = createOwnPages({
    settings,
    catalogue,
    routes: mapRoutes(settings, catalogue),
    apiKeyHeader: apiKeyHeader(settings),
  })
  const build = { settings, catalogue, upstreams, seals, generation, now, hear, state }
  const house: House = {
    routes: compileRouteTable(settings.routes.flatMap((route) => entriesOf(route, build))),
    readHeaders: headerReader({
      owned: ownedHeaders(settings),
      apiKeyHeader: apiKeyHeader(settings),
      limit: limits.header,
    }),
    limits,
    stallTimeout: timeouts.idle,
    clientAddress: compileClientAddress(settings.server.trustedProxies),
    findOpenDocument: (path) => discovery.find(path) ?? ownPages.find(path),
    authenticate: (headers, target, endpoint) => authenticator.authenticate(headers, target, endpoint.route),
  }
  const close = async (milliseconds: number): Promise<void> => {
    await Promise.all([lease.end(milliseconds), authenticator.close()])
  }
  return { house, settings, discovery, authenticator, upstreams, close }
}
