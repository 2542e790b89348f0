// The metrics of contract §6, by exactly these names and labels, and those of the process. Label values come from closed sets only
// (`closed-labels.ts`); nothing of a request's text is ever one.

import { collectDefaultMetrics, Gauge, type MetricObject, Registry } from 'prom-client'
import { fold, foldStatus, LABELS, RouteMapNames } from './closed-labels.ts'
import { createDurations } from './durations.ts'
import { createTally } from './tally.ts'

export interface Metrics {
  request(route: string, interaction: string, outcome: string, status: number): void
  decision(route: string, outcome: string, code: string): void
  cacheLookup(cache: 'token' | 'decision' | 'introspection', result: 'hit' | 'miss'): void
  gatewaySeconds(seconds: number): void
  upstreamSeconds(upstream: string, seconds: number): void
  guardedEntries(result: 'released' | 'withheld', count: number): void
  jwksRefresh(issuer: string, result: 'success' | 'failure'): void
  /** Whose servers are counted, by what they are fit for, whenever somebody asks for the metrics. */
  watchUpstreams(upstreams: Iterable<WatchedUpstream>): void
  /** The connections of clients, to be counted when somebody asks. */
  watchConnections(connections: { readonly open: number }): void
  /** A connection did not get as far as HTTP. */
  tlsRefused(port: 'public' | 'admin', reason: string): void
  /** When the certificate ends that clients are shown; milliseconds since 1970. */
  tlsCertificate(port: 'public' | 'admin', expires: number): void
  /** A WebSocket was opened; returns what is to be called at its end. */
  webSocket(route: string): () => void
  /** A route map was applied: its number, and the names that labels may have from now on. */
  applied(generation: number, names: Parameters<RouteMapNames['replace']>[0]): void
  /** How the last reload of the route map ended; the first one is the start. */
  reloaded(successful: boolean): void
  print(): Promise<string>
  /** For the process that adds up those of several. */
  snapshot(): Promise<MetricObject[]>
  readonly contentType: string
}

export interface WatchedUpstream {
  readonly name: string
  /** Requests in line for a connection. */
  readonly waiting: number
  count(state: (typeof TARGET_STATES)[number]): number
}

