// A gateway with one plain route that opens WebSockets, in front of an upstream that speaks it by hand.

import { type Addresses, PUBLIC_URL, type Rig, type RigOptions, startRig } from './rig.ts'
import { OPENING, openRaw, type RawWebSocket } from './web-socket-client.ts'
import { startWebSocketUpstream, type WebSocketUpstream } from './web-socket-upstream.ts'

export interface WebSocketRig extends Rig {
  readonly live: WebSocketUpstream
  /** Opens one with a token of `live.read`; `fields` come behind those of the handshake. */
  open(options?: OpenOptions): Promise<RawWebSocket>
}

export interface OpenOptions {
  readonly target?: string
  readonly scope?: string
  readonly claims?: Readonly<Record<string, unknown>>
  readonly fields?: readonly string[]
  /** Instead of the handshake's own. */
  readonly opening?: readonly string[]
  /** Bytes that do not wait for the answer. */
  readonly ahead?: Buffer | string
}

export interface WebSocketRigOptions extends Omit<RigOptions, 'map'> {
  /** What `webSocket:` says. */
  readonly webSocket?: string
  /** Keys of the upstream, of the whole map. */
  readonly upstream?: string
  readonly more?: string
}

export const webSocketMap =
  (live: string, { webSocket = 'true', upstream = '', more = '' }: WebSocketRigOptions = {}) =>
  ({ issuer, jwks, upstream: plain }: Addresses): string =>
    `
version: 1
server: { listen: 127.0.0.1:0, admin: 127.0.0.1:0, publicUrl: ${PUBLIC_URL} }
issuers:
  - { name: ehr, issuer: "${issuer}", audience: ["${PUBLIC_URL}"], jwks: "${jwks}" }
upstreams:
  live: { url: "${live}", timeout: 2s ${upstream} }
  plain: { url: "${plain}" }
scopes:
  Live:
    live.read: { description: Watch., credentials: [oauth2, api-key] }
    live.other: { description: Other., credentials: [oauth2] }
routes:
  - name: live
    upstream: live
    webSocket: ${webSocket}
    identityHeaders: true
    match: { GET /live/events: live.read, GET /live/rooms/*: live.read, POST /live/events: live.read }
  - name: shut
    upstream: live
    match: { GET /shut/events: live.read }
  - name: open
    upstream: live
    webSocket: true
    match: { GET /open/events: public }
  - name: plain
    upstream: plain
    match: { GET /plain/*: live.read, GET /plain-public/*: public }
${more}
`

export async function startWebSocketRig(options: WebSocketRigOptions = {}): Promise<WebSocketRig> {
  const live = await startWebSocketUpstream()
  const rig = await startRig({ ...options, map: webSocketMap(live.url, options) })
  return {
    ...rig,
    live,
    async open({ target = '/live/events', scope = 'live.read', claims, fields = [], opening = OPENING, ahead } = {}) {
      const authorization = scope === '' ? [] : [`Authorization: Bearer ${await rig.token(scope, claims)}`]
      return openRaw(rig.port, target, [...opening, ...authorization, ...fields], ahead)
    },
    close: async () => {
      await rig.close()
      await live.close()
    },
  }
}
