// Frames of a WebSocket as bytes, sound and broken, and reading them back; shares nothing with the gateway's own reading.

export interface FrameShape {
  readonly opcode?: number
  readonly payload?: Buffer | string
  readonly final?: boolean
  readonly masked?: boolean
  /** Bits of the first byte beside FIN and opcode. */
  readonly reserved?: number
  /** Instead of the shortest form: 7, 16 or 64 bits. */
  readonly lengthBits?: 7 | 16 | 64
  /** Told instead of the payload's own. */
  readonly told?: number
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

export function frame(shape: FrameShape = {}): Buffer {
  const { opcode = 1, final = true, masked = false, reserved = 0, payload = '' } = shape
  const bytes = Buffer.from(payload as string)
  const length = shape.told ?? bytes.length
  const bits = shape.lengthBits ?? (length < 126 ? 7 : length < 65_536 ? 16 : 64)
  const head = Buffer.alloc(bits === 7 ? 2 : bits === 16 ? 4 : 10)
  head[0] = (final ? 0x80 : 0) | reserved | opcode
  head[1] = (masked ? 0x80 : 0) | (bits === 7 ? length : bits === 16 ? 126 : 127)
  if (bits === 16) head.writeUInt16BE(length, 2)
  if (bits === 64) head.writeBigUInt64BE(BigInt(length), 2)
  if (!masked) return Buffer.concat([head, bytes])
  return Buffer.concat([head, MASK, bytes.map((byte, i) => byte ^ MASK[i % 4]!)])
}

export const clientFrame = (payload: Buffer | string, shape: FrameShape = {}): Buffer =>
  frame({ ...shape, payload, masked: true })

export const closeOf = (code: number, masked = false): Buffer =>
  frame({ opcode: 8, payload: Buffer.from([code >> 8, code & 0xff]), masked })

export interface ReadFrame {
  readonly opcode: number
  readonly final: boolean
  readonly masked: boolean
  readonly payload: Buffer
}

/** Whole frames at the beginning of `bytes`, and what is left. */
export function readFrames(bytes: Buffer): { readonly frames: readonly ReadFrame[]; readonly rest: Buffer } {
  const frames: ReadFrame[] = []
  let at = 0
  for (;;) {
    if (bytes.length - at < 2) break
    const masked = (bytes[at + 1]! & 0x80) !== 0
    const short = bytes[at + 1]! & 0x7f
    const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0)
    if (bytes.length - at < head + (masked ? 4 : 0)) break
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short
    const start = at + head + (masked ? 4 : 0)
    if (bytes.length < start + length) break
    const mask = masked ? bytes.subarray(start - 4, start) : undefined
    const payload = Buffer.from(bytes.subarray(start, start + length).map((byte, i) => byte ^ (mask?.[i % 4] ?? 0)))
    frames.push({ opcode: bytes[at]! & 0x0f, final: (bytes[at]! & 0x80) !== 0, masked, payload })
    at = start + length
  }
  return { frames, rest: bytes.subarray(at) }
}

/** Status of a Close frame; 0 when it has none. */
export const closeCode = ({ payload }: ReadFrame): number => (payload.length < 2 ? 0 : payload.readUInt16BE(0))
