// WebSockets through the gateway: opened on routes that say so, decided like every request, and everything that both sides say passes.

import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { WebSocket } from 'undici'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { refusalIn } from '../support/raw-socket.ts'
import { ACCEPT, KEY, OPENING } from '../support/web-socket-client.ts'
import { clientFrame, closeOf, frame, readFrames } from '../support/web-socket-frames.ts'
import { startWebSocketRig, type WebSocketRig, webSocketMap } from '../support/web-socket-rig.ts'
import { switched } from '../support/web-socket-upstream.ts'

let rig: WebSocketRig
beforeAll(async () => {
  rig = await startWebSocketRig()
})
afterAll(() => rig.close())
beforeEach(() => rig.live.reset())

const headOf = async () => (await rig.live.peer()).head
const logged = (text: string) =>
  rig
    .log()
    .split('\n')
    .filter((line) => line.includes(text))
    .map((line) => JSON.parse(line))

test('a client of undici says something and hears it again', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${rig.port}/live/events?room=1`, {
    protocols: ['events.v2', 'events.v1'],
    headers: { authorization: `Bearer ${await rig.token('live.read')}` },
  })
  rig.live.answer = ({ key }) => switched(key, ['Sec-WebSocket-Protocol: events.v1'])
  const heard: unknown[] = []
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => socket.send('hello'))
    socket.addEventListener('error', (event) => reject(event.error))
    socket.addEventListener('message', ({ data }) => {
      heard.push(data)
      if (heard.length === 1) socket.send('x'.repeat(100_000))
      else resolve()
    })
  })
  expect(heard.map((each) => String(each).length)).toEqual([5, 100_000])
  expect(socket.protocol).toBe('events.v1')
  const closed = new Promise<{ code: number; wasClean: boolean }>((resolve) => {
    socket.addEventListener('close', ({ code, wasClean }) => resolve({ code, wasClean }))
  })
  socket.close(1000, 'enough')
  expect(await closed).toEqual({ code: 1000, wasClean: true })
})

test('what goes upstream is built here: target, identity, handshake, and no extension', async () => {
  const raw = await rig.open({
    target: '/live/events?a=1&b=x%2Cy',
    fields: ['Sec-WebSocket-Extensions: permessage-deflate', 'X-Auth-Subject: somebody', 'X-App: 1', 'TE: trailers'],
  })
  await raw.opened()
  const [line, ...fields] = (await headOf()).trimEnd().split('\r\n')
  expect(line).toBe('GET /live/events?a=1&b=x,y HTTP/1.1')
  const names = fields.map((field) => field.split(':', 1)[0]!.toLowerCase())
  expect(names).toEqual([...new Set(names)])
  expect(fields.join('\n')).not.toMatch(/authorization:|extensions|^te:|somebody/im)
  expect(fields).toEqual(
    expect.arrayContaining([
      `host: 127.0.0.1:${rig.live.port}`,
      'connection: Upgrade',
      'upgrade: websocket',
      'sec-websocket-version: 13',
      `sec-websocket-key: ${KEY}`,
      'x-auth-subject: user-1',
      'X-App: 1'.toLowerCase(),
      'via: 1.1 scopegate',
    ]),
  )
  raw.socket.destroy()
})

test('the answer is built here too, with what the upstream says besides', async () => {
  rig.live.answer = ({ key }) =>
    switched(key, ['Server: secret/1.0', 'X-Powered-By: it', 'X-Room: 7', 'Content-Length: 5', 'Set-Cookie: a=b'])
  const raw = await rig.open()
  await raw.opened()
  expect(raw.head()).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
  expect(raw.head()).toContain(`sec-websocket-accept: ${ACCEPT}\r\n`)
  expect(raw.head()).toContain('x-room: 7\r\n')
  expect(raw.head()).toMatch(/^x-request-id: /m)
  expect(raw.head()).not.toMatch(/server:|powered|content-length|transfer-encoding/i)
  raw.socket.destroy()
})

test('an ordinary request to the same path is an ordinary request', async () => {
  rig.live.answer = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'
  const answer = await rig.ask('GET /live/events', { scope: 'live.read' })
  expect([answer.status, answer.text]).toEqual([200, 'hi'])
})

describe('refused, and the upstream hears nothing:', () => {
  test.each([
    ['no credential', { scope: '' }, '401 token-missing'],
    ['another scope', { scope: 'live.other' }, '403 scope-insufficient'],
    [
      'a path without a route',
      { target: '/live/other', opening: [...OPENING, 'Connection: close'] },
      '404 route-unknown',
    ],
    ['two credentials', { fields: ['X-API-Key: sgk_x'] }, '400 credential-ambiguous'],
    ['a page of a foreign origin', { fields: ['Origin: https://evil.example'] }, '403 header-ambiguous'],
    ['a page without an origin', { fields: ['Origin: null'] }, '403 header-ambiguous'],
    [
      'a foreign origin where everyone may read',
      { target: '/open/events', scope: '', fields: ['Origin: http://x'] },
      '403 header-ambiguous',
    ],
  ] as const)('%s', async (_, options, refusal) => {
    const raw = await rig.open(options)
    await raw.closed()
    expect(refusalIn(raw.head() + raw.behind())).toBe(refusal)
    expect(rig.live.peers).toEqual([])
  })

  test('one of the own origin is let in', async () => {
    const raw = await rig.open({ fields: ['Origin: https://api.example.org'] })
    await raw.opened()
    expect(raw.head()).toMatch(/^HTTP\/1\.1 101/)
    raw.socket.destroy()
  })
})

test('a public route needs no credential', async () => {
  const raw = await rig.open({ target: '/open/events', scope: '' })
  await raw.opened()
  raw.send(clientFrame('hi'))
  await raw.until(() => raw.frames().length > 0)
  expect(raw.frames()[0]!.payload.toString()).toBe('hi')
  raw.socket.destroy()
})

test('Ping, Pong, fragments and binary pass as they are', async () => {
  const raw = await rig.open()
  await raw.opened()
  const sent = [
    clientFrame('ping', { opcode: 9 }),
    clientFrame('one ', { final: false }),
    clientFrame('', { opcode: 10 }),
    clientFrame('two', { opcode: 0 }),
    clientFrame(Buffer.alloc(70_000, 7), { opcode: 2 }),
  ]
  const peer = await rig.live.peer()
  for (const bytes of sent) raw.send(bytes)
  const length = Buffer.concat(sent).length
  while (peer.behind().length < length) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(peer.behind()).toEqual(Buffer.concat(sent))
  raw.socket.destroy()
})

test('the upstream may begin, in the same packet as its answer', async () => {
  rig.live.answer = ({ key, socket }) => {
    socket.write(Buffer.concat([Buffer.from(switched(key)), frame({ payload: 'welcome' })]))
    return undefined
  }
  const raw = await rig.open()
  await raw.until(() => raw.frames().length === 1)
  expect(raw.frames()[0]!.payload.toString()).toBe('welcome')
  raw.socket.destroy()
})

test('who closes is told to the other, and the log says so once, with figures and nothing else', async () => {
  const raw = await rig.open({ target: '/live/events?secret=value' })
  await raw.opened()
  raw.send(clientFrame('hello'))
  await raw.until(() => raw.frames().length === 1)
  raw.send(closeOf(1000, true))
  expect(await raw.closed()).toBe(1000)
  const id = /x-request-id: (.*)\r/.exec(raw.head())![1]!
  while (logged(id).length === 0) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(logged(id)).toEqual([
    expect.objectContaining({
      route: 'live',
      status: 101,
      outcome: 'forward',
      parameters: ['secret'],
      webSocket: {
        endedBy: 'client',
        bytesFromClient: clientFrame('hello').length + closeOf(1000, true).length,
        messagesFromClient: 1,
        bytesFromUpstream: 7 + 4,
        messagesFromUpstream: 1,
      },
    }),
  ])
  expect(JSON.stringify(logged(id))).not.toContain('value')
})

test('the gauge says how many are open', async () => {
  const open = async () =>
    /scopegate_websockets_open\{route="open"\} (\d+)/.exec((await rig.askAdmin('GET /metrics')).text)?.[1]
  const count = async (expected: string) => {
    while ((await open()) !== expected) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await count('0')
  const raw = await rig.open({ target: '/open/events', scope: '' })
  await raw.opened()
  expect(await open()).toBe('1')
  raw.send(closeOf(1000, true))
  await count('0')
})

test('an upstream that breaks off: 1014 to the client', async () => {
  const raw = await rig.open()
  await raw.opened()
  ;(await rig.live.peer()).socket.destroy()
  expect(await raw.closed()).toBe(1014)
})

test('a client that leaves frees the upstream', async () => {
  const raw = await rig.open()
  await raw.opened()
  const peer = await rig.live.peer()
  const over = new Promise<void>((resolve) => peer.socket.once('close', () => resolve()))
  raw.socket.resetAndDestroy()
  await over
  expect(readFrames(peer.behind()).frames).toEqual([])
})

test('FHIR Subscriptions: a line of its own beside the FHIR route, at the path that the server knows', async () => {
  const more = `  - { name: fhir, fhir: R4, path: /fhir/R4, upstream: plain, smart: true }
  - name: subscriptions
    upstream: live
    webSocket: true
    match: { GET /fhir-ws/*: live.read }
    rewrite: { from: /fhir-ws, to: /websocket }`
  const fhir = await startWebSocketRig({ more })
  const raw = await fhir.open({ target: '/fhir-ws/R4' })
  await raw.opened()
  expect((await fhir.live.peer()).head).toMatch(/^GET \/websocket\/R4 HTTP/)
  raw.send(clientFrame('bind s1'))
  await raw.until(() => raw.frames().length > 0)
  expect(raw.frames()[0]!.payload.toString()).toBe('bind s1')
  raw.socket.destroy()
  const onRoute = await fhir.open({ target: '/fhir/R4/Patient/1', opening: [...OPENING, 'Connection: close'] })
  await onRoute.until(() => false)
  expect(onRoute.head()).toMatch(/^HTTP\/1\.1 401/)
  await fhir.close()
})

test('each opening counts against the rate of its route, and is told how much is left', async () => {
  const limited = await startWebSocketRig({ webSocket: 'true\n    rateLimit: { requests: 1, per: 1h }' })
  const first = await limited.open()
  await first.opened()
  expect(first.head()).toMatch(/^HTTP\/1\.1 101[\s\S]*^ratelimit: /im)
  const second = await limited.open()
  await second.until(() => false)
  expect(refusalIn(second.head() + second.behind())).toBe('429 rate-limited')
  expect(limited.live.peers).toHaveLength(1)
  first.socket.destroy()
  await limited.close()
})

describe('servers that cannot be reached:', () => {
  test('another one is asked', async () => {
    const other = await startWebSocketRig({ upstream: '' })
    const closed = await closedPort()
    const map = webSocketMap(other.live.url)
    await other.reload((at) =>
      map(at).replace(`url: "${other.live.url}"`, `url: ["http://127.0.0.1:${closed}", "${other.live.url}"]`),
    )
    for (let i = 0; i < 4; i++) {
      const raw = await other.open()
      await raw.opened()
      expect(raw.head()).toMatch(/^HTTP\/1\.1 101/)
      raw.socket.destroy()
    }
    await other.close()
  })

  test('502 when there is none', async () => {
    const closed = await closedPort()
    const alone = await startWebSocketRig()
    await alone.reload((at) => webSocketMap(`http://127.0.0.1:${closed}`)(at))
    const raw = await alone.open()
    await raw.until(() => false)
    expect(refusalIn(raw.head() + raw.behind())).toBe('502 upstream-unreachable')
    await alone.close()
  })
})

test("the gateway's own token goes up; a 401 to it is 502, and worth a new one", async () => {
  let fetched = 0
  const issuer = createHttpServer((_request, response) => {
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ access_token: `own-${++fetched}`, token_type: 'Bearer', expires_in: 600 }))
  })
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  const more = `  - name: own
    upstream: live
    webSocket: true
    authorization: { clientCredentials: { url: "http://127.0.0.1:${(issuer.address() as AddressInfo).port}", clientId: gw, clientSecret: s } }
    match: { GET /own/events: live.read }`
  const own = await startWebSocketRig({ more })
  own.live.answer = ({ key, head }) =>
    head.includes('Bearer own-2')
      ? switched(key)
      : 'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n'
  const first = await own.open({ target: '/own/events' })
  await first.until(() => false)
  expect(refusalIn(first.head() + first.behind())).toBe('502 upstream-broken')
  expect(first.head()).not.toMatch(/www-authenticate/i)
  const second = await own.open({ target: '/own/events' })
  await second.opened()
  expect(second.head()).toMatch(/^HTTP\/1\.1 101/)
  second.socket.destroy()
  await own.close()
  issuer.close()
})

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a client that leaves while the upstream thinks: nothing is opened, and its place is free', async () => {
  const slow = await startWebSocketRig({ webSocket: '{ connections: 1 }' })
  let answer = (): void => {}
  slow.live.answer = ({ key, socket }) => {
    answer = () => void socket.write(switched(key))
    return undefined
  }
  const raw = await slow.open()
  const peer = await slow.live.peer()
  raw.socket.resetAndDestroy()
  await new Promise((resolve) => setTimeout(resolve, 50))
  answer()
  await new Promise<void>((resolve) => (peer.socket.destroyed ? resolve() : peer.socket.once('close', () => resolve())))
  slow.live.reset()
  for (;;) {
    const again = await slow.open()
    await again.opened()
    if (again.head().startsWith('HTTP/1.1 101')) break
  }
  await slow.close()
})
