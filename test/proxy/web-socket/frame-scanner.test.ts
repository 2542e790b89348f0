import { describe, expect, test } from 'vitest'
import { closeFrame, pingFrame } from '../../../src/proxy/web-socket/frames.ts'
import { LIMIT, scan } from '../../support/scanned-frames.ts'
import { clientFrame, closeCode, closeOf, frame, readFrames } from '../../support/web-socket-frames.ts'

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
