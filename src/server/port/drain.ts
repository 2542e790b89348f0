// How a server ends: no new connections, running requests may end, the connections that rest are closed, and after a deadline all
// are. Node counts a connection as resting as soon as its answer has been handed over; here it rests when the answer has left.

import type { Server, ServerResponse } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'

const LOOK_EVERY_MS = 20

const tracked = new WeakMap<Server, ReadonlySet<Socket>>()

/** Before the first connection. From then on `close` spares every connection that an answer is leaving on. */
export function trackConnections(server: Server): void {
  const connections = new Set<Socket>()
  tracked.set(server, connections)
  server.on(server instanceof TlsServer ? 'secureConnection' : 'connection', (socket: Socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
  })
  server.closeIdleConnections = () => {
    for (const socket of connections) if (isResting(socket)) socket.destroy()
  }
  // Those too that have left HTTP, of which Node knows no more.
  const closeAll = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    closeAll()
    for (const socket of connections) socket.destroy()
  }
}

const switched = new WeakSet<Socket>()

/** It speaks another protocol now and says itself when it is over; until then it does not rest. */
export function leaveHttp(socket: Socket): void {
  switched.add(socket)
}

/** Looks again and again, because each running connection rests when its answer is out. */
export function drain(server: Server, milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      for (const socket of tracked.get(server) ?? []) answerLast(socket)
      server.closeIdleConnections()
    }
    look()
    const closer = setInterval(look, LOOK_EVERY_MS)
    const deadline = setTimeout(() => server.closeAllConnections(), milliseconds)
    server.close(() => {
      clearInterval(closer)
      clearTimeout(deadline)
      resolve()
    })
  })
}

/** An answer that has not begun says that its connection ends with it. */
function answerLast(socket: Socket): void {
  const answer = Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined
  if (answer && !answer.headersSent) answer.shouldKeepAlive = false
}

/** node:http names the answer that a socket works on until it has been handed to the operating system. */
function isResting(socket: Socket): boolean {
  if (switched.has(socket)) return false
  return (Reflect.get(socket, '_httpMessage') ?? null) === null && socket.writableLength === 0
}
