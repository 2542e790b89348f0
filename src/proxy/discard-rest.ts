// Empties a request that was answered before it was read to its end, so that its connection can serve the next one; but only a
// little and for a moment: who goes on sending is cut off.

import type { IncomingMessage } from 'node:http'

const MOST_BYTES = 256 * 1024
const LONGEST_MS = 1_000

export function discardRest(request: IncomingMessage): void {
  let left = MOST_BYTES
  const timer = setTimeout(() => request.socket.destroy(), LONGEST_MS)
  const stop = (): void => clearTimeout(timer)
  const count = (chunk: Buffer): void => {
    left -= chunk.length
    // Not at once: a reset would take the answer with it that is still on its way.
    if (left < 0) request.pause()
  }
  request.on('data', count).once('end', stop).once('close', stop).resume()
}
