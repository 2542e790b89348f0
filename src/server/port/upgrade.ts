// Requests for another protocol. Node leaves such a connection alone from then on; until somebody has switched it, the request is
// answered like every other, by a response of its own on the bare socket, and the connection ends behind it: what a client has sent
// on is never read as a request (gateways that did carried smuggled ones).

import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { leaveHttp } from './drain.ts'

const LINGER_MS = 500

/**
 * Whether it is worth looking at as an upgrade: every other one is an ordinary request. Not behind an answer that is still on its way
 * on the same connection, because two would write to it.
 */
export function asksForWebSocket({ method, headers, socket }: IncomingMessage): boolean {
  const free = (Reflect.get(socket, '_httpMessage') ?? null) === null
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && free
}

/** Where a refusal goes, if it comes to one. */
export function responseOn(request: IncomingMessage, stream: Duplex): ServerResponse {
  const socket = stream as Socket
  socket.on('error', () => {})
  leaveHttp(socket)
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => {
    response.detachSocket(socket)
    socket.end()
    // What is on its way is read for a moment, so that it does not destroy the answer.
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('end', () => socket.destroySoon()).once('close', () => clearTimeout(timer))
  })
  return response
}
