// Ends an answer that is not whole, so that no client can take it for one that is.

import type { ServerResponse } from 'node:http'
import { TLSSocket } from 'node:tls'

/** Without chunks the end of the connection may pass for the end of the body, so only a reset tells that something is missing. */
export function breakConnection(response: ServerResponse): void {
  const { socket } = response
  // TLS has its own sign of a whole stream, close_notify, which is not sent here.
  if (socket === null || response.chunkedEncoding || socket instanceof TLSSocket) response.destroy()
  else socket.resetAndDestroy()
}
