// Answers on a bare socket, where the parser found no request that could be routed: the same problem details as everywhere,
// then the connection is closed, because nobody can say where the next request on it begins. Requests before it that are whole
// get their answers first, or the client would take this one for one of theirs.

import { randomUUID } from 'node:crypto'
import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { answerOf } from '../../domain/answer.ts'
import type { Refusal } from '../../domain/refusal.ts'

const LINGER_MS = 500

/** The first fault is answered; what still arrives after it is broken too. */
const broken = new WeakSet<Socket>()

export function answerBrokenRequest(socket: Socket, refusal: Refusal | undefined): void {
  if (refusal === undefined || !(socket.writable || broken.has(socket))) {
    socket.destroy()
    return
  }
  if (broken.has(socket)) return
  broken.add(socket)
  socket.on('error', () => {})
  answerInTurn(socket, refusal)
}

function answerInTurn(socket: Socket, refusal: Refusal): void {
  const running = runningOn(socket)
  if (running?.req.complete) running.once('finish', () => setImmediate(answerInTurn, socket, refusal))
  // More bytes would be taken for a part of the answer that is on its way: it may leave, then the connection ends.
  else if (running?.headersSent) socket.destroySoon()
  else if (socket.writable) answer(socket, refusal)
}

function answer(socket: Socket, refusal: Refusal): void {
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
    ...(refusal.extras.retryAfter === undefined ? [] : [`retry-after: ${refusal.extras.retryAfter}`]),
  ]
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
  // A moment for the answer to be read before what the client still sends resets the connection.
  setTimeout(() => socket.destroy(), LINGER_MS).unref()
}

/** node:http names the answer that a socket works on. */
function runningOn(socket: Socket): ServerResponse | undefined {
  const running: unknown = Reflect.get(socket, '_httpMessage')
  return running instanceof ServerResponse ? running : undefined
}
