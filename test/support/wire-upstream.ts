// An upstream of bare bytes that reads what arrives by `wire.ts` alone: each request that it can read is recorded and answered, and
// whatever it cannot read is recorded as malformed. The CapabilityStatement that the gateway fetches for itself is served aside.

import { type AddressInfo, createServer, type Socket } from 'node:net'
import { fieldOf, readRequest, type WireRequest } from './wire.ts'

export interface WireUpstream {
  readonly url: string
  readonly port: number
  readonly requests: WireRequest[]
  /** What was no request in its plainest form, with why. */
  readonly malformed: string[]
  /** Bytes on open connections that are no whole request yet, and those with which connections ended. */
  readonly rest: () => string
  /** All bytes that were no question of the gateway's own, connection by connection. */
  readonly bytes: () => string
  /** Answers a request; without a word the connection stays as it is. */
  answer: (request: WireRequest, socket: Socket) => string | undefined
  reset(): void
  close(): Promise<void>
}

const STATEMENT = JSON.stringify({
  resourceType: 'CapabilityStatement',
  status: 'active',
  date: '2026-01-01',
  kind: 'instance',
  fhirVersion: '4.0.1',
  format: ['json'],
  rest: [{ mode: 'server' }],
})

export async function startWireUpstream(): Promise<WireUpstream> {
  const open = new Map<Socket, { text: string; forgotten: boolean }>()
  let ended = ''
  let seen = ''
  const server = createServer((socket) => {
    const connection = { text: '', forgotten: false }
    open.set(socket, connection)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => {
      open.delete(socket)
      if (connection.forgotten) return
      ended += connection.text
      seen += connection.text
    })
    socket.on('data', (chunk) => {
      connection.text += chunk.toString('latin1')
      try {
        for (let read = readRequest(connection.text); read !== undefined; read = readRequest(connection.text)) {
          connection.text = connection.text.slice(read.length)
          serve(read.message, socket)
        }
      } catch (error) {
        upstream.malformed.push(`${(error as Error).message}: ${JSON.stringify(connection.text.slice(0, 2_000))}`)
        socket.destroy()
      }
    })
  })
  const remembered = (): string => [...open.values()].map(({ text, forgotten }) => (forgotten ? '' : text)).join('')
  const serve = (request: WireRequest, socket: Socket): void => {
    if (
      request.method === 'GET' &&
      request.target.endsWith('/metadata') &&
      fieldOf(request, 'x-request-id') === undefined
    ) {
      socket.write(answerText(200, STATEMENT))
      return
    }
    upstream.requests.push(request)
    seen += request.bytes
    const answer = upstream.answer(request, socket)
    if (answer !== undefined && !socket.destroyed) socket.write(Buffer.from(answer, 'latin1'))
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const upstream: WireUpstream = {
    url: `http://127.0.0.1:${port}`,
    port,
    requests: [],
    malformed: [],
    rest: () => ended + remembered(),
    bytes: () => seen + remembered(),
    answer: plain,
    reset: () => {
      upstream.requests.length = 0
      upstream.malformed.length = 0
      ended = ''
      seen = ''
      upstream.answer = plain
      // What was broken off before is on its way to its end.
      for (const connection of open.values()) connection.forgotten = connection.text !== ''
    },
    close: () => {
      for (const socket of open.keys()) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return upstream
}

const plain = (request: WireRequest): string =>
  answerText(request.method === 'DELETE' ? 204 : 200, bodyFor(request), request.method)

/** A resource of the type and id that were asked for, an empty Bundle, or the method and target as they arrived. */
export function bodyFor({ method, target }: WireRequest): string {
  const [path = ''] = target.split('?', 1)
  const [root, type = '', id = ''] = path.split('/').slice(1)
  if (root !== 'base') return JSON.stringify({ method, target })
  if (/^[A-Z]/.test(type) && /^[A-Za-z0-9]/.test(id)) return JSON.stringify({ resourceType: type, id })
  if (method === 'POST' && !path.endsWith('_search'))
    return JSON.stringify({ resourceType: type || 'Bundle', id: 'new' })
  return JSON.stringify({ resourceType: 'Bundle', type: 'searchset', total: 0 })
}

export function answerText(status: number, body: string, method = 'GET', fields: readonly string[] = []): string {
  const type = body.includes('"resourceType"') ? 'application/fhir+json' : 'application/json'
  const framing = status === 204 ? [] : [`content-type: ${type}`, `content-length: ${Buffer.byteLength(body)}`]
  const head = [`HTTP/1.1 ${status} Said`, ...framing, ...fields].join('\r\n')
  return `${head}\r\n\r\n${method === 'HEAD' || status === 204 ? '' : body}`
}
