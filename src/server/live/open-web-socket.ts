// The other end of the sentence: a request that was decided like every other, and asks for a WebSocket instead of an answer. What it
// adds is looked at here: the handshake, the page that opens it, a place for it; the bytes are `proxy/web-socket`.

import type { IncomingMessage } from 'node:http'
import type { Permit } from '../../domain/decision/decision.ts'
import { parseRequestTarget } from '../../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { CloseCode } from '../../proxy/web-socket/frames.ts'
import { type Handshake, NOT_SWITCHED, readHandshake, VERSION } from '../../proxy/web-socket/handshake.ts'
import { openTunnel } from '../../proxy/web-socket/open-tunnel.ts'
import type { Plan } from '../endpoint.ts'
import type { House } from '../gateway.ts'
import type { Passage } from '../passage.ts'
import type { ClientAddress } from '../port/client-address.ts'
import { refusedOwnToken } from '../refused-own-token.ts'
import type { Ending } from './live-connections.ts'
import type { LiveHouse } from './live-house.ts'

const REASONS: Readonly<Record<Ending, readonly [CloseCode, string]>> = {
  credential: [1008, 'The credential counts no more.'],
  reload: [1012, 'The route has changed. Connect again.'],
  shutdown: [1001, 'The gateway is shutting down. Connect again.'],
}

export function openWebSocket(
  decision: Permit,
  plan: Plan,
  passage: Passage,
  { live, clientAddress }: { readonly live: LiveHouse; readonly clientAddress: ClientAddress },
): void {
  const { request, response, endpoint, grant, line, ownToken, fields } = passage.sending()
  const limits = endpoint.webSocket
  const address = clientAddress(request)
  const handshake = readOpening(passage, live)
  if (limits === undefined || isRefusal(handshake)) {
    passage.refuse(isRefusal(handshake) ? handshake : NOT_HERE)
    return
  }
  const { name } = endpoint.route
  const giveBack = live.places.take(name, limits, grant, address)
  if (isRefusal(giveBack)) {
    passage.refuse(giveBack)
    return
  }
  const headers = endpoint.outbound({
    headers: line.headers,
    grant,
    requestId: passage.id,
    clientAddress: address,
    bodyUnchanged: false,
    overrides: plan.overrides,
    ownToken,
  })
  const forget = [giveBack]
  openTunnel(decision, {
    upstream: endpoint.upstream,
    path: plan.path,
    headers,
    handshake,
    client: request.socket,
    rules: limits,
    answer: (given) => {
      const authenticated = grant !== undefined
      const back = endpoint.inbound({ headers: given, requestId: passage.id, authenticated, rewritten: false })
      return [...back, ...fields]
    },
    answered: (status) =>
      status === 401 && ownToken !== undefined ? refusedOwnToken(endpoint, ownToken) : NOT_SWITCHED,
    refuse: (refusal) => {
      giveBack()
      passage.refuse(refusal)
    },
    opened: (tunnel) => {
      response.detachSocket(request.socket)
      const known = live.connections.add({
        route: name,
        settings: live.settings,
        isGood: live.watch(grant, { ...line, socket: request.socket }, endpoint),
        look: (now) => tunnel.look(now),
        end: (why) => tunnel.close(...REASONS[why]),
      })
      forget.push(known, live.onWebSocket(name))
    },
    ended: (report) => {
      for (const each of forget) each()
      passage.closed(report)
    },
  })
}

/** From the request line alone; everything else of it is looked at on the way that every request goes. */
export function isWebSocketRoute(
  { method, url }: IncomingMessage,
  house: Pick<House, 'routes' | 'parameterLimit'>,
): boolean {
  const target = parseRequestTarget(url!, house.parameterLimit)
  const found = isRefusal(target) ? target : house.routes.find(method!, target)
  return !isRefusal(found) && found.route.webSocket !== undefined
}

function readOpening(passage: Passage, { connections, isOwnOrigin }: LiveHouse): Handshake | Refusal {
  const { request, response, ahead = 0 } = passage
  const { line } = passage.sending()
  const { headers, method } = line
  const handshake = readHandshake({ method, httpVersion: request.httpVersion, headers, ahead })
  if (isRefusal(handshake)) {
    // RFC 6455 §4.4, RFC 9110 §15.5.22.
    if (handshake.status === 426) {
      response.setHeader('sec-websocket-version', VERSION)
      response.setHeader('upgrade', 'websocket')
    }
    return handshake
  }
  // A page of any origin can open a WebSocket, with the cookies and certificates of whoever looks at it.
  const origin = headers.get('origin')
  if (origin !== undefined && !isOwnOrigin(origin)) return FOREIGN
  return connections.isClosing ? CLOSING : handshake
}

const NOT_HERE = refuse('interaction-unknown', 'This path is no WebSocket.', { allow: ['GET', 'HEAD'] })
const FOREIGN = refuse('header-ambiguous', 'Pages of this origin may not open a WebSocket here.', { status: 403 })
const CLOSING = refuse('overloaded', 'The gateway is shutting down. Try again in a moment.', { retryAfter: 1 })
