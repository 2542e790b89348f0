// A gateway that enforces nothing: the transport alone, from real socket to real socket. And the other two ends: an upstream
// that says exactly the bytes it is told and remembers what it got, and a client that sends raw bytes.

import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import type { Cleared } from '../../../src/domain/decision/decision.ts'
import type { Grant } from '../../../src/domain/grant.ts'
import { headerReader } from '../../../src/domain/http/request-headers.ts'
import { isRefusal, type Refusal } from '../../../src/domain/refusal.ts'
import { compileInbound } from '../../../src/proxy/answer-headers.ts'
import { type BodyTransform, type ForwardReport, forward } from '../../../src/proxy/forward.ts'
import { compileOutbound, type OutboundRoute } from '../../../src/proxy/headers.ts'
import { compilePublicUrls } from '../../../src/proxy/public-url.ts'
import { replyRefusal } from '../../../src/proxy/reply.ts'
import { type BodyInspection, UploadStream, unreadable } from '../../../src/proxy/request-body.ts'
import { Upstream, type UpstreamOptions } from '../../../src/proxy/upstream.ts'
import { type Listener, listen } from '../../../src/server/port/listen.ts'
import { upstreamOptions } from './upstream-options.ts'

export const CLEARED = { outcome: 'forward' } as unknown as Cleared

export interface PassThroughOptions {
  readonly route?: Partial<OutboundRoute>
  readonly grant?: Partial<Grant>
  readonly limit?: number
  readonly timeout?: number
  readonly stallTimeout?: number
  readonly connections?: number
  readonly upstream?: Partial<UpstreamOptions>
  readonly transform?: () => BodyTransform
  readonly inspection?: () => BodyInspection
  readonly limits?: { readonly header: number; readonly target: number }
  readonly timeouts?: { readonly header: number; readonly idle: number; readonly request: number }
  /** Refuses before anything is read, as a failed authentication does. */
  readonly refuse?: Refusal
}

export interface PassThrough {
  readonly port: number
  readonly listener: Listener
  readonly reports: ForwardReport[]
  readonly upstream: Upstream
}

const closers: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

export async function passThrough(
  urls: string | readonly string[],
  options: PassThroughOptions = {},
): Promise<PassThrough> {
  const { connections = 8, timeout = 5_000, limit = 1e9, stallTimeout = 5_000 } = options
  const url = typeof urls === 'string' ? [urls] : urls
  const upstream = new Upstream(upstreamOptions({ url, timeout, connections, ...options.upstream }))
  const route: OutboundRoute = { kind: 'fhir', authorization: 'none', ...options.route }
  const identity = Object.values(route.identityHeaders ?? {}).filter((name) => name !== undefined)
  const read = headerReader({ owned: identity, limit: options.limits?.header ?? 16_384 })
  const publicUrl = 'http://gateway.test'
  const outbound = compileOutbound(route, { owned: [...identity, 'x-api-key'], publicUrl })
  const inbound = compileInbound(route, compilePublicUrls(url, `${publicUrl}/fhir/R4`))
  const reports: ForwardReport[] = []

  const refuseWith =
    (response: ServerResponse) =>
    (refusal: Refusal): undefined => {
      replyRefusal(response, refusal, { fhir: true, wantsXml: false, requestId: 'test-request' })
    }
  const handle = (request: IncomingMessage, response: ServerResponse): undefined => {
    const refuse = refuseWith(response)
    if (options.refuse !== undefined) return refuse(options.refuse)
    const headers = read(request.rawHeaders, { method: request.method, httpVersion: request.httpVersion })
    if (isRefusal(headers)) return refuse(headers)
    const tooBig = unreadable(headers, limit, false)
    if (tooBig !== undefined) return refuse(tooBig)
    forward(CLEARED, {
      upstream,
      request,
      response,
      method: request.method!,
      path: request.url!,
      headers: outbound({
        headers,
        grant: options.grant as Grant | undefined,
        requestId: 'test-request',
        clientAddress: '192.0.2.7',
        bodyUnchanged: true,
        answerIsRead: options.transform !== undefined,
      }),
      body: headers.bodyLength === 0 ? undefined : new UploadStream(request, limit, options.inspection?.()),
      pace: { first: stallTimeout, idle: stallTimeout, least: 1 },
      answer: (status, answered) => {
        const transform = options.transform?.()
        const rewritten = transform !== undefined
        return {
          status,
          headers: inbound({
            headers: answered,
            requestId: 'test-request',
            authenticated: options.grant !== undefined,
            rewritten,
          }),
          transform,
        }
      },
      refuse,
      done: (report) => reports.push(report),
    })
  }
  const listener = await listen(
    {
      host: '127.0.0.1',
      port: 0,
      limits: options.limits ?? { header: 16_384, target: 8_192 },
      timeouts: options.timeouts ?? { header: 10_000, idle: 5_000, request: 30_000 },
    },
    { handle, refuse: (_request, response, refusal) => refuseWith(response)(refusal) },
  )
  closers.push(async () => {
    await listener.close(50)
    await upstream.close(50)
  })
  return { port: listener.address.port, listener, reports, upstream }
}

/** An upstream of node:http. */
export async function startUpstream(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

export interface RawUpstream {
  readonly url: string
  /** Everything received, connection by connection. */
  readonly connections: { text: string; closed: boolean; readonly socket: Socket }[]
}

/** An upstream of bare bytes: `answer` is called with what one connection has sent so far, after each piece. */
export async function startRawUpstream(
  answer: (received: string, socket: Socket, nth: number) => void,
): Promise<RawUpstream> {
  const connections: RawUpstream['connections'] = []
  const server = createSocketServer((socket) => {
    const connection = { text: '', closed: false, socket }
    connections.push(connection)
    const nth = connections.length
    socket.on('error', () => {})
    socket.on('close', () => {
      connection.closed = true
    })
    socket.on('data', (chunk) => {
      connection.text += chunk.toString('latin1')
      answer(connection.text, socket, nth)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const { socket } of connections) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections }
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/** Waits until something holds; asserts nothing about how long that takes. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}
