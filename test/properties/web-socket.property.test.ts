// What passes on a WebSocket, whatever is sent and however it is cut.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LIMIT, scan } from '../support/scanned-frames.ts'
import { type FrameShape, frame, readFrames } from '../support/web-socket-frames.ts'

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

test('Sound frames of a WebSocket pass byte for byte, however they are cut.', () => {
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

test('Of any bytes at all, only whole sound frames and the beginning of one pass, the same however they are cut.', () => {
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
