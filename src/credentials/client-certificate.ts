// The client certificate of a connection, as tokens name it (RFC 8705 §3.1). Only one that the TLS handshake verified counts, and only
// of this very connection: what a proxy in front says of certificates is never believed.

import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

const KNOWN = new WeakMap<TLSSocket, string>()

/** SHA-256 of the DER, as base64url. */
export function certificateThumbprint(socket: Socket | undefined): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const known = KNOWN.get(socket)
  if (known !== undefined) return known
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const thumbprint = hash('sha256', certificate.raw, 'base64url')
  KNOWN.set(socket, thumbprint)
  return thumbprint
}
