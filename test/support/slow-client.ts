// A client that says what it says when it likes, and remembers what came back and how it ended.

import { connect, type Socket } from 'node:net'

export interface SlowClient {
  readonly socket: Socket
  /** What was received so far, as Latin-1; of much only the beginning. */
  text(): string
  /** How much was. */
  bytes(): number
  /** Resolves when the connection is over. */
  readonly closed: Promise<void>
  isClosed(): boolean
}

const MOST_KEPT = 1_000_000

export function slowClient(port: number, first = ''): Promise<SlowClient> {
  let text = ''
  let bytes = 0
  let over = false
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (first !== '') socket.write(first, 'latin1')
      resolve({ socket, text: () => text, bytes: () => bytes, closed, isClosed: () => over })
    })
    const closed = new Promise<void>((ended) => {
      socket.once('close', () => {
        over = true
        ended()
      })
    })
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      bytes += chunk.length
      if (text.length < MOST_KEPT) text += chunk.toString('latin1')
    })
  })
}

/** Sends a piece again and again until the connection ends; a client that is cut off learns it late, so errors are no news. */
export function trickle(client: SlowClient, piece: string, everyMs: number): void {
  const timer = setInterval(() => client.socket.write(piece, 'latin1'), everyMs)
  client.socket.once('close', () => clearInterval(timer))
}
