// The opening handshake of a WebSocket (RFC 6455 §4), checked on both sides: what a client may send, and what an upstream must answer
// before a byte crosses. Nothing here is taken on trust: a proxy that lets an upgrade through without an upgrade having happened
// carries every following request past its own rules.

import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'

export interface Handshake {
  readonly key: string
  /** Subprotocols that the client offers, in its order. */
  readonly protocols: readonly string[]
}

/** Whatever stands in a request besides its header fields. */
export interface HandshakeLine {
  readonly method: string
  readonly httpVersion: string
  readonly headers: RequestHeaders
  /** Bytes that came behind the fields. */
  readonly ahead: number
}

export const VERSION = '13'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** Sixteen bytes in Base64, with nothing in the last character's unused bits. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const MOST_PROTOCOLS = 20

const broken = (detail: string): Refusal => refuse('header-ambiguous', detail)

export function readHandshake({ method, httpVersion, headers, ahead }: HandshakeLine): Handshake | Refusal {
  if (method !== 'GET' || httpVersion !== '1.1') return broken('A WebSocket is opened by GET over HTTP/1.1.')
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket' || !names(headers.get('connection'), 'upgrade')) {
    return broken('A WebSocket is opened with "Upgrade: websocket" and "Connection: Upgrade".')
  }
  if (headers.bodyLength !== 0) return refuse('body-invalid', 'The request that opens a WebSocket has no body.')
  if (headers.get('sec-websocket-version') !== VERSION) {
    return refuse('header-ambiguous', `Send Sec-WebSocket-Version: ${VERSION}.`, { status: 426 })
  }
  const key = headers.get('sec-websocket-key')
  if (key === undefined || !KEY.test(key)) return broken('Sec-WebSocket-Key must be 16 bytes in Base64.')
  const protocols = listOf(headers.get('sec-websocket-protocol'))
  if (protocols.length > MOST_PROTOCOLS || new Set(protocols).size < protocols.length) {
    return broken(`Offer each subprotocol once, and ${MOST_PROTOCOLS} at most.`)
  }
  if (!protocols.every((protocol) => TOKEN.test(protocol)))
    return broken('Sec-WebSocket-Protocol is not a list of names.')
  // RFC 6455 §4.1: a client waits for the answer. What comes before it would be a request to whoever did not upgrade.
  if (ahead > 0) return refuse('body-invalid', 'Wait for the answer before you send anything on a WebSocket.')
  return { key, protocols }
}

export interface Switched {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
}

/** The subprotocol that the upstream chose, or a refusal when its 101 is not the answer to this handshake. */
export function checkSwitched({ status, headers }: Switched, offered: Handshake): string | undefined | Refusal {
  const protocol = headers['sec-websocket-protocol']
  const sound =
    status === 101 &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    names(headers.connection, 'upgrade') &&
    headers['sec-websocket-accept'] === acceptOf(offered.key) &&
    // None is offered upstream.
    headers['sec-websocket-extensions'] === undefined &&
    (protocol === undefined || offered.protocols.includes(protocol))
  return sound ? protocol : NOT_SWITCHED
}

/** One value for each way in which an upstream does not open a WebSocket: nothing of its answer is passed on. */
export const NOT_SWITCHED = refuse('upstream-broken', 'The server behind this route did not open the WebSocket.')

export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

function names(list: string | undefined, name: string): boolean {
  return listOf(list).some((one) => one.toLowerCase() === name)
}

function listOf(list: string | undefined): readonly string[] {
  return list === undefined ? [] : list.split(',').map((one) => one.trim())
}

/** A 101 has no body, and the handshake's fields are the gateway's to say. */
const OWN_OR_FRAMING = /^(?:sec-websocket-|content-|transfer-encoding$|connection$|upgrade$|trailer$|keep-alive$)/i

/** The head of the 101 that the client gets; `more` is flat. */
export function printSwitched({ key }: Handshake, protocol: string | undefined, more: readonly string[]): string {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket']
  lines.push(`sec-websocket-accept: ${acceptOf(key)}`)
  if (protocol !== undefined) lines.push(`sec-websocket-protocol: ${protocol}`)
  for (let i = 0; i < more.length; i += 2) {
    if (!OWN_OR_FRAMING.test(more[i]!)) lines.push(`${more[i]}: ${more[i + 1]}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
