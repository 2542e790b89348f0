// Answers on a bare socket, where the parser found no request that could be routed: the same problem details as everywhere,
// then the connection is closed, because nobody can say where the next request on it begins.

import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { answerOf } from '../domain/answer.ts'
import type { Refusal } from '../domain/refusal.ts'

const LINGER_MS = 500

export function answerBrokenRequest(socket: Socket, refusal: Refusal | undefined): void {
  // What still arrives after the first fault is broken too; that answer stands.
  if (socket.writableEnded && !socket.destroyed && refusal !== undefined) return
  if (refusal === undefined || !socket.writable) {
    socket.destroy()
    return
  }
  // More bytes would be taken for a part of the answer that is on its way: it may leave, then the connection ends.
  if (hasBegunToAnswer(socket)) {
    socket.destroySoon()
    return
  }
  const requestId = randomUUID()
  const { status, contentType, body } = answerOf(refusal, { fhir: false, wantsXml: false, requestId })
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}`,
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    `x-request-id: ${requestId}`,
    'connection: close',
  ]
  socket.on('error', () => {})
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
  // A moment for the answer to be read before what the client still sends resets the connection.
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

function hasBegunToAnswer(socket: Socket): boolean {
  const pending: unknown = Reflect.get(socket, '_httpMessage')
  return pending instanceof Object && Reflect.get(pending, 'headersSent') === true
}
