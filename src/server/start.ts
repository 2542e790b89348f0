// A running gateway: the public port and the admin port of one process, from settings that were checked. Everything that outlives
// a configuration (key sets, metrics, log) is made here; the rest is `compose.ts`.

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Address } from '../config/schema/address.ts'
import type { Settings } from '../config/settings.ts'
import type { ApiKey } from '../credentials/api-keys/api-key.ts'
import type { KeyFileNews } from '../credentials/api-keys/key-file-watch.ts'
import { type KeyStore, openKeyStore } from '../credentials/api-keys/key-store.ts'
import { createKeySets } from '../credentials/jwks.ts'
import { describeError } from '../observability/described-error.ts'
import type { Log } from '../observability/logger.ts'
import { createMetrics } from '../observability/metrics.ts'
import { createRecord } from '../observability/record.ts'
import { startAdmin } from './admin.ts'
import { type Composed, compose } from './compose.ts'
import { explain } from './explain.ts'
import { serve } from './gateway.ts'
import { type Listener, listen } from './listen.ts'
import { Passage, type Surroundings } from './passage.ts'

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
  const generation = 1
  const keyStore = await openKeys(options)
  const metrics = createMetrics({ process: options.processMetrics ?? false })
  metrics.applied(generation, labelNames(settings))
  const keySets = createKeySets({
    now,
    onRefresh: (issuer, result, problem) => {
      metrics.jwksRefresh(issuer, result)
      if (problem !== undefined) log.logger.warn({ issuer, problem }, 'the keys of an issuer could not be fetched')
    },
  })
  const composed = compose(settings, {
    generation,
    keySets,
    keyStore,
    sealKeys: options.sealKeys ?? [],
    now,
    hear: {
      onCacheLookup: metrics.cacheLookup,
      onGuarded: metrics.guardedEntries,
      onFetch: (what, error) =>
        error !== undefined && log.logger.warn({ what, err: describeError(error) }, 'a document could not be fetched'),
    },
  })
  // The keys are usually there before the first request; one that comes earlier waits for them.
  void composed.authenticator.warm()
  const opened: { close(milliseconds: number): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    // The admin port goes last: while the public one drains, it says that this instance is no longer ready.
    for (const port of opened) await port.close(settings.server.timeouts.drain)
    await composed.close(0)
    await keySets.close()
    keyStore?.close()
    log.flush()
  }
  try {
    const listener = await open(composed, createRecord(log, metrics), settings)
    opened.push(listener)
    const admin = await startAdmin({
      settings: settings.server.admin,
      metrics,
      isReady: () => !listener.draining,
      generation: () => generation,
      explain: (request) => explain(composed, request, now()),
      onError: (error) => log.logger.error({ err: describeError(error) }, 'the admin port failed on a request'),
      keys: () => ({ keys: keyStore?.list(now()) ?? [], problems: keyStore?.problems ?? [] }),
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

function open(
  { house, discovery, settings }: Composed,
  record: Surroundings['record'],
  { server }: Settings,
): Promise<Listener> {
  const around: Surroundings = {
    record,
    realm: new URL(settings.server.publicUrl).host,
    resourceMetadata: (endpoint) => endpoint && discovery.resourceMetadata(endpoint.route),
  }
  const nextId = requestIds()
  const { host, port } = server.listen
  return listen(
    { host, port, limits: server.limits, timeouts: server.timeouts },
    {
      handle: (request: IncomingMessage, response: ServerResponse) =>
        void serve(new Passage(nextId(), request, response, around), house),
      refuse: (request, response, refusal) => new Passage(nextId(), request, response, around).refuse(refusal),
    },
  )
}

async function openKeys({ settings, log, madeHere = [] }: StartOptions): Promise<KeyStore | undefined> {
  if (settings.apiKeys === undefined) return undefined
  const { file } = settings.apiKeys
  return openKeyStore({ file, madeHere, onNews: (news) => logNews(news, file, log) })
}

function logNews(news: KeyFileNews, file: string, { logger }: Log): void {
  switch (news.state) {
    case 'read':
      logger.info({ file, count: news.keys.length }, 'the key file was read')
      break
    case 'missing':
      logger.warn({ file }, 'there is no key file: no key counts until it appears')
      break
    case 'broken':
      logger.error({ file, problems: news.problems }, 'the key file is broken: the keys that were read before count on')
      break
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
