// Stands where another product would: answers 200 to whatever comes and says what came, so that one can see which
// requests, paths and headers get through the gateway.

import { createServer, type IncomingHttpHeaders } from 'node:http'
import { closeServer, listenOn } from './listen.ts'

export interface StandInOptions {
  readonly product: string
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly host?: string
}

/** The answer's body. */
export interface StandInAnswer {
  readonly product: string
  readonly method: string
  /** Path and query exactly as they arrived. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly bodyBytes: number
}

export interface StandIn {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  const host = options.host ?? '127.0.0.1'
  const server = createServer((incoming, outgoing) => {
    let bodyBytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bodyBytes += chunk.length
    })
    incoming.on('error', () => outgoing.destroy())
    incoming.on('end', () => {
      const { method = 'GET', url: path = '/', headers } = incoming
      const answer: StandInAnswer = { product: options.product, method, path, headers, bodyBytes }
      const text = JSON.stringify(answer)
      outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      outgoing.end(method === 'HEAD' ? undefined : text)
    })
  })
  const port = await listenOn(server, options.port ?? 0, host)
  return { url: `http://${host}:${port}`, port, close: () => closeServer(server) }
}
