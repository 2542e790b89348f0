// A running gateway: the public port and the admin port of one process, from settings that were checked. The ports and what lasts are
// made here, once; what a route map says is a generation (`generations.ts`), and each request begins on the one in force.

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Address } from '../config/schema/address.ts'
import type { Settings } from '../config/settings.ts'
import type { ApiKey } from '../credentials/api-keys/api-key.ts'
import { describeError } from '../observability/described-error.ts'
import type { Log } from '../observability/logger.ts'
import { createMetrics, type Metrics } from '../observability/metrics.ts'
import { createRecord } from '../observability/record.ts'
import { startAdmin } from './admin.ts'
import { explain } from './explain.ts'
import { serve } from './gateway.ts'
import type { Generation } from './generation.ts'
import { Generations } from './generations.ts'
import { createLasting, type Hearers } from './lasting.ts'
import { type Listener, listen } from './listen.ts'
import { Passage } from './passage.ts'

export interface StartOptions {
  readonly settings: Settings
  readonly log: Log
  /** Newest first; none: page links are good for this process only. */
  readonly sealKeys?: readonly string[]
  /** API keys besides those of the key file, for this process only: the demo's. */
  readonly madeHere?: readonly ApiKey[]
  /** Memory, CPU and event loop among the metrics; once a process. */
  readonly processMetrics?: boolean
  readonly now?: () => number
}

export interface Running {
  /** What clients call, and where the admin port listens. */
  readonly url: string
  readonly adminUrl: string
  /** Stops accepting, lets running requests end within `timeouts.drain`, then closes everything. */
  close(): Promise<void>
}

export async function start(options: StartOptions): Promise<Running> {
  const { settings, log, now = Date.now } = options
  const metrics = createMetrics({ process: options.processMetrics ?? false })
  const lasting = createLasting({ now, sealKeys: options.sealKeys ?? [], hear: hearers(metrics, log) })
  const generations = new Generations({
    lasting,
    record: createRecord(log, metrics),
    opening: { log, ...(options.madeHere && { madeHere: options.madeHere }) },
    onApplied: ({ number, composed }) => metrics.applied(number, labelNames(composed.settings)),
  })
  const opened: { close(milliseconds: number): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    // The admin port goes last: while the public one drains, it says that this instance is no longer ready.
    for (const port of opened) await port.close(settings.server.timeouts.drain)
    await generations.close()
    await lasting.close()
    log.flush()
  }
  try {
    generations.apply(await generations.prepare(settings))
    const listener = await open(generations, settings)
    opened.push(listener)
    const keyStore = () => generations.current.keyStore
    const admin = await startAdmin({
      settings: settings.server.admin,
      metrics,
      isReady: () => !listener.draining,
      generation: () => generations.current.number,
      explain: (request) => explain(generations.current.composed, request, now()),
      onError: (error) => log.logger.error({ err: describeError(error) }, 'the admin port failed on a request'),
      keys: () => ({ keys: keyStore()?.list(now()) ?? [], problems: keyStore()?.problems ?? [] }),
    })
    opened.push(admin)
    return {
      url: urlOf(settings.server.listen, listener.address.port),
      adminUrl: urlOf(settings.server.admin.listen, admin.address.port),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function open(generations: Generations, { server }: Settings): Promise<Listener> {
  const nextId = requestIds()
  const { host, port } = server.listen
  const begin = (generation: Generation, request: IncomingMessage, response: ServerResponse): Passage => {
    generation.enter()
    return new Passage(nextId(), request, response, generation.around)
  }
  return listen(
    { host, port, limits: server.limits, timeouts: server.timeouts },
    {
      handle: (request, response) => {
        const generation = generations.current
        void serve(begin(generation, request, response), generation.composed.house)
      },
      refuse: (request, response, refusal) => begin(generations.current, request, response).refuse(refusal),
    },
  )
}

function hearers(metrics: Metrics, { logger }: Log): Hearers {
  return {
    onCacheLookup: metrics.cacheLookup,
    onGuarded: metrics.guardedEntries,
    onFetch: (what, error) =>
      error !== undefined && logger.warn({ what, err: describeError(error) }, 'a document could not be fetched'),
    onJwksRefresh: (issuer, result, problem) => {
      metrics.jwksRefresh(issuer, result)
      if (problem !== undefined) logger.warn({ issuer, problem }, 'the keys of an issuer could not be fetched')
    },
  }
}

/** Short, unguessable across restarts, and cheap: a random start and a count. Always a FHIR id, as OperationOutcomes carry it. */
function requestIds(): () => string {
  const start = randomBytes(6).toString('hex')
  let count = 0
  return () => `${start}-${(++count).toString(36)}`
}

function labelNames(settings: Settings) {
  return {
    routes: settings.routes.map(({ name }) => name),
    upstreams: Object.keys(settings.upstreams),
    issuers: settings.issuers.map(({ name }) => name),
  }
}

function urlOf({ host }: Address, port: number): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
