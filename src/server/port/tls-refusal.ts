// Why a handshake came to nothing, in few words for metrics and the log: an operator whose clients are turned away sees nothing else of
// them. The codes are OpenSSL's and Node's, so nothing of a client's text is in them.

import type { TLSSocket } from 'node:tls'

/** `certificate`: the client's could not be verified; `distrusted`: the client did not accept ours. */
export type TlsRefusalReason =
  | 'no-certificate'
  | 'certificate'
  | 'distrusted'
  | 'protocol'
  | 'no-tls'
  | 'too-slow'
  | 'left'
  | 'other'

export interface TlsRefusal {
  readonly reason: TlsRefusalReason
  readonly code: string
}

const REASONS: readonly (readonly [RegExp, TlsRefusalReason])[] = [
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE/, 'no-certificate'],
  [/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_|UNSUPPORTED_CERTIFICATE)/, 'distrusted'],
  [/HTTP_REQUEST|WRONG_VERSION_NUMBER|PACKET_LENGTH|UNEXPECTED_MESSAGE|HTTPS_PROXY_REQUEST|RECORD_LAYER/, 'no-tls'],
  [/PROTOCOL|NO_SHARED_CIPHER|VERSION|SIGNATURE_ALGORITHM|NO_SUITABLE|ALERT_HANDSHAKE_FAILURE/, 'protocol'],
  [/TIMEOUT/, 'too-slow'],
  [/ECONNRESET|EPIPE/, 'left'],
]

export function tlsRefusalOf(error: NodeJS.ErrnoException, socket: TLSSocket): TlsRefusal {
  // Node ends such a connection itself, and then only tells that it ended.
  const unverified: unknown = socket.authorizationError
  if (typeof unverified === 'string') return { reason: 'certificate', code: unverified }
  const { code = 'unknown' } = error
  return { reason: REASONS.find(([pattern]) => pattern.test(code))?.[1] ?? 'other', code }
}
