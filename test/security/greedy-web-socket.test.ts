// Clients and upstreams that take more of a WebSocket than there is: messages without end, floods of frames, readers that do not read,
// connections by the thousand, silence for ever.

import { afterEach, describe, expect, test } from 'vitest'
import { refusalIn } from '../support/raw-socket.ts'
import type { RawWebSocket } from '../support/web-socket-client.ts'
import { clientFrame, closeCode, frame, readFrames } from '../support/web-socket-frames.ts'
import { startWebSocketRig, type WebSocketRig } from '../support/web-socket-rig.ts'
import type { Peer } from '../support/web-socket-upstream.ts'

let rig: WebSocketRig
const start = async (webSocket: string, upstream = ''): Promise<WebSocketRig> => {
  rig = await startWebSocketRig({ webSocket, upstream })
  return rig
}
afterEach(() => rig.close())

const opened = async (): Promise<RawWebSocket> => {
  const raw = await rig.open()
  await raw.opened()
  expect(raw.head()).toMatch(/^HTTP\/1\.1 101/)
  return raw
}
/** When the gateway has left the upstream. */
const ended = async (index: number): Promise<Peer> => {
  const peer = await rig.live.peer(index)
  await new Promise<void>((resolve) => (peer.socket.destroyed ? resolve() : peer.socket.once('close', () => resolve())))
  return peer
}
const text = async (raw: RawWebSocket): Promise<string> => {
  await raw.until(() => false)
  return raw.head() + raw.behind().toString('latin1')
}

describe('a message that is too big: 1009, and not a byte of the frame passes', () => {
  test('of a client, in one frame or in many', async () => {
    await start('{ message: 1KiB }')
    const one = await opened()
    one.send(clientFrame('x'.repeat(1025)))
    expect(await one.closed()).toBe(1009)
    const many = await opened()
    for (let i = 0; i < 3; i++) many.send(clientFrame('x'.repeat(400), { opcode: i === 0 ? 1 : 0, final: false }))
    expect(await many.closed()).toBe(1009)
    const [first, second] = [await ended(0), await ended(1)]
    expect(readFrames(first.behind()).frames.map(({ opcode }) => opcode)).toEqual([8])
    expect(readFrames(second.behind()).frames.map(({ payload }) => payload.length)).toEqual([
      400,
      400,
      expect.anything(),
    ])
  })

  test('of a client that sends on: it is told all the same', async () => {
    await start('{ message: 1KiB }')
    const raw = await opened()
    raw.send(clientFrame(Buffer.alloc(4 * 1024 * 1024)))
    raw.send(clientFrame(Buffer.alloc(4 * 1024 * 1024)))
    expect(await raw.closed()).toBe(1009)
    expect(readFrames((await ended(0)).behind()).frames.map(({ opcode }) => opcode)).toEqual([8])
  })

  test('of an upstream', async () => {
    await start('{ message: 1KiB }')
    const raw = await opened()
    ;(await rig.live.peer()).socket.write(frame({ payload: 'x'.repeat(2_000) }))
    expect(await raw.closed()).toBe(1009)
    expect(raw.frames()).toHaveLength(1)
  })
})

test('an upstream that sends what no server may: 1014', async () => {
  await start('true')
  const raw = await opened()
  ;(await rig.live.peer()).socket.write(clientFrame('masked'))
  expect(await raw.closed()).toBe(1014)
})

