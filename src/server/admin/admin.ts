// The admin port (contract §6): health, metrics, explain, reload, and which keys are used. Health and metrics are open; the rest asks
// for the token or a client certificate where there is one, and is closed off loopback where there is neither.

import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Address, isLoopback } from '../../config/schema/address.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Metrics } from '../../observability/metrics.ts'
import { replyDocument, replyJson, replyRefusal } from '../../proxy/reply.ts'
import type { ExplainRequest } from '../explain/explain.ts'
import { parseExplainRequest } from '../explain/explain-request.ts'
import { answerBrokenRequest } from '../port/broken-request.ts'
import { createTlsServer, type TlsPort } from '../port/tls-server.ts'
import { type AccessRules, refuseForeignPages, refuseUnauthorized, refuseUnlessJson } from './admin-access.ts'
import { type AdminPlace, type AdminReply, openPlace, readPlace, writePlace } from './admin-place.ts'

export interface AdminOptions {
  readonly settings: { readonly listen: Address; readonly token?: string }
  /** Left out: plain HTTP. Its identity is closed with the port. */
  readonly tls?: TlsPort | undefined
  readonly metrics: Pick<Metrics, 'print' | 'contentType'>
  /** A configuration is applied and the gateway is not draining. */
  isReady(): boolean
  /** Number of the configuration in force. */
  generation(): number
  explain(request: ExplainRequest): Promise<object>
  /** API keys and service keys with their last use; no hashes. */
  keys?(): object | Promise<object>
  /** Left out where the route map cannot be reloaded. */
  reload?(): Promise<Reloaded>
  /** What other parts of the gateway add. */
  readonly places?: readonly AdminPlace[]
  /** Hears of defects; the client is told only that there was one. */
  onError?(error: unknown): void
}

/** All or nothing: with problems, the last good route map stays. */
export interface Reloaded {
  readonly generation: number
  readonly problems: readonly string[]
}

export interface AdminPort {
  readonly address: AddressInfo
  /** Lets running answers end for so many milliseconds. */
  close(milliseconds: number): Promise<void>
}

const MOST_CONNECTIONS = 256
const STALL_MS = 120_000
const SERVER_OPTIONS = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
}

export async function startAdmin(options: AdminOptions): Promise<AdminPort> {
  const { host, port } = options.settings.listen
  const { tls } = options
  const rules: AccessRules = {
    token: options.settings.token || undefined,
    certificates: tls !== undefined && tls.clientCertificates !== 'none',
    exposed: !isLoopback(host),
  }
  const places = placesOf(options)
  const server =
    tls === undefined
      ? createServer(SERVER_OPTIONS)
      : createTlsServer(SERVER_OPTIONS, tls, SERVER_OPTIONS.headersTimeout)
  server.on('request', (request, response) => void serve(request, response, places, rules, options.onError))
  server.maxConnections = MOST_CONNECTIONS
  // Who does not read on makes room.
  server.setTimeout(STALL_MS)
  server.on('clientError', (_, socket) => {
    answerBrokenRequest(
      socket as Parameters<typeof answerBrokenRequest>[0],
      refuse('header-ambiguous', 'This is not a well-formed HTTP/1.1 request.'),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    address: server.address() as AddressInfo,
    close: (milliseconds) => {
      tls?.identity.close()
      return close(server, milliseconds)
    },
  }
}

type Places = ReadonlyMap<string, AdminPlace>

function placesOf(options: AdminOptions): Places {
  const { metrics, reload } = options
  const all = [
    openPlace('/health/live', () => ({ status: 200, json: { status: 'alive' } })),
    openPlace('/health/ready', () => readiness(options.isReady(), options.generation())),
    openPlace('/metrics', async () => ({ status: 200, contentType: metrics.contentType, body: await metrics.print() })),
    writePlace('/explain', (text) => explain(text, options)),
    readPlace('/keys', async () => ({ status: 200, json: (await options.keys?.()) ?? { keys: [] } })),
    writePlace('/reload', () => (reload === undefined ? cannotReload() : reload().then(printReloaded))),
    ...(options.places ?? []),
  ]
  return new Map(all.map((place) => [place.path, place]))
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  places: Places,
  rules: AccessRules,
  onError: AdminOptions['onError'],
): Promise<void> {
  const requestId = randomUUID()
  const place = places.get(request.url!.split('?', 1)[0]!)
  let reply: AdminReply
  try {
    reply =
      refuseForeignPages(request, rules) ?? refuseHere(request, place, places, rules) ?? (await place!.answer(request))
  } catch (error) {
    onError?.(error)
    reply = refuse('gateway-broken', 'The admin port failed on this request.')
  }
  if (isRefusal(reply)) {
    const challenge = reply.status === 401 ? { challenge: { realm: 'scopegate admin' } } : {}
    replyRefusal(response, reply, { fhir: false, wantsXml: false, requestId, ...challenge })
  } else if ('json' in reply) replyJson(response, reply.status, reply.json, requestId)
  else
    replyDocument(response, { ...reply, headers: ['cache-control', 'no-store', ...(reply.headers ?? [])] }, requestId)
}

function refuseHere(
  request: IncomingMessage,
  place: AdminPlace | undefined,
  places: Places,
  rules: AccessRules,
): Refusal | undefined {
  if (place === undefined) {
    const known = [...places].map(([path, { methods }]) => `${methods[0]} ${path}`)
    return refuse('route-unknown', `The admin port has ${known.join(', ')}.`)
  }
  const { methods, open } = place
  if (!methods.includes(request.method!)) {
    return refuse('interaction-unknown', `Use ${methods.join(' or ')} here.`, { allow: methods })
  }
  if (open) return undefined
  return refuseUnauthorized(request, rules) ?? (isSafe(request.method!) ? undefined : refuseUnlessJson(request))
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

function readiness(ready: boolean, generation: number): AdminReply {
  return ready
    ? { status: 200, json: { status: 'ready', generation } }
    : { status: 503, json: { status: 'draining', generation } }
}

async function explain(text: string, options: AdminOptions): Promise<AdminReply> {
  const request = parseExplainRequest(text)
  return isRefusal(request) ? request : { status: 200, json: await options.explain(request) }
}

function cannotReload(): AdminReply {
  const detail = 'This version does not reload its route map. Restart the gateway to apply a changed one.'
  return refuse('interaction-unknown', detail, { status: 501 })
}

function printReloaded({ generation, problems }: Reloaded): AdminReply {
  return problems.length === 0
    ? { status: 200, json: { status: 'applied', generation } }
    : { status: 422, json: { status: 'kept', generation, problems } }
}

function close(server: Server, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.closeAllConnections(), milliseconds)
    server.close(() => {
      clearTimeout(deadline)
      resolve()
    })
    server.closeIdleConnections()
  })
}
