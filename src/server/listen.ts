// The public port: node:http with every limit of the route map set, and an answer in the contract's form for whatever fails
// before there is a request to route. `100 Continue` goes out only when someone begins to read the body, so never before the
// request is authorised. `close` drains: no new connections, running requests may end, then everything is cut.

import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { drain, trackConnections } from './drain.ts'
import { inTurn } from './one-at-a-time.ts'
import { createTlsServer, type TlsPort } from './tls-server.ts'

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly limits: { readonly header: number; readonly target: number }
  /** Milliseconds. */
  readonly timeouts: { readonly header: number; readonly idle: number; readonly request: number }
  /** Left out: plain HTTP. */
  readonly tls?: TlsPort | undefined
}

export interface RequestListener {
  handle(request: IncomingMessage, response: ServerResponse): void
  /** A request that can be read but is refused for its line alone. */
  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void
}

export interface Listener {
  readonly address: AddressInfo
  readonly draining: boolean
  /** Resolves when the last request has ended, at the latest after `milliseconds`. */
  close(milliseconds: number): Promise<void>
}

export async function listen(options: ListenOptions, listener: RequestListener): Promise<Listener> {
  const server = options.tls
    ? createTlsServer(serverOptions(options), options.tls, options.timeouts.header)
    : createServer(serverOptions(options))
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

function serverOptions({ limits, timeouts }: ListenOptions): ServerOptions {
  return {
    // The parser counts target and fields together; each has its own limit later on, which is exact.
    maxHeaderSize: limits.header + limits.target,
    headersTimeout: Math.min(timeouts.header, timeouts.request),
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.idle,
    connectionsCheckingInterval: Math.min(Math.max(timeouts.header / 4, 100), 5_000),
    // Refused below, with a code.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
    // Requests without a body, which most are, skip the life of a stream.
    optimizeEmptyRequests: true,
  } as ServerOptions
}

function serve(
  server: Server,
  { limits }: ListenOptions,
  listener: RequestListener,
  state: { draining: boolean },
): void {
  // Bounded by size, never by a count that drops the rest in silence.
  server.maxHeadersCount = 0
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    if (state.draining) response.shouldKeepAlive = false
    const refusal = refusalOfLine(request, limits.target)
    if (refusal === undefined) listener.handle(request, response)
    else listener.refuse(request, response, refusal)
  }
  const receive = (request: IncomingMessage, response: ServerResponse): void =>
    inTurn(request, response, () => begin(request, response))
  server.on('request', receive)
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // INVARIANT: no 100 before somebody reads, and nobody reads before the request is authorised.
    request.once('resume', () => {
      if (!response.headersSent && !request.complete) response.writeContinue()
    })
    receive(request, response)
  })
  server.on('checkExpectation', receive)
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    const refusal = refuse('interaction-unknown', 'CONNECT is not served here.')
    answerBrokenRequest(socket, refusal)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    answerBrokenRequest(socket, refusalOf(error, limits.target))
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

/** Undefined where there is nobody left to answer. */
function refusalOf(error: NodeJS.ErrnoException, longestTarget: number): Refusal | undefined {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
      return undefined
    case 'HPE_HEADER_OVERFLOW':
      return isTargetTooLong(error, longestTarget)
        ? refuse('target-too-long', `The request target may have ${longestTarget} bytes at most.`)
        : refuse('headers-too-large', 'The header fields of this request are too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refuse('too-slow', 'The request did not arrive in time.')
    case 'HPE_INVALID_CHUNK_SIZE':
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return refuse('body-invalid', 'The chunks of the body are broken.')
    case 'HPE_INVALID_URL':
      return refuse('target-ambiguous', 'The request target holds a character that must be percent-encoded.')
    default:
      return refuse('header-ambiguous', 'This is not a well-formed HTTP/1.1 request.')
  }
}

function isTargetTooLong(error: NodeJS.ErrnoException, longest: number): boolean {
  const packet: unknown = Reflect.get(error, 'rawPacket')
  if (!Buffer.isBuffer(packet)) return false
  const end = packet.indexOf('\n')
  return end < 0 ? packet.length > longest : end > longest
}