test('a flood of frames is read no faster than its rate', async () => {
  await start('{ rate: 100 }')
  const began = performance.now()
  const raw = await opened()
  const peer = await rig.live.peer()
  const arrived = async (frames: number): Promise<void> => {
    while (readFrames(peer.behind()).frames.length < frames) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  raw.send(Buffer.concat(Array.from({ length: 170 }, () => clientFrame('', { opcode: 9 }))))
  await arrived(170)
  raw.send(clientFrame('one more'))
  await arrived(171)
  // 100 at once, and the 70 beyond them at 100 a second, before another one is read.
  expect(performance.now() - began).toBeGreaterThanOrEqual(690)
})

test('a client that does not read stops its upstream, and memory stays flat', async () => {
  await start('{ message: 10MiB }')
  const raw = await opened()
  const { socket } = await rig.live.peer()
  raw.socket.pause()
  const piece = frame({ payload: Buffer.alloc(1024 * 1024) })
  const before = process.memoryUsage().rss
  let sent = 0
  // Written only as fast as the gateway takes it.
  for (let i = 0; i < 200 && socket.writableLength < 2 * piece.length; i++) {
    socket.write(piece)
    sent += piece.length
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect(socket.writableLength).toBeGreaterThan(piece.length)
  expect(sent - socket.writableLength).toBeLessThan(30 * 1024 * 1024)
  expect(process.memoryUsage().rss - before).toBeLessThan(80 * 1024 * 1024)
  raw.socket.removeAllListeners('data').resume()
  while (socket.writableLength > 0) await new Promise((resolve) => setTimeout(resolve, 5))
  raw.socket.destroy()
})

test('an upstream that does not read stops its client', async () => {
  await start('{ message: 10MiB, rate: 1000000 }')
  const raw = await opened()
  const peer = await rig.live.peer()
  peer.socket.pause()
  const piece = clientFrame(Buffer.alloc(1024 * 1024))
  let sent = 0
  for (let i = 0; i < 60 && raw.socket.writableLength < 2 * piece.length; i++) {
    raw.send(piece)
    sent += piece.length
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect(raw.socket.writableLength).toBeGreaterThan(piece.length)
  expect(sent - raw.socket.writableLength).toBeLessThan(30 * 1024 * 1024)
  raw.socket.destroy()
})

describe('places', () => {
  test('of a client: 429, and one that is given back is free', async () => {
    await start('{ perClient: 2 }')
    const [one] = [await opened(), await opened()]
    expect(refusalIn(await text(await rig.open()))).toBe('429 rate-limited')
    const other = await rig.open({ claims: { client_id: 'app-2' } })
    await other.opened()
    expect(other.head()).toMatch(/^HTTP\/1\.1 101/)
    one!.socket.destroy()
    for (;;) {
      const again = await rig.open()
      await again.opened()
      if (again.head().startsWith('HTTP/1.1 101')) break
    }
  })

  test('of a route: 503; requests have their own places', async () => {
    await start('{ connections: 1 }', ', connections: 1')
    await opened()
    expect(refusalIn(await text(await rig.open({ claims: { client_id: 'app-2' } })))).toBe('503 overloaded')
    rig.live.answer = () => 'HTTP/1.1 204 No Content\r\n\r\n'
    expect((await rig.ask('GET /live/events', { scope: 'live.read' })).status).toBe(204)
  })

  test('one that was not opened gives its place back', async () => {
    await start('{ connections: 1 }')
    rig.live.answer = () => 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'
    for (let i = 0; i < 3; i++) expect(refusalIn(await text(await rig.open()))).toBe('502 upstream-broken')
    rig.live.reset()
    await opened()
  })
})

test('an upstream that does not answer the handshake: 504 after its timeout', async () => {
  rig = await startWebSocketRig({ upstream: '' })
  rig.live.answer = () => undefined
  const raw = await rig.open()
  expect(refusalIn(await text(raw))).toBe('504 upstream-timeout')
})

describe('silence', () => {
  test('a side that says nothing is asked, and given up when it does not answer', async () => {
    await start('{ idle: 2s }')
    rig.live.hear = () => {}
    const raw = await opened()
    expect(await raw.closed()).toBe(1001)
    expect(raw.frames().map(({ opcode }) => opcode)).toEqual([9, 8])
    const { frames } = readFrames((await ended(0)).behind())
    expect(frames.map((each) => (each.opcode === 8 ? closeCode(each) : each.opcode))).toEqual([9, 1001])
    expect(frames.every(({ masked }) => masked)).toBe(true)
  })
})
