// Bytes through a scanner of WebSocket frames, in pieces: what passes, and which fault ends it.

import { FrameScanner } from '../../src/proxy/web-socket/frame-scanner.ts'

/** Of a message. */
export const LIMIT = 1_000

interface Scanned {
  readonly passed: Buffer
  readonly fault: number | undefined
  readonly scanner: FrameScanner
}

export function scan(pieces: readonly Buffer[], masked = true): Scanned {
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
