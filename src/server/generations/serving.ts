// The public port and everything behind it, in one process: what lasts, the generations of the route map, and the listener, whose
// requests begin on the generation in force. A lone process has one, with an admin port beside it (`start.ts`); so has each worker.

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { Address } from '../../config/schema/address.ts'
import type { Settings } from '../../config/settings.ts'
import type { ApiKey } from '../../credentials/api-keys/api-key.ts'
import type { KeyUse } from '../../credentials/api-keys/key-ring.ts'
import type { Revocation } from '../../credentials/revocation-list.ts'
import { describeError } from '../../observability/described-error.ts'
import type { Log } from '../../observability/logger.ts'
import { createMetrics, type Metrics } from '../../observability/metrics.ts'
import { createRecord } from '../../observability/record.ts'
import type { SharedState } from '../../state/shared-state.ts'
import { type ExplainRequest, type Explanation, explain } from '../explain/explain.ts'
import { serve } from '../gateway.ts'
import { isWebSocketRoute } from '../live/open-web-socket.ts'
import { Passage } from '../passage.ts'
import { Connections } from '../port/connections.ts'
import { type Listener, listen } from '../port/listen.ts'
import { mostConnections } from '../port/open-files.ts'
import { openPublicTls } from '../port/open-tls.ts'
import type { TlsPort } from '../port/tls-server.ts'
import type { Generation } from './generation.ts'
import { Generations } from './generations.ts'
import { createLasting, type Hearers, type Lasting } from './lasting.ts'

export interface ServingOptions {
  readonly settings: Settings
  readonly log: Log
  /** Number of the first generation; 1 unless others went before in other processes. */
  readonly generation?: number
  /** Newest first; none: page links are good for this process only. */
  readonly sealKeys?: readonly string[]
  /** API keys besides those of the key file, for this process only: the demo's. */
  readonly madeHere?: readonly ApiKey[]
  /** Memory, CPU and event loop among the metrics; once a process. */
  readonly processMetrics?: boolean
  /** Where other processes listen already, for the port of `settings`. */
  readonly port?: number | undefined
  /** What several processes share; left out where there is one. */
  readonly state?: SharedState
  /** Said in other processes before this one. */
  readonly revocations?: readonly Revocation[]
  readonly now?: () => number
}

/** API keys and service keys with their last use; no hashes. */
export interface KeysInUse {
  readonly keys: readonly KeyUse[]
  readonly problems: readonly string[]
}

export interface Serving {
  readonly url: string
  readonly port: number
  readonly metrics: Metrics
  readonly generations: Generations
  readonly lasting: Lasting
  /** A configuration is applied, and nobody wants to stop. */
  readonly isReady: boolean
  explain(request: ExplainRequest): Promise<Explanation>
  keys(): KeysInUse
  /** No longer ready; for so many milliseconds connections are still accepted, and answers ask clients to open others elsewhere. */
  beginDraining(grace: number): Promise<void>
  /** Stops accepting, lets running requests end within `timeouts.drain`, then closes everything. */
  close(): Promise<void>
}

