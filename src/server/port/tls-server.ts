// An HTTPS server that shows an identity which may change while it runs. HTTP/1.1 only (decision 0019). A client whose certificate
// cannot be verified is turned away within the handshake, before a byte of HTTP is read; so is whoever does not speak TLS at all.
// INVARIANT: where client certificates are asked for, a connection that carries one carries a verified one.

import type { ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { CertifiedConnections } from './certified-connections.ts'
import type { TlsIdentity } from './tls-identity.ts'
import { type TlsRefusal, tlsRefusalOf } from './tls-refusal.ts'

/** `none`: not asked for. `optional`: who has none gets in, as somebody without one. */
export type ClientCertificates = 'none' | 'optional' | 'required'

export interface TlsPort {
  readonly identity: TlsIdentity
  readonly clientCertificates: ClientCertificates
  /** Hears of every connection that did not get as far as HTTP. */
  readonly onRefused?: ((refusal: TlsRefusal) => void) | undefined
}

/** `handshakeTimeout` in milliseconds. */
export function createTlsServer(http: ServerOptions, tls: TlsPort, handshakeTimeout: number): Server {
  const { identity, clientCertificates, onRefused } = tls
  const server = createServer({
    ...http,
    ...identity.options(),
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout,
    requestCert: clientCertificates !== 'none',
    // Not left to a default: Node takes it from the environment elsewhere.
    rejectUnauthorized: clientCertificates === 'required',
  })
  const certified = new CertifiedConnections(server, String(identity.options().ca ?? ''))
  identity.onChange((options) => {
    server.setSecureContext(options)
    certified.believe(String(options.ca ?? ''))
  })
  // Before node:https hands the connection to HTTP, and before it reports the fault as one of HTTP.
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (clientCertificates === 'none' || socket.getPeerX509Certificate() === undefined) return
    if (socket.authorized && certified.add(socket)) return
    onRefused?.({ reason: 'certificate', code: String(socket.authorizationError ?? 'CA_WITHDRAWN') })
    socket.destroy()
  })
  server.prependListener('tlsClientError', (error: Error, socket: TLSSocket) => {
    onRefused?.(tlsRefusalOf(error, socket))
    socket.destroy()
  })
  closeHandshakesToo(server)
  return server
}

/** node:https does not count a connection before its handshake is over, and would wait for it. */
function closeHandshakesToo(server: Server): void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const closeAll = server.closeAllConnections.bind(server)
  server.closeAllConnections = () => {
    closeAll()
    for (const socket of sockets) socket.destroy()
  }
}
