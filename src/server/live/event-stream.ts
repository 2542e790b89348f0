// Server-sent events: an answer that goes on until somebody ends it. It streams like every other; but it may pause for longer, and it
// ends with the right to it, as a WebSocket does. A browser that is cut off asks again by itself, and is decided anew.

import type { AnswerHeaders } from '../../proxy/forward.ts'
import type { AskedLine, Endpoint } from '../endpoint.ts'
import type { Passage } from '../passage.ts'
import type { LiveHouse } from './live-house.ts'

/** Between two events, instead of the upstream's `idleTimeout`. Servers send a comment now and then. */
export const EVENT_PAUSE_MS = 15 * 60_000
/** From then on the system asks a silent client whether it is there. */
const ASK_AFTER_MS = 60_000

/** Clients that want events say so; no other answer is given more time, and none of a FHIR server. */
export function mayPause({ route }: Endpoint, { headers }: AskedLine): boolean {
  return route.kind === 'plain' && headers.get('accept')?.toLowerCase().includes('text/event-stream') === true
}

/** Whether it is one; then it ends when it must. */
export function watchEvents(
  headers: AnswerHeaders,
  passage: Passage,
  { connections, settings, watch }: LiveHouse,
): boolean {
  const type = headers['content-type']
  if (typeof type !== 'string' || !/^text\/event-stream\b/i.test(type)) return false
  const { request, response, endpoint, grant, line } = passage.sending()
  response.socket?.setKeepAlive(true, ASK_AFTER_MS)
  const forget = connections.add({
    route: endpoint.route.name,
    settings,
    isGood: watch(grant, { ...line, socket: request.socket }, endpoint),
    end: () => response.destroy(),
  })
  response.once('close', forget)
  passage.lasts()
  return true
}
