// The client certificate of a connection, as tokens name it (RFC 8705 §3.1). Only one that the TLS handshake verified counts, and only
// of this very connection: what a proxy in front says of certificates is never believed.

import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

interface Verified {
  /** SHA-256 of the DER, as base64url. */
  readonly thumbprint: string
  /** Milliseconds since 1970. */
  readonly until: number
}

const KNOWN = new WeakMap<TLSSocket, Verified>()

/** Undefined without one that counts; `now` in milliseconds since 1970. */
export function certificateThumbprint(socket: Socket | undefined, now: number): string | undefined {
  const verified = socket instanceof TLSSocket && socket.authorized ? certificateOf(socket) : undefined
  // The handshake looked at its end; a connection, or a session that is resumed, may last longer.
  return verified !== undefined && now < verified.until ? verified.thumbprint : undefined
}

function certificateOf(socket: TLSSocket): Verified | undefined {
  const known = KNOWN.get(socket)
  if (known !== undefined) return known
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const until = certificate.validToDate.getTime()
  const verified = { thumbprint: hash('sha256', certificate.raw, 'base64url'), until }
  KNOWN.set(socket, verified)
  return verified
}