const TARGET_STATES = ['available', 'unhealthy', 'ejected', 'unreachable'] as const
const OWN_SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]
const UPSTREAM_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** `process` adds memory, CPU, event loop and garbage collection; its observers cannot be taken back, so once a process. */
export function createMetrics(options: { readonly process: boolean }): Metrics {
  const registry = new Registry()
  const names = new RouteMapNames()
  if (options.process) collectDefaultMetrics({ register: registry })
  const requests = createTally(
    {
      name: 'scopegate_requests_total',
      help: 'Requests that were answered.',
      labels: ['route', 'interaction', 'outcome', 'status'],
      close: ([route, interaction, outcome, status]) => [
        fold(names.route, route!),
        fold(LABELS.interaction, interaction!),
        fold(LABELS.outcome, outcome!),
        foldStatus(Number(status)),
      ],
    },
    registry,
  )
  const decisions = createTally(
    {
      name: 'scopegate_decisions_total',
      help: 'What became of requests, by outcome and refusal code.',
      labels: ['route', 'outcome', 'code'],
      close: ([route, outcome, code]) => [
        fold(names.route, route!),
        fold(LABELS.outcome, outcome!),
        fold(LABELS.code, code!),
      ],
    },
    registry,
  )
  const lookups = createTally(
    {
      name: 'scopegate_cache_lookups_total',
      help: 'Look-ups in the caches of verified tokens, decisions and introspection answers.',
      labels: ['cache', 'result'],
      close: ([cache, result]) => [fold(LABELS.cache, cache!), fold(LABELS.lookup, result!)],
    },
    registry,
  )
  const guarded = createTally(
    {
      name: 'scopegate_guarded_entries_total',
      help: 'Resources that were checked before their release.',
      labels: ['result'],
      close: ([result]) => [fold(LABELS.guarded, result!)],
    },
    registry,
  )
  const refreshes = createTally(
    {
      name: 'scopegate_jwks_refreshes_total',
      help: 'Fetches of issuers’ key sets.',
      labels: ['issuer', 'result'],
      close: ([issuer, result]) => [fold(names.issuer, issuer!), fold(LABELS.refresh, result!)],
    },
    registry,
  )
  const gateway = createDurations(
    { name: 'scopegate_gateway_seconds', help: 'Own time of a request, upstream excluded.', buckets: OWN_SECONDS },
    registry,
  )
  const upstreams = createDurations(
    {
      name: 'scopegate_upstream_seconds',
      help: 'Time that a request spent at its upstream.',
      buckets: UPSTREAM_SECONDS,
      label: 'upstream',
      close: (upstream) => fold(names.upstream, upstream),
    },
    registry,
  )
  let watched: readonly WatchedUpstream[] = []
  new Gauge({
    name: 'scopegate_upstream_targets',
    help: 'Servers of an upstream: available, unhealthy by its checks, ejected for failed requests, or unreachable.',
    labelNames: ['upstream', 'state'],
    // Each worker looks for itself; the worst that one of them sees is what should be seen.
    aggregator: 'max',
    registers: [registry],
    collect() {
      this.reset()
      for (const upstream of watched) {
        for (const state of TARGET_STATES) this.set({ upstream: upstream.name, state }, upstream.count(state))
      }
    },
  })
  new Gauge({
    name: 'scopegate_upstream_waiting',
    help: 'Requests that wait for a connection to an upstream.',
    labelNames: ['upstream'],
    registers: [registry],
    collect() {
      this.reset()
      for (const { name, waiting } of watched) this.set({ upstream: name }, waiting)
    },
  })
  const tlsRefusals = createTally(
    {
      name: 'scopegate_tls_refused_total',
      help: 'Connections that ended within their TLS handshake, by port and reason.',
      labels: ['port', 'reason'],
      close: ([port, reason]) => [fold(LABELS.port, port!), fold(LABELS.tlsRefusal, reason!)],
    },
    registry,
  )
  const tlsEnd = new Gauge({
    name: 'scopegate_tls_certificate_end_timestamp_seconds',
    help: 'When the certificate ends that clients of a port are shown.',
    labelNames: ['port'],
    registers: [registry],
    aggregator: 'min',
  })
  const webSockets = new Gauge({
    name: 'scopegate_websockets_open',
    help: 'WebSockets that are open.',
    labelNames: ['route'],
    registers: [registry],
  })
  let connections: { readonly open: number } = { open: 0 }
  new Gauge({
    name: 'scopegate_connections',
    help: 'Open connections of clients.',
    registers: [registry],
    collect() {
      this.set(connections.open)
    },
  })
  const generation = new Gauge({
    name: 'scopegate_config_generation',
    help: 'Number of the route map in force.',
    registers: [registry],
    aggregator: 'min',
  })
  const reloadSuccessful = new Gauge({
    name: 'scopegate_config_last_reload_successful',
    help: 'Whether the last reload of the route map was applied; with 0 an older one is in force.',
    registers: [registry],
    aggregator: 'max',
  })
  const reloadTime = new Gauge({
    name: 'scopegate_config_last_reload_timestamp_seconds',
    help: 'When the route map in force was applied.',
    registers: [registry],
    aggregator: 'max',
  })
  return {
    request: (route, interaction, outcome, status) => requests.add(1, route, interaction, outcome, String(status)),
    decision: (route, outcome, code) => decisions.add(1, route, outcome, code),
    cacheLookup: (cache, result) => lookups.add(1, cache, result),
    gatewaySeconds: (seconds) => gateway.observe(seconds),
    upstreamSeconds: (upstream, seconds) => upstreams.observe(seconds, upstream),
    guardedEntries: (result, count) => guarded.add(count, result),
    jwksRefresh: (issuer, result) => refreshes.add(1, issuer, result),
    watchUpstreams: (upstreams) => {
      watched = [...upstreams]
    },
    watchConnections: (watching) => {
      connections = watching
    },
    tlsRefused: (port, reason) => tlsRefusals.add(1, port, reason),
    tlsCertificate: (port, expires) => tlsEnd.set({ port }, expires / 1000),
    webSocket: (route) => {
      const open = webSockets.labels(fold(names.route, route))
      open.inc()
      return () => open.dec()
    },
    applied: (number, applied) => {
      names.replace(applied)
      generation.set(number)
    },
    reloaded: (successful) => {
      reloadSuccessful.set(successful ? 1 : 0)
      if (successful) reloadTime.setToCurrentTime()
    },
    print: () => registry.metrics(),
    snapshot: () => registry.getMetricsAsJSON(),
    contentType: registry.contentType,
  }
}
