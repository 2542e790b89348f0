// An upstream that keeps what arrived, byte for byte, and answers what the test says. It plays a FHIR server just well enough:
// its CapabilityStatement is served aside and not recorded, because the gateway fetches that by itself.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Arrived {
  readonly method: string
  /** As it stood on the request line. */
  readonly url: string
  /** Flat, in the order and case of arrival. */
  readonly rawHeaders: readonly string[]
  /** Lower-case names; of repeated fields the values joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly text: string
}

export interface Scripted {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer | object
}

export type Script = (arrived: Arrived) => Scripted

export interface RecordingUpstream {
  readonly url: string
  readonly port: number
  readonly arrived: Arrived[]
  /** What is answered from now on; the test may replace it. */
  script: Script
  /** Takes the raw exchange instead of recording it, where a test misbehaves on purpose. */
  raw: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  /** Forgets what arrived and what was scripted. */
  reset(): void
  close(): Promise<void>
}

export async function startRecordingUpstream(): Promise<RecordingUpstream> {
  const arrived: Arrived[] = []
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url!.endsWith('/metadata')) return void sendJson(response, STATEMENT)
    if (upstream.raw !== undefined) return upstream.raw(request, response)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const seen = record(request, Buffer.concat(chunks))
      arrived.push(seen)
      send(response, seen, upstream.script(seen))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const upstream: RecordingUpstream = {
    url: `http://127.0.0.1:${port}`,
    port,
    arrived,
    script: plausible,
    raw: undefined,
    reset: () => {
      arrived.length = 0
      upstream.script = plausible
      upstream.raw = undefined
    },
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
  return upstream
}

/** What a FHIR server might say: an empty searchset, the resource that was written, or a resource of the type and id that was read. */
export function plausible({ method, url, body }: Arrived): Scripted {
  const path = url.split('?', 1)[0]!
  const [type = '', id = ''] = path.split('/').slice(2)
  if (method === 'DELETE') return { status: 204 }
  const reading = method === 'GET' || method === 'HEAD'
  if (reading && /^[A-Z]/.test(type) && /^[A-Za-z0-9]/.test(id)) return { body: { resourceType: type, id } }
  const written = !reading && /^[A-Z]/.test(type) && !path.endsWith('/_search')
  if (written) return { status: method === 'POST' ? 201 : 200, body: body.length > 0 ? body : { resourceType: type } }
  return { body: { resourceType: 'Bundle', type: 'searchset', total: 0 } }
}

const STATEMENT = {
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-01-01',
  kind: 'instance',
  fhirVersion: '4.0.1',
  format: ['json'],
  rest: [{ mode: 'server' }],
}

function record(request: IncomingMessage, body: Buffer): Arrived {
  const headers: Record<string, string> = {}
  const { rawHeaders } = request
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    const value = rawHeaders[i + 1]!
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { method: request.method!, url: request.url!, rawHeaders, headers, body, text: body.toString('utf8') }
}

function send(
  response: ServerResponse,
  { method }: Arrived,
  { status = 200, headers = {}, body = '' }: Scripted,
): void {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  response.statusCode = status
  if (bytes.length > 0) response.setHeader('content-type', 'application/fhir+json;charset=UTF-8')
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value as string | string[])
  if (status !== 204 && status !== 304) response.setHeader('content-length', bytes.length)
  response.end(method === 'HEAD' ? undefined : bytes)
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/fhir+json' }).end(JSON.stringify(value))
}
