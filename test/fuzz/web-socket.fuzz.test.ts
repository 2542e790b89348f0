// Handshakes of bare bytes, mutated and in any pieces, and what follows them: sound frames, broken ones, requests, noise. Whatever arrives
// at the upstream is one handshake that was built by the gateway and, behind it, nothing but sound frames of a client; every connection
// is answered or closed.

import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OPENING } from '../support/web-socket-client.ts'
import { clientFrame, closeOf, frame, readFrames } from '../support/web-socket-frames.ts'
import { startWebSocketRig, type WebSocketRig } from '../support/web-socket-rig.ts'
import { acceptFor, type Peer, switched } from '../support/web-socket-upstream.ts'
import { mutate, split } from './mutations.ts'
import { caseOf, FUZZ_SECONDS, FUZZ_SEED, type Random } from './seeded.ts'

const AT_ONCE = 16
const LONGEST_MS = 20_000
const NOTHING_TO_SEE = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'

let rig: WebSocketRig
let token = ''
beforeAll(async () => {
  rig = await startWebSocketRig({
    webSocket: '{ message: 4KiB, rate: 1000000, perClient: 100000, connections: 100000 }',
  })
  rig.live.answer = (peer) => {
    if (/^upgrade:/im.test(peer.head)) return switched(peer.key)
    peer.socket.end(NOTHING_TO_SEE)
    return undefined
  }
  token = await rig.token('live.read')
})
afterAll(() => rig.close())

function handshake(random: Random): string {
  const fields = [...OPENING, `Authorization: Bearer ${token}`]
  if (random.chance(0.3)) fields.push('Sec-WebSocket-Protocol: a, b')
  if (random.chance(0.2)) fields.push('Sec-WebSocket-Extensions: permessage-deflate')
  if (random.chance(0.1)) fields.push(random.pick(['Content-Length: 5', 'Transfer-Encoding: chunked', 'Origin: null']))
  const target = random.pick(['/live/events', '/live/rooms/1?a=b', '/shut/events'])
  const text = [`GET ${target} HTTP/1.1`, 'Host: x', ...fields, '', ''].join('\r\n')
  return random.chance(0.5) ? mutate(text, random) : text
}

function after(random: Random): Buffer {
  const pieces = Array.from({ length: random.below(6) }, () => {
    const payload = Buffer.alloc(random.pick([0, 1, 125, 126, 300, 5_000]), random.below(256))
    const shape = { opcode: random.pick([0, 1, 1, 1, 2, 8, 9, 10, 3, 11]), final: random.chance(0.7) }
    switch (random.below(8)) {
      case 0:
        return frame({ ...shape, payload })
      case 1:
        return Buffer.from('GET /admin HTTP/1.1\r\nHost: x\r\n\r\n')
      case 2:
        return clientFrame(payload, { ...shape, reserved: random.pick([0x40, 0x20, 0x10]) })
      case 3:
        return closeOf(1000, true)
      case 4:
        return Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)))
      default:
        return clientFrame(payload, shape)
    }
  })
  return Buffer.concat(pieces)
}

/** A fault of what the client got. */
async function run(index: number): Promise<string | undefined> {
  const random = caseOf(FUZZ_SEED, index)
  const text = handshake(random)
  // A mutation may have made another key of it.
  const key = /^sec-websocket-key:[ \t]*(.*?)[ \t]*\r$/im.exec(text)?.[1] ?? ''
  const pieces = split(text, random)
  const ahead = random.chance(0.1)
  const more = after(random)
  return new Promise((resolve) => {
    let answer = ''
    let sent = ahead
    const socket = connect(rig.port, '127.0.0.1')
    const hung = setTimeout(() => done('neither answered nor closed'), LONGEST_MS)
    const done = (fault: string | undefined): void => {
      clearTimeout(hung)
      socket.destroy()
      resolve(fault)
    }
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      const end = answer.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!answer.startsWith('HTTP/1.1 101')) {
        done(/^HTTP\/1\.1 5/.test(answer) ? `answered ${answer.slice(0, end)}` : undefined)
      } else if (!answer.includes(`sec-websocket-accept: ${acceptFor(key)}\r\n`)) done('another accept')
      else if (!sent) {
        sent = true
        socket.write(more)
        setTimeout(() => socket.end(), 20)
      }
    })
    socket.on('error', () => {})
    socket.on('close', () => done(undefined))
    for (const piece of pieces) socket.write(piece, 'latin1')
    if (ahead) socket.write(more)
    // What was cut off in the head would be waited for.
    setTimeout(() => socket.end(), 300)
  })
}

function faultOf({ head, behind }: Peer): string | undefined {
  const [line, ...fields] = head.trimEnd().split('\r\n')
  const names = fields.map((field) => field.split(':', 1)[0]!.toLowerCase())
  const value = (name: string) => fields.find((field) => field.toLowerCase().startsWith(`${name}: `))?.split(': ')[1]
  if (!/^(?:GET|HEAD) \/(?:live|shut|open)\/[!-~]+ HTTP\/1\.1$/.test(line!)) return 'another target'
  if (
    names.some((name) =>
      ['authorization', 'sec-websocket-extensions', 'transfer-encoding', 'content-length'].includes(name),
    )
  )
    return 'fields'
  if (!names.includes('upgrade')) return behind().length > 0 ? 'a request with more behind it' : undefined
  if (new Set(names).size < names.length) return 'a field twice'
  if (value('upgrade') !== 'websocket' || value('connection') !== 'Upgrade') return 'no upgrade'
  if (value('sec-websocket-version') !== '13' || Buffer.from(value('sec-websocket-key')!, 'base64').length !== 16)
    return 'no key'
  let fragmented = false
  const { frames, rest } = readFrames(behind())
  for (const { opcode, final, masked, payload } of frames) {
    const control = opcode >= 8
    if (!masked || ![0, 1, 2, 8, 9, 10].includes(opcode) || payload.length > 4096) return 'a broken frame'
    if (control && (!final || payload.length > 125)) return 'a broken control frame'
    if (!control && (opcode === 0) !== fragmented) return 'a fragment out of place'
    if (!control) fragmented = !final
  }
  return rest.length > 4096 + 14 || rest.includes('HTTP/1.1') ? 'what is no frame' : undefined
}

test(
  'Whatever a client sends to open a WebSocket and on it, one handshake of the gateway and sound frames arrive, and nothing else.',
  async () => {
    const until = performance.now() + FUZZ_SECONDS * 300
    const faults: string[] = []
    let index = 0
    const worker = async (): Promise<void> => {
      while (performance.now() < until && faults.length < 5) {
        const mine = index++
        const fault = await run(mine)
        if (fault !== undefined) faults.push(`case ${mine}: ${fault}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const peer of rig.live.peers) {
      const fault = faultOf(peer)
      if (fault !== undefined)
        faults.push(`arrived ${fault}: ${JSON.stringify(peer.head)} ${peer.behind().toString('hex').slice(0, 400)}`)
    }
    const opened = rig.live.peers.filter(({ head }) => /^upgrade:/im.test(head)).length
    console.info(`fuzz: ${index} handshakes, ${opened} opened, FUZZ_SEED=${FUZZ_SEED} FUZZ_SECONDS=${FUZZ_SECONDS * 2}`)
    expect(faults).toEqual([])
    expect(opened).toBeGreaterThan(5)
  },
  FUZZ_SECONDS * 1_000 + 60_000,
)
