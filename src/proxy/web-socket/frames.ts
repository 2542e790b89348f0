// The few frames that the gateway itself puts into a WebSocket: Close, and Ping to a side that has been silent.

import { randomFillSync } from 'node:crypto'

/** Status codes of a Close frame (RFC 6455 §7.4.1 and its registry) that the gateway sends. */
export type CloseCode = 1001 | 1002 | 1008 | 1009 | 1012 | 1014

/** `masked` towards a server, never towards a client. */
export function closeFrame(code: CloseCode, reason: string, masked: boolean): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return controlFrame(0x88, payload, masked)
}

export function pingFrame(masked: boolean): Buffer {
  return controlFrame(0x89, Buffer.alloc(0), masked)
}

function controlFrame(first: number, payload: Buffer, masked: boolean): Buffer {
  if (!masked) return Buffer.concat([Buffer.from([first, payload.length]), payload])
  const mask = randomFillSync(Buffer.allocUnsafe(4))
  for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i % 4]!
  return Buffer.concat([Buffer.from([first, 0x80 | payload.length]), mask, payload])
}
