// What stays open must not outlive the right to it: a WebSocket, or a stream of events, ends with its token, with a revocation, with
// the route that let it in, and with the process.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signingKey } from '../credentials/support/issuer-server.ts'
import type { RawWebSocket } from '../support/web-socket-client.ts'
import { closeCode, readFrames } from '../support/web-socket-frames.ts'
import { startWebSocketRig, type WebSocketRig, webSocketMap } from '../support/web-socket-rig.ts'
import type { Peer } from '../support/web-socket-upstream.ts'

let rig: WebSocketRig
let closed = false
beforeEach(async () => {
  rig = await startWebSocketRig()
  closed = false
})
afterEach(() => (closed ? undefined : rig.close()))

async function openOne(claims = {}): Promise<{ raw: RawWebSocket; peer: Peer }> {
  const raw = await rig.open({ claims })
  await raw.opened()
  expect(raw.head()).toMatch(/^HTTP\/1\.1 101/)
  return { raw, peer: await rig.live.peer(rig.live.peers.length - 1) }
}

/** What the upstream was told at the end. */
async function toldUpstream({ socket, behind }: Peer): Promise<number> {
  await new Promise<void>((resolve) => (socket.destroyed ? resolve() : socket.once('close', () => resolve())))
  const close = readFrames(behind()).frames.find(({ opcode }) => opcode === 8)
  return close === undefined ? -1 : closeCode(close)
}

test('the token expires: 1008 to both, and no other one ends', async () => {
  const now = Math.floor(rig.clock.now / 1000)
  const one = await openOne({ exp: now + 60 })
  const other = await openOne({ exp: now + 6_000 })
  rig.clock.now += 120_000
  expect(await one.raw.closed()).toBe(1008)
  expect(await toldUpstream(one.peer)).toBe(1008)
  expect(other.raw.frames()).toEqual([])
  expect(other.raw.socket.destroyed).toBe(false)
})

test('the token is revoked: 1008', async () => {
  const { raw } = await openOne({ jti: 'a' })
  const headers = { 'content-type': 'application/json' }
  const answer = await rig.askAdmin('POST /revocations', { headers, body: { iss: rig.issuer.url, jti: 'a' } })
  expect(answer.status).toBe(200)
  expect(await raw.closed()).toBe(1008)
})

describe('its issuer', () => {
  const INTROSPECTED = (map: string) =>
    map.replace(
      /(jwks: "[^"]+")/,
      `$1, introspection: { url: "${rig.issuer.url}/introspect", clientId: gw, clientSecret: s, always: true, cache: 5s }`,
    )
  const says = (answer: object) => {
    rig.issuer.say = () => ({ active: true, exp: Math.floor(rig.clock.now / 1000) + 6_000, ...answer })
  }
  const introspected = async (): Promise<RawWebSocket> => {
    says({})
    await rig.reload((at) => INTROSPECTED(webSocketMap(rig.live.url)(at)))
    return (await openOne({ exp: Math.floor(rig.clock.now / 1000) + 6_000 })).raw
  }

  test.each([
    ['calls it active no more', { active: false }],
    ['takes its scopes away', { scope: 'live.other' }],
  ])('%s: 1008', async (_, answer) => {
    const raw = await introspected()
    says(answer)
    rig.clock.now += 15_000
    expect(await raw.closed()).toBe(1008)
  })

  test('stands by it, or is away for a moment: it stays; away for long: 1008', async () => {
    const raw = await introspected()
    for (const mode of ['up', 'down', 'up'] as const) {
      const { length } = rig.issuer.questions
      rig.issuer.introspection = mode
      rig.clock.now += 15_000
      await expect.poll(() => rig.issuer.questions.length, { timeout: 5_000 }).toBeGreaterThan(length)
    }
    expect([raw.frames().length, raw.socket.destroyed]).toEqual([0, false])
    rig.issuer.introspection = 'down'
    rig.clock.now += 400_000
    expect(await raw.closed()).toBe(1008)
  })

  test('withdraws the key that signed it: 1008', async () => {
    const { raw } = await openOne({ exp: Math.floor(rig.clock.now / 1000) + 6_000 })
    rig.issuer.published = [(await signingKey('ES256', 'k2')).jwk]
    const { length } = rig.issuer.asked
    rig.clock.now += 1_200_000
    await expect.poll(() => rig.issuer.asked.length, { timeout: 5_000 }).toBeGreaterThan(length)
    rig.clock.now += 15_000
    expect(await raw.closed()).toBe(1008)
  })
})

describe('a reload', () => {
  test('that changes nothing of it leaves it alone, on the generation that it began with', async () => {
    const { raw } = await openOne()
    await rig.reload(
      webSocketMap(rig.live.url, { more: '  - { name: more, upstream: plain, match: GET /more, requires: public }' }),
    )
    const later = await openOne()
    for (const { frames, socket } of [raw, later.raw]) expect([frames().length, socket.destroyed]).toEqual([0, false])
  })

  test.each<[string, (map: string) => string]>([
    ['takes its route away', (map) => map.replace('GET /live/events: live.read, ', '')],
    ['opts out', (map) => map.replace('webSocket: true', 'webSocket: false')],
    ['asks for another scope', (map) => map.replace('GET /live/events: live.read', 'GET /live/events: live.other')],
    ['sends it elsewhere', (map) => map.replace('timeout: 2s', 'timeout: 3s')],
    ['trusts its issuer no more for this', (map) => map.replace('name: ehr,', 'name: ehr, mayGrant: [live.other],')],
  ])('that %s ends it: 1012, and the client may come again', async (_, change) => {
    const { raw, peer } = await openOne()
    const reloaded = await rig.reload((at) => change(webSocketMap(rig.live.url)(at)))
    expect(reloaded).toMatchObject({ problems: [] })
    expect(await raw.closed()).toBe(1012)
    expect(await toldUpstream(peer)).toBe(1012)
  })
})

test('the process ends: 1001 to both, at once', async () => {
  const { raw, peer } = await openOne()
  closed = true
  const ended = rig.close()
  expect(await raw.closed()).toBe(1001)
  expect(await toldUpstream(peer)).toBe(1001)
  await ended
})
