// One request of a connection at a time, however many a client sends ahead (pipelining, RFC 9112 §9.3.2): the next one begins when the
// answer before it is out. So what a client changes comes in order, a connection never takes more than one place upstream, and nothing
// that stands behind a request which closes its connection is ever read as a request: its turn does not come.

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests read ahead on one connection, from which on nothing more is read of it. */
const MOST_AHEAD = 16

const ahead = new WeakMap<Socket, number>()

export function inTurn(request: IncomingMessage, response: ServerResponse, handle: () => void): void {
  // node:http gives a response its socket when its turn has come.
  if (response.socket !== null) {
    handle()
    return
  }
  const { socket } = request
  const waiting = (ahead.get(socket) ?? 0) + 1
  ahead.set(socket, waiting)
  if (waiting >= MOST_AHEAD) socket.pause()
  response.once('socket', () => {
    const left = ahead.get(socket)! - 1
    ahead.set(socket, left)
    if (left < MOST_AHEAD) socket.resume()
    handle()
  })
}
