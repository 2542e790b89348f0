// A client of bare bytes that opens a WebSocket, or tries to, and keeps all that comes back.

import { connect, type Socket } from 'node:net'
import { closeCode, closeOf, type ReadFrame, readFrames } from './web-socket-frames.ts'

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

export const OPENING = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
]

export interface RawWebSocket {
  readonly socket: Socket
  /** Head of the answer, Latin-1; empty until it is whole. */
  readonly head: () => string
  /** What came behind the head. */
  readonly behind: () => Buffer
  readonly frames: () => readonly ReadFrame[]
  /** Resolves when `enough`, or when the connection is over. */
  until(enough: () => boolean): Promise<void>
  opened(): Promise<void>
  /** Status of the Close frame; undefined when the connection is over without one. */
  closed(): Promise<number | undefined>
  send(bytes: Buffer | string): void
}

export function openRaw(
  port: number,
  target: string,
  fields: readonly string[],
  ahead: Buffer | string = '',
): RawWebSocket {
  const socket = connect(port, '127.0.0.1')
  let bytes = Buffer.alloc(0)
  let over = false
  let answered = false
  let waiting: (() => void)[] = []
  const tell = (): void => {
    const told = waiting
    waiting = []
    for (const each of told) each()
  }
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    // As every client does, once.
    if (!answered && raw.frames().some(({ opcode }) => opcode === 8)) {
      answered = true
      socket.end(closeOf(1000, true))
    }
    tell()
  })
  socket.on('error', () => {})
  socket.on('end', () => socket.end())
  socket.on('close', () => {
    over = true
    tell()
  })
  const text = [`GET ${target} HTTP/1.1`, 'Host: client.test', ...fields, '', ''].join('\r\n')
  socket.write(Buffer.concat([Buffer.from(text, 'latin1'), Buffer.from(ahead as string)]))
  const end = (): number => bytes.indexOf('\r\n\r\n')
  const raw: RawWebSocket = {
    socket,
    head: () => (end() < 0 ? '' : bytes.subarray(0, end() + 4).toString('latin1')),
    behind: () => (end() < 0 ? Buffer.alloc(0) : bytes.subarray(end() + 4)),
    frames: () => readFrames(raw.behind()).frames,
    async until(enough) {
      while (!over && !enough()) await new Promise<void>((resolve) => waiting.push(resolve))
    },
    opened: () => raw.until(() => end() >= 0),
    async closed() {
      const close = (): ReadFrame | undefined => raw.frames().find(({ opcode }) => opcode === 8)
      await raw.until(() => close() !== undefined)
      const found = close()
      return found && closeCode(found)
    },
    send: (more) => void socket.write(more),
  }
  return raw
}
