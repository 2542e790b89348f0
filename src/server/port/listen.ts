// The public port: node:http with every limit of the route map set, and an answer in the contract's form for whatever fails
// before there is a request to route. `100 Continue` goes out only when someone begins to read the body, so never before the
// request is authorised. `close` drains: no new connections, running requests may end, then everything is cut.

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import { answerBrokenRequest } from './broken-request.ts'
import type { Connections } from './connections.ts'
import { drain, trackConnections } from './drain.ts'
import { keepHalfOpen } from './half-open.ts'
import { LateConnections } from './late-connections.ts'
import { inTurn } from './one-at-a-time.ts'
import { createTlsServer, type TlsPort } from './tls-server.ts'
import { asksForWebSocket, responseOn } from './upgrade.ts'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly limits: { readonly header: number; readonly target: number }
  /** Milliseconds. */
  readonly timeouts: { readonly header: number; readonly idle: number; readonly request: number }
  /** Whoever reads a body says how long it may take, instead of `timeouts.request`. */
  readonly bodiesAreTimed?: boolean
  /** Left out: as many as the system allows. */
  readonly connections?: Connections | undefined
  /** Left out: plain HTTP. */
  readonly tls?: TlsPort | undefined
}

export interface RequestListener {
  handle(request: IncomingMessage, response: ServerResponse): void
  /** Left out: a request for a WebSocket is a request like every other. */
  readonly webSockets?: WebSocketListener
  /** A request that can be read but is refused for its line alone. */
  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void
}

export interface WebSocketListener {
  /** Whether it is to be looked at as one. */
  isMeant(request: IncomingMessage): boolean
  /** As `handle`; `ahead`: bytes that came behind the fields. */
  handle(request: IncomingMessage, response: ServerResponse, ahead: number): void
}

export interface Listener {
  readonly address: AddressInfo
  readonly draining: boolean
  /** Resolves when the last request has ended, at the latest after `milliseconds`. */
  close(milliseconds: number): Promise<void>
}

export async function listen(options: ListenOptions, listener: RequestListener): Promise<Listener> {
  const server = options.tls
    ? createTlsServer(serverOptions(options, listener), options.tls, options.timeouts.header)
    : createServer(serverOptions(options, listener))
  const state = { draining: false }
  trackConnections(server)
  serve(server, options, listener, state)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    address: server.address() as AddressInfo,
    get draining() {
      return state.draining
    },
    close: (milliseconds) => {
      state.draining = true
      return drain(server, milliseconds)
    },
  }
}

/** How often node:http looks for slow ones: often, so that few are found at once. */
const LOOK_EVERY_MS = 250

function serverOptions(
  { limits, timeouts, bodiesAreTimed = false }: ListenOptions,
  { webSockets }: RequestListener,
): ServerOptions {
  return {
    // The parser counts target and fields together; each has its own limit later on, which is exact.
    maxHeaderSize: limits.header + limits.target,
    headersTimeout: Math.min(timeouts.header, timeouts.request),
    requestTimeout: bodiesAreTimed ? 0 : timeouts.request,
    keepAliveTimeout: timeouts.idle,
    connectionsCheckingInterval: Math.min(Math.max(timeouts.header / 4, 100), LOOK_EVERY_MS),
    // Refused below, with a code.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
    // What is not upgraded is an ordinary request, whatever its Upgrade header says.
    shouldUpgradeCallback: (request) => asksForWebSocket(request) && webSockets?.isMeant(request) === true,
    // Requests without a body, which most are, skip the life of a stream.
    optimizeEmptyRequests: true,
  } as ServerOptions
}

