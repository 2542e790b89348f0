// One request of a connection at a time, however many a client sends ahead (pipelining, RFC 9112 §9.3.2): the next one begins when the
// answer before it is out. So what a client changes comes in order, a connection never takes more than one place upstream, and nothing
// that stands behind a request which closes its connection is ever read as a request: its turn does not come.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests read ahead on one connection, from which on nothing more is read of it. */
const MOST_AHEAD = 16

interface Ahead {
  waiting: number
}

const ahead = new WeakMap<Socket, Ahead>()

export function inTurn(request: IncomingMessage, response: ServerResponse, handle: () => void): void {
  // node:http gives a response its socket when its turn has come.
  if (response.socket !== null) {
    handle()
    return
  }
  const { socket } = request
  const line = ahead.get(socket) ?? lineOf(socket)
  if (++line.waiting >= MOST_AHEAD) socket.pause()
  response.once('socket', () => {
    if (--line.waiting < MOST_AHEAD) socket.resume()
    // Everybody else has a turn in between.
    setImmediate(() => !socket.destroyed && handle())
  })
}

function lineOf(socket: Socket): Ahead {
  const line: Ahead = { waiting: 0 }
  ahead.set(socket, line)
  // node:http reads on by itself after each answer, and each time as much as comes.
  socket.on('resume', () => {
    if (line.waiting >= MOST_AHEAD) socket.pause()
  })
  return line
}
