// An upstream that speaks WebSocket by hand and keeps every byte that arrives. What it answers to a handshake, and what it does then,
// is the test's to say.

import { createHash } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { frame, readFrames } from './web-socket-frames.ts'

export interface Peer {
  readonly socket: Socket
  /** The head of the request, Latin-1, with its blank line. */
  readonly head: string
  readonly key: string
  /** Everything behind the head so far. */
  readonly behind: () => Buffer
}

export interface WebSocketUpstream {
  readonly url: string
  readonly port: number
  readonly peers: Peer[]
  /** Bytes answered to a handshake; undefined: nothing. */
  answer: (peer: Peer) => string | undefined
  /** What arrives behind a head; the default sends every data frame back. */
  hear: (peer: Peer, chunk: Buffer) => void
  /** Resolves with the next one whose head has arrived; those that are there count. */
  peer(index?: number): Promise<Peer>
  reset(): void
  close(): Promise<void>
}

export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

export function switched(key: string, fields: readonly string[] = []): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  return [...lines, `Sec-WebSocket-Accept: ${acceptFor(key)}`, ...fields, '', ''].join('\r\n')
}

const echo = ({ socket, behind }: Peer): void => {
  const { frames } = readFrames(behind())
  const last = frames.at(-1)
  if (last === undefined) return
  const sent = Reflect.get(socket, 'echoed') ?? 0
  for (const { opcode, payload, final } of frames.slice(sent)) {
    if (opcode !== 10) socket.write(frame({ opcode: opcode === 9 ? 10 : opcode, payload, final }))
    if (opcode === 8) socket.end()
  }
  Reflect.set(socket, 'echoed', frames.length)
}

/** `tls`: PEM of certificate and key. */
export async function startWebSocketUpstream(tls?: {
  readonly cert: string
  readonly key: string
}): Promise<WebSocketUpstream> {
  const sockets = new Set<Socket>()
  let waiting: (() => void)[] = []
  const accept = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
    let bytes = Buffer.alloc(0)
    let end = -1
    let peer: Peer | undefined
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk])
      if (peer !== undefined) {
        upstream.hear(peer, chunk)
        return
      }
      end = bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = bytes.subarray(0, end + 4).toString('latin1')
      const key = /^sec-websocket-key: (.*)$/im.exec(head)?.[1] ?? ''
      peer = { socket, head, key, behind: () => bytes.subarray(end + 4) }
      upstream.peers.push(peer)
      const answer = upstream.answer(peer)
      if (answer !== undefined) socket.write(answer, 'latin1')
      const told = waiting
      waiting = []
      for (const tell of told) tell()
      if (bytes.length > end + 4) upstream.hear(peer, bytes.subarray(end + 4))
    })
  }
  const server: Server = tls === undefined ? createServer(accept) : createTlsServer(tls, accept)
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const upstream: WebSocketUpstream = {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    peers: [],
    answer: ({ key }) => switched(key),
    hear: echo,
    async peer(index = 0) {
      while (upstream.peers[index] === undefined) await new Promise<void>((resolve) => waiting.push(resolve))
      return upstream.peers[index]!
    },
    reset() {
      for (const socket of sockets) socket.destroy()
      upstream.peers.length = 0
      upstream.answer = ({ key }) => switched(key)
      upstream.hear = echo
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return upstream
}
