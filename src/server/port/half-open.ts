// A client that ended its half of the connection: it waits for its answer (`nc -N`), or it is gone, and nothing on the wire tells which. It
// gets a moment; as long as it takes something of its answer it gets more. Then what is done for it ends, at the upstream too.

import type { Server } from 'node:http'
import { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'

const MOMENT_MS = 500

/** TLS ends as a whole (RFC 5246 §7.2.1): there it stays as node:http has it. */
export function keepHalfOpen(server: Server): void {
  if (server instanceof TlsServer) return
  // Else node:http ends our half as well, whatever is still to be answered. It closes behind the answer.
  Reflect.set(server, 'httpAllowHalfOpen', true)
  server.on('connection', (socket: Socket) => {
    socket.once('end', () => limit(socket))
  })
}

function limit(socket: Socket): void {
  // Another protocol, or nothing to be answered.
  if (isNone(socket, 'parser') || isNone(socket, '_httpMessage')) return
  let before = stateOf(socket)
  const timer = setInterval(() => {
    const now = stateOf(socket)
    if (now === before) socket.destroy()
    before = now
  }, MOMENT_MS)
  socket.once('close', () => clearInterval(timer))
}

const isNone = (socket: Socket, name: string): boolean => (Reflect.get(socket, name) ?? null) === null

/** Differs where something was written, or taken. */
const stateOf = ({ bytesWritten, writableLength }: Socket): string => `${bytesWritten} ${writableLength}`
