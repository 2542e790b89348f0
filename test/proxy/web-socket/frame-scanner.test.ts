import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FrameScanner } from '../../../src/proxy/web-socket/frame-scanner.ts'
import { closeFrame, pingFrame } from '../../../src/proxy/web-socket/frames.ts'
import { clientFrame, closeCode, closeOf, type FrameShape, frame, readFrames } from '../../support/web-socket-frames.ts'

const LIMIT = 1_000

interface Scanned {
  readonly passed: Buffer
  readonly fault: number | undefined
  readonly scanner: FrameScanner
}

function scan(pieces: readonly Buffer[], masked = true): Scanned {
  const scanner = new FrameScanner({ masked, message: LIMIT })
  const passed: Buffer[] = []
  let fault: number | undefined
  for (const piece of pieces) {
    // A copy that is destroyed: what passes later may not look at what came before.
    const bytes = Buffer.from(piece)
    fault ??= scanner.scan(bytes, (out) => passed.push(Buffer.from(out)))
    bytes.fill(0)
  }
  return { passed: Buffer.concat(passed), fault, scanner }
}

function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (const length of lengths) {
    pieces.push(bytes.subarray(at, at + length))
    at += length
  }
  return [...pieces, bytes.subarray(at)]
}

const payload = (most: number) => fc.uint8Array({ maxLength: most }).map((bytes) => Buffer.from(bytes))
/** Messages in one or several frames, with control frames between and within them. */
const soundMessage = fc
  .tuple(fc.constantFrom(1, 2), fc.array(payload(200), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([opcode, parts, pings]) =>
    parts.flatMap((part, i): FrameShape[] => [
      { opcode: i === 0 ? opcode : 0, payload: part, final: i === parts.length - 1 },
      ...(pings ? [{ opcode: 9, payload: 'p' }] : []),
    ]),
  )
const sound = fc.array(soundMessage, { maxLength: 5 }).map((messages) => messages.flat())
const pieces = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 })

test('sound frames pass byte for byte, however they are cut', () => {
  fc.assert(
    fc.property(sound, pieces, fc.boolean(), (shapes, lengths, masked) => {
      const bytes = Buffer.concat(shapes.map((shape) => frame({ ...shape, masked })))
      const { passed, fault, scanner } = scan(cut(bytes, lengths), masked)
      expect(fault).toBeUndefined()
      expect(passed).toEqual(bytes)
      expect(scanner.isBetweenFrames).toBe(true)
      expect(scanner.frames).toBe(shapes.length)
      expect(scanner.messages).toBe(shapes.filter(({ opcode = 1, final = true }) => opcode < 8 && final).length)
    }),
  )
})

test('of any bytes at all only whole sound frames and the beginning of one pass, the same however they are cut', () => {
  const garbage = fc.tuple(sound, payload(60), sound).map(([before, middle, after]) => {
    const bytes = (shapes: readonly FrameShape[]) =>
      Buffer.concat(shapes.map((shape) => frame({ ...shape, masked: true })))
    return Buffer.concat([bytes(before), middle, bytes(after)])
  })
  fc.assert(
    fc.property(garbage, pieces, (bytes, lengths) => {
      const whole = scan([bytes])
      const cutUp = scan(cut(bytes, lengths))
      expect([cutUp.fault, cutUp.passed.toString('hex')]).toEqual([whole.fault, whole.passed.toString('hex')])
      expect(bytes.subarray(0, whole.passed.length)).toEqual(whole.passed)
      const { frames, rest } = readFrames(whole.passed)
      for (const { opcode, masked, final, payload } of frames) {
        expect([0, 1, 2, 8, 9, 10]).toContain(opcode)
        expect(masked).toBe(true)
        if (opcode >= 8) expect([final, payload.length < 126]).toEqual([true, true])
        expect(payload.length).toBeLessThanOrEqual(LIMIT)
      }
      expect(rest.length === 0).toBe(whole.scanner.isBetweenFrames)
    }),
  )
})

