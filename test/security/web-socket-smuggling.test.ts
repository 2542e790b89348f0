// A proxy that takes a connection for a WebSocket which is none carries whatever follows past its rules (0ang3el/websocket-smuggle;
// Varnish, Envoy, nginx). Here nothing of a client's goes on before the upstream has proved that it switched, nothing but frames
// after it, and nothing of an upstream that did not switch comes back.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { exchangeRaw, refusalIn, requestText } from '../support/raw-socket.ts'
import { KEY, OPENING, type RawWebSocket } from '../support/web-socket-client.ts'
import { clientFrame } from '../support/web-socket-frames.ts'
import { type OpenOptions, startWebSocketRig, type WebSocketRig } from '../support/web-socket-rig.ts'
import { acceptFor, switched } from '../support/web-socket-upstream.ts'

const SMUGGLED = 'GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'

let rig: WebSocketRig
beforeAll(async () => {
  rig = await startWebSocketRig()
})
afterAll(() => rig.close())
beforeEach(() => {
  rig.live.reset()
  rig.upstream.reset()
})

const arrived = () => rig.live.peers.map(({ head, behind }) => head + behind().toString('latin1')).join('')
const over = async (raw: RawWebSocket) => {
  await raw.until(() => false)
  return raw.head() + raw.behind().toString('latin1')
}

describe('a handshake that is none is refused, and nothing arrives:', () => {
  const without = (name: string, ...instead: readonly string[]) => [
    ...OPENING.filter((field) => !field.toLowerCase().startsWith(name.toLowerCase())),
    ...instead,
  ]
  test.each<[string, OpenOptions, string]>([
    [
      'another version',
      { opening: without('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 1337') },
      '426 header-ambiguous',
    ],
    ['no version', { opening: without('Sec-WebSocket-Version') }, '426 header-ambiguous'],
    ['two versions', { fields: ['Sec-WebSocket-Version: 8'] }, '426 header-ambiguous'],
    ['no key', { opening: without('Sec-WebSocket-Key') }, '400 header-ambiguous'],
    ['a short key', { opening: without('Sec-WebSocket-Key', 'Sec-WebSocket-Key: dGhl') }, '400 header-ambiguous'],
    ['two keys', { fields: [`Sec-WebSocket-Key: ${KEY}`] }, '400 header-ambiguous'],
    ['a body', { fields: [`Content-Length: ${SMUGGLED.length}`], ahead: SMUGGLED }, '400 body-invalid'],
    ['a body in chunks', { fields: ['Transfer-Encoding: chunked'], ahead: `0\r\n\r\n${SMUGGLED}` }, '400 body-invalid'],
    ['a request behind it', { ahead: SMUGGLED }, '400 body-invalid'],
    ['a frame that does not wait', { ahead: clientFrame('early') }, '400 body-invalid'],
    ['a field in another spelling', { fields: ['Sec_WebSocket_Key: x'] }, '400 header-ambiguous'],
    ['a fragment', { target: '/live/events#x', fields: ['Connection: close'] }, '400 target-ambiguous'],
  ])('%s', async (_, options, refusal) => {
    const raw = await rig.open(options)
    expect(refusalIn(await over(raw))).toBe(refusal)
    expect(arrived()).toBe('')
  })

  test('the version that is spoken is told', async () => {
    const raw = await rig.open({ opening: without('Sec-WebSocket-Version', 'Sec-WebSocket-Version: 8') })
    expect(await over(raw)).toMatch(/^sec-websocket-version: 13\r$/m)
  })
})

describe('an ordinary request, without its upgrade:', () => {
  const ordinary = async (line: string, fields: readonly string[]) => {
    rig.live.answer = () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
    const authorization = `Authorization: Bearer ${await rig.token('live.read')}`
    const text = [`${line} HTTP/1.1`, 'Host: client.test', authorization, ...fields, '', ''].join('\r\n')
    const answer = await exchangeRaw(rig.port, text, (sofar) => sofar.includes('\r\n\r\n'))
    expect(answer.text).not.toMatch(/^HTTP\/1\.1 101/)
    expect(arrived()).not.toMatch(/upgrade|sec-websocket-accept|http2-settings/i)
    return answer.text
  }
  test.each<[string, string, readonly string[]]>([
    ['a route that does not opt in', 'GET /shut/events', OPENING],
    [
      'HTTP/2 in clear',
      'GET /live/events',
      ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk'],
    ],
    ['TLS', 'GET /live/events', ['Connection: Upgrade', 'Upgrade: TLS/1.2']],
    [
      'two protocols at once',
      'GET /live/events',
      ['Connection: Upgrade', 'Upgrade: websocket, h2c', ...OPENING.slice(2)],
    ],
    ['an Upgrade that Connection does not name', 'GET /live/events', OPENING.slice(1)],
  ])('%s', async (_, line, fields) => {
    expect(await ordinary(line, fields)).toMatch(/^HTTP\/1\.1 200/)
  })

  test('another method', async () => {
    await ordinary('POST /live/events', [...OPENING, 'Content-Length: 0'])
  })
})