function serve(
  server: Server,
  { limits, timeouts, connections }: ListenOptions,
  listener: RequestListener,
  state: { draining: boolean },
): void {
  // Bounded by size, never by a count that drops the rest in silence.
  server.maxHeadersCount = 0
  server.setTimeout(timeouts.idle, endIdle)
  keepHalfOpen(server)
  connections?.watch(server)
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    if (state.draining) response.shouldKeepAlive = false
    const refusal = refusalOfLine(request, limits.target)
    if (refusal === undefined) listener.handle(request, response)
    else listener.refuse(request, response, refusal)
  }
  const receive = (request: IncomingMessage, response: ServerResponse): void => {
    if (connections?.begin(request, response) === false) return
    inTurn(request, response, () => begin(request, response))
  }
  server.on('request', receive)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // INVARIANT: no 100 before somebody reads, and nobody reads before the request is authorised.
    request.once('resume', () => {
      if (!response.headersSent && !request.complete) response.writeContinue()
    })
    receive(request, response)
  })
  server.on('checkExpectation', receive)
  server.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const response = responseOn(request, stream)
    if (connections?.begin(request, response) === false) return
    const refusal = refusalOfLine(request, limits.target)
    if (refusal === undefined) listener.webSockets!.handle(request, response, head.length)
    else listener.refuse(request, response, refusal)
  })
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    const refusal = refuse('interaction-unknown', 'CONNECT is not served here.')
    answerBrokenRequest(socket, refusal)
  })
  const late = new LateConnections((socket) => answerBrokenRequest(socket, TOO_SLOW))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') late.add(socket)
    else answerBrokenRequest(socket, refusalOf(error, limits.target))
  })
}

/** What the request line and two fields tell before there is a route. */
function refusalOfLine({ url, headers, httpVersion }: IncomingMessage, longest: number): Refusal | undefined {
  if (url!.length > longest) {
    const detail = `The request target may have ${longest} bytes at most. Search by POST to …/_search instead.`
    return refuse('target-too-long', detail)
  }
  if (headers.host === undefined && httpVersion === '1.1') {
    return refuse('header-ambiguous', 'HTTP/1.1 asks for a Host header. Send one.')
  }
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') {
    return refuse('header-ambiguous', 'The only expectation understood here is 100-continue.', { status: 417 })
  }
  return undefined
}

const TOO_SLOW = refuse('too-slow', 'The request did not arrive in time.')

/** Nothing moved for `timeouts.idle`: a connection that rests is closed, and one whose client does not take its answer is broken. */
function endIdle(socket: Socket): void {
  // Another protocol has rules of its own, and a request that waits for its upstream waits there.
  if ((Reflect.get(socket, 'parser') ?? null) === null) return
  const rests = (Reflect.get(socket, '_httpMessage') ?? null) === null
  if (rests || socket.writableLength > 0) socket.destroy()
}

/** Undefined where there is nobody left to answer. */
function refusalOf(error: NodeJS.ErrnoException, longestTarget: number): Refusal | undefined {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined
    case 'HPE_HEADER_OVERFLOW':
      return isTargetTooLong(error, longestTarget)
        ? refuse('target-too-long', `The request target may have ${longestTarget} bytes at most.`)
        : refuse(
            'headers-too-large',
            'The request line and the header fields are too large. Send long searches by POST.',
          )
    case 'HPE_INVALID_CHUNK_SIZE':
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refuse('body-invalid', 'The chunks of the body are broken.')
    case 'HPE_INVALID_URL':
      return refuse('target-ambiguous', 'The request target holds a character that must be percent-encoded.')
    default:
      return refuse('header-ambiguous', 'This is not a well-formed HTTP/1.1 request.')
  }
}

/** Told by the packet in which it became too much; one that does not begin with a request line holds more of what came before. */
function isTargetTooLong(error: NodeJS.ErrnoException, longest: number): boolean {
  const packet: unknown = Reflect.get(error, 'rawPacket')
  if (!Buffer.isBuffer(packet) || !/^[A-Z]+ /.test(packet.toString('latin1', 0, 32))) return false
  const end = packet.indexOf('\n')
  return end < 0 ? packet.length > longest : end > longest
}