describe('not a byte of it passes:', () => {
  test.each<[string, Buffer, number]>([
    ['a frame of a client without a mask', frame({ payload: 'x' }), 1002],
    ['a reserved bit', clientFrame('x', { reserved: 0x40 }), 1002],
    ['a second reserved bit', clientFrame('x', { reserved: 0x20 }), 1002],
    ['a reserved data opcode', clientFrame('x', { opcode: 3 }), 1002],
    ['a reserved control opcode', clientFrame('x', { opcode: 11 }), 1002],
    ['a continuation of nothing', clientFrame('x', { opcode: 0 }), 1002],
    ['a control frame in pieces', clientFrame('x', { opcode: 9, final: false }), 1002],
    ['a control frame of 126 bytes', clientFrame('x'.repeat(126), { opcode: 9 }), 1002],
    ['half a status in a Close frame', clientFrame('x', { opcode: 8 }), 1002],
    ['a length of 16 bits that fits 7', clientFrame('x', { lengthBits: 16 }), 1002],
    ['a length of 64 bits that fits 16', clientFrame('x'.repeat(200), { lengthBits: 64 }), 1002],
    ['a length with its first bit set', Buffer.from('81ff8000000000000001aaaaaaaa', 'hex'), 1002],
    ['a length beyond what can be counted', Buffer.from('81ff0020000000000000aaaaaaaa', 'hex'), 1002],
    ['a message that is too big', clientFrame('x'.repeat(LIMIT + 1)), 1009],
    ['one that only tells that it is', clientFrame('', { told: LIMIT + 1 }), 1009],
    ['an HTTP request', Buffer.from('GET /admin HTTP/1.1\r\nHost: x\r\n\r\n'), 1002],
  ])('%s', (_, bytes, expected) => {
    for (const sent of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
      const { passed, fault } = scan([clientFrame('ok'), ...sent])
      expect([fault, passed.toString('hex')]).toEqual([expected, clientFrame('ok').toString('hex')])
    }
  })

  test('a masked frame of a server', () => {
    expect(scan([clientFrame('x')], false).fault).toBe(1002)
  })

  test('a message that begins within another', () => {
    const first = clientFrame('a', { final: false })
    const { passed, fault } = scan([first, clientFrame('b')])
    expect([fault, passed]).toEqual([1002, first])
  })

  test('the frame with which a message of many becomes too big; the next message begins anew', () => {
    const big = clientFrame('x'.repeat(600), { final: false })
    expect(scan([big, clientFrame('x'.repeat(401), { opcode: 0 })]).fault).toBe(1009)
    const ends = clientFrame('x'.repeat(400), { opcode: 0 })
    expect(scan([big, ends, big, ends]).fault).toBeUndefined()
  })

  test('what follows a Close frame', () => {
    const { passed, fault, scanner } = scan([
      Buffer.concat([closeOf(1000, true), clientFrame('more')]),
      clientFrame('x'),
    ])
    expect([fault, passed]).toEqual([undefined, closeOf(1000, true)])
    expect(scanner.closed).toBe(true)
  })
})

test('within a frame is not between frames', () => {
  const bytes = clientFrame('hello')
  expect(scan([bytes.subarray(0, 3)]).scanner.isBetweenFrames).toBe(true)
  expect(scan([bytes.subarray(0, 8)]).scanner.isBetweenFrames).toBe(false)
})

test('what the gateway says itself is sound', () => {
  for (const masked of [true, false]) {
    const { frames, rest } = readFrames(Buffer.concat([pingFrame(masked), closeFrame(1012, 'why', masked)]))
    expect(frames.map(({ opcode, masked }) => [opcode, masked])).toEqual([
      [9, masked],
      [8, masked],
    ])
    expect(rest.length).toBe(0)
    expect([closeCode(frames[1]!), frames[1]!.payload.subarray(2).toString()]).toEqual([1012, 'why'])
  }
})