test('two requests on one connection, the second for a WebSocket: it is an ordinary one', async () => {
  rig.upstream.raw = (_request, response) => void setTimeout(() => response.end('slow'), 30)
  rig.live.answer = () => 'HTTP/1.1 204 No Content\r\n\r\n'
  const authorization = `Authorization: Bearer ${await rig.token('live.read')}`
  const first = ['GET /plain/a HTTP/1.1', 'Host: x', authorization, '', ''].join('\r\n')
  const second = ['GET /live/events HTTP/1.1', 'Host: x', authorization, ...OPENING, '', ''].join('\r\n')
  const { text } = await exchangeRaw(rig.port, first + second, (sofar) => sofar.includes(' 204 '))
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 204'])
  expect(text).not.toContain('101')
})

describe('an upstream that does not switch: 502, nothing of its answer, and nothing more goes there:', () => {
  const lies: [string, (key: string) => string][] = [
    ['200', () => 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret'],
    ['426', () => 'HTTP/1.1 426 Upgrade Required\r\nX-Secret: secret\r\nContent-Length: 0\r\n\r\n'],
    ['302', () => 'HTTP/1.1 302 Found\r\nLocation: http://secret/\r\nContent-Length: 0\r\n\r\n'],
    ['an endless 200', () => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nsecret\r\n'],
    ['101 without Accept', (key) => switched(key).replace(/Sec-WebSocket-Accept.*\r\n/, '')],
    ['101 with another Accept', () => switched('AAAAAAAAAAAAAAAAAAAAAA==')],
    ['101 with two Accepts', (key) => switched(key, [`Sec-WebSocket-Accept: ${acceptFor(key)}`])],
    ['101 without Upgrade', (key) => switched(key).replace(/Upgrade: .*\r\n/, '')],
    ['101 without Connection', (key) => switched(key).replace(/Connection.*\r\n/, '')],
    ['101 to another protocol', (key) => switched(key).replace('websocket', 'h2c')],
    ['101 with an extension', (key) => switched(key, ['Sec-WebSocket-Extensions: permessage-deflate'])],
    ['101 with a subprotocol that nobody offered', (key) => switched(key, ['Sec-WebSocket-Protocol: secret'])],
    ['what is no HTTP', () => 'SSH-2.0-secret\r\n\r\n'],
  ]
  test.each(lies)('%s', async (_, answer) => {
    rig.live.answer = ({ key }) => answer(key)
    const raw = await rig.open()
    const text = await over(raw)
    expect(refusalIn(text)).toBe('502 upstream-broken')
    expect(text).not.toContain('secret')
    raw.send(SMUGGLED)
    const peer = await rig.live.peer()
    await new Promise<void>((resolve) =>
      peer.socket.destroyed ? resolve() : peer.socket.once('close', () => resolve()),
    )
    expect(arrived()).not.toContain('admin')
  })

  test('one that breaks off', async () => {
    rig.live.answer = ({ socket }) => void socket.resetAndDestroy()
    expect(refusalIn(await over(await rig.open()))).toBe('502 upstream-broken')
  })
})

test('while the upstream thinks, what the client sends waits; it goes on as frames or not at all', async () => {
  let answer = (): void => {}
  rig.live.answer = ({ key, socket }) => {
    answer = () => void socket.write(switched(key))
    return undefined
  }
  const raw = await rig.open()
  const peer = await rig.live.peer()
  raw.send(SMUGGLED)
  await new Promise((resolve) => setTimeout(resolve, 30))
  expect(peer.behind().length).toBe(0)
  answer()
  expect(await raw.closed()).toBe(1002)
  await new Promise<void>((resolve) => (peer.socket.destroyed ? resolve() : peer.socket.once('close', () => resolve())))
  expect(arrived()).not.toContain('admin')
})

test('once open, bytes that are no frames end it before they pass', async () => {
  const raw = await rig.open()
  await raw.opened()
  raw.send(SMUGGLED)
  expect(await raw.closed()).toBe(1002)
  expect(arrived()).not.toContain('admin')
})

test('a refused handshake is the last request of its connection', async () => {
  const text = requestText('GET /live/events', OPENING)
  const follows = requestText('GET /plain-public/a')
  const { text: answer } = await exchangeRaw(rig.port, text + follows)
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toHaveLength(1)
  expect(rig.upstream.arrived).toEqual([])
})
