// The store behind node:http. Each mount is a base path with its own FHIR version over the same resources; answers name
// the server's own address, whatever Host says, as a FHIR server with a configured base does.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { closeServer, listenOn } from '../listen.ts'
import { errorAnswer } from './answers.ts'
import { type FhirAnswer, type FhirRequest, type FhirVersion, rawBody } from './exchange.ts'
import { FhirError } from './fhir-error.ts'
import { createFhirStore, type FhirStore, type FhirStoreOptions } from './fhir-store.ts'

export interface FhirServerOptions extends FhirStoreOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number
  readonly host?: string
  /** Default `/fhir`. */
  readonly basePath?: string
  /** More bases over the same store: path → FHIR version. */
  readonly mounts?: Readonly<Record<string, FhirVersion>>
  /** A store that another server uses too; without it a new one is made from the other options. */
  readonly store?: FhirStore
  /** Keeps every request in `requests`, for tests that ask what arrived. */
  readonly record?: boolean
  readonly gzip?: boolean
  readonly largestBody?: number
}

export interface RecordedRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface FhirServer {
  /** Base of `basePath`, without a trailing slash. */
  readonly url: string
  readonly port: number
  readonly store: FhirStore
  readonly requests: RecordedRequest[]
  close(): Promise<void>
}

export async function startFhirServer(options: FhirServerOptions = {}): Promise<FhirServer> {
  const store = options.store ?? createFhirStore(options)
  const basePath = options.basePath ?? '/fhir'
  const mounts = new Map<string, FhirVersion>([[basePath, '4.0.1'], ...Object.entries(options.mounts ?? {})])
  const requests: RecordedRequest[] = []
  let origin = ''
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    let length = 0
    const largest = options.largestBody ?? 50 * 1024 * 1024
    incoming.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= largest) chunks.push(chunk)
    })
    incoming.on('error', () => outgoing.destroy())
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      if (options.record === true) requests.push(recordOf(incoming, body))
      const answer =
        length > largest
          ? errorAnswer(new FhirError(413, 'too-long', `the body has more than ${largest} bytes`))
          : answerTo(incoming, body, mounts, origin, store)
      send(incoming, outgoing, answer, options.gzip === true)
    })
  })
  const port = await listenOn(server, options.port ?? 0, options.host ?? '127.0.0.1')
  origin = `http://${options.host ?? '127.0.0.1'}:${port}`
  return { url: origin + basePath, port, store, requests, close: () => closeServer(server) }
}

function answerTo(
  incoming: IncomingMessage,
  body: Buffer,
  mounts: ReadonlyMap<string, FhirVersion>,
  origin: string,
  store: FhirStore,
): FhirAnswer {
  const request = readRequest(incoming, body, mounts, origin)
  return request instanceof FhirError ? errorAnswer(request) : store.handle(request)
}

function readRequest(
  incoming: IncomingMessage,
  body: Buffer,
  mounts: ReadonlyMap<string, FhirVersion>,
  origin: string,
): FhirRequest | FhirError {
  const target = incoming.url ?? '/'
  const cut = target.indexOf('?')
  const path = cut < 0 ? target : target.slice(0, cut)
  for (const [mount, fhirVersion] of mounts) {
    if (path !== mount && !path.startsWith(`${mount}/`)) continue
    try {
      const below = path.slice(mount.length).split('/').slice(1).map(decodeURIComponent)
      if (below.at(-1) === '') below.pop()
      return {
        method: incoming.method ?? 'GET',
        segments: below,
        query: cut < 0 ? [] : [...new URLSearchParams(target.slice(cut + 1))],
        header: (name) => headerOf(incoming, name),
        body: rawBody(body),
        base: origin + mount,
        fhirVersion,
      }
    } catch {
      return new FhirError(400, 'invalid', 'the path is not correctly encoded')
    }
  }
  return new FhirError(404, 'not-found', `no FHIR base is here; there is one at ${[...mounts.keys()].join(' and ')}`)
}

function headerOf(incoming: IncomingMessage, name: string): string | undefined {
  const value = incoming.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

function send(incoming: IncomingMessage, outgoing: ServerResponse, answer: FhirAnswer, mayCompress: boolean): void {
  const plain = answer.body === undefined ? undefined : Buffer.from(answer.body)
  const compress = mayCompress && plain !== undefined && /\bgzip\b/.test(headerOf(incoming, 'accept-encoding') ?? '')
  const body = compress ? gzipSync(plain) : plain
  outgoing.writeHead(answer.status, {
    ...answer.headers,
    ...(compress ? { 'content-encoding': 'gzip' } : {}),
    ...(answer.status === 204 || answer.status === 304 ? {} : { 'content-length': body?.length ?? 0 }),
  })
  outgoing.end(incoming.method === 'HEAD' ? undefined : body)
}

function recordOf(incoming: IncomingMessage, body: Buffer): RecordedRequest {
  return {
    method: incoming.method ?? 'GET',
    url: incoming.url ?? '/',
    headers: incoming.headers,
    rawHeaders: incoming.rawHeaders,
    body: body.toString('utf8'),
  }
}