export async function startServing(options: ServingOptions): Promise<Serving> {
  const { settings, log, now = Date.now } = options
  const metrics = createMetrics({ process: options.processMetrics ?? false })
  const lasting = createLasting({
    now,
    sealKeys: options.sealKeys ?? [],
    hear: hearers(metrics, log),
    ...(options.state && { state: options.state }),
  })
  // INVARIANT: nobody serves without what was revoked before.
  if (!lasting.revocations.post(options.revocations ?? []))
    throw new Error('there are too many revocations to begin with')
  const generations = new Generations({
    lasting,
    record: createRecord(log, metrics),
    opening: { log, ...(options.madeHere && { madeHere: options.madeHere }) },
    onApplied: ({ number, composed }) => {
      metrics.applied(number, labelNames(composed.settings))
      metrics.watchUpstreams(composed.upstreams.values())
      lasting.live.reloaded(composed.settings)
    },
  })
  let draining = false
  let listener: Listener | undefined
  let tls: TlsPort | undefined
  const close = async (): Promise<void> => {
    draining = true
    const drain = (generations.current?.composed.settings ?? settings).server.timeouts.drain
    lasting.live.close()
    await listener?.close(drain)
    tls?.identity.close()
    await generations.close()
    await lasting.close()
    log.flush()
  }
  try {
    generations.apply(await generations.prepare(settings, options.generation))
    tls = await openPublicTls(settings.server, { log, metrics })
    listener = await open(
      generations,
      metrics,
      settings,
      options.port ?? settings.server.listen.port,
      tls,
      () => draining,
    )
  } catch (error) {
    await close()
    throw error
  }
  return {
    url: urlOf(settings.server.listen, listener.address.port, settings.server.tls !== undefined),
    port: listener.address.port,
    metrics,
    generations,
    lasting,
    get isReady() {
      return !draining
    },
    explain: (request) => explain(generations.current!.composed, request, now()),
    keys() {
      const { keyStore } = generations.current!
      return { keys: keyStore?.list(now()) ?? [], problems: keyStore?.problems ?? [] }
    },
    async beginDraining(grace) {
      draining = true
      if (grace > 0) await wait(grace)
    },
    close,
  }
}

function open(
  generations: Generations,
  metrics: Metrics,
  settings: Settings,
  port: number,
  tls: TlsPort | undefined,
  isDraining: () => boolean,
): Promise<Listener> {
  const { server } = settings
  const nextId = requestIds()
  const { host } = server.listen
  const connections = new Connections({
    connections: mostConnections(settings),
    perAddress: server.limits.connectionsPerAddress,
    isProxy: (address) => generations.current!.composed.isProxy(address),
  })
  metrics.watchConnections(connections)
  const begin = (
    generation: Generation,
    request: IncomingMessage,
    response: ServerResponse,
    ahead?: number,
  ): Passage => {
    generation.enter()
    if (isDraining()) response.shouldKeepAlive = false
    return new Passage(nextId(), request, response, generation.around, ahead)
  }
  return listen(
    { host, port, limits: server.limits, timeouts: server.timeouts, bodiesAreTimed: true, connections, tls },
    {
      handle: (request, response) => {
        const generation = generations.current!
        void serve(begin(generation, request, response), generation.composed.house)
      },
      webSockets: {
        isMeant: (request) => isWebSocketRoute(request, generations.current!.composed.house),
        handle: (request, response, ahead) => {
          const generation = generations.current!
          void serve(begin(generation, request, response, ahead), generation.composed.house)
        },
      },
      refuse: (request, response, refusal) => begin(generations.current!, request, response).refuse(refusal),
    },
  )
}

function hearers(metrics: Metrics, { logger }: Log): Hearers {
  return {
    onWebSocket: metrics.webSocket,
    onCacheLookup: metrics.cacheLookup,
    onGuarded: metrics.guardedEntries,
    onFetch: (what, error) =>
      error !== undefined && logger.warn({ what, err: describeError(error) }, 'a document could not be fetched'),
    onJwksRefresh: (issuer, result, problem) => {
      metrics.jwksRefresh(issuer, result)
      if (problem !== undefined) logger.warn({ issuer, problem }, 'the keys of an issuer could not be fetched')
    },
    onIntrospectionFailure: (issuer, problem) =>
      logger.warn({ issuer, problem }, 'an issuer could not be asked about a token'),
    onTarget: ({ state, ...news }) =>
      state === 'available'
        ? logger.info({ ...news, state }, 'a server of an upstream is back')
        : logger.warn({ ...news, state }, 'a server of an upstream is left out'),
  }
}

/** Short, unguessable across restarts, and cheap: a random start and a count. Always a FHIR id, as OperationOutcomes carry it. */
function requestIds(): () => string {
  const start = randomBytes(6).toString('hex')
  let count = 0
  return () => `${start}-${(++count).toString(36)}`
}

/** From which metrics take their labels. */
export function labelNames(settings: Settings) {
  return {
    routes: settings.routes.map(({ name }) => name),
    upstreams: Object.keys(settings.upstreams),
    issuers: settings.issuers.map(({ name }) => name),
  }
}

export function urlOf({ host }: Address, port: number, secure = false): string {
  return `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
