// Connections that a client certificate let in. What verified it once is not asked again while the connection lasts, and its client says
// how long that is. So where a CA is no longer believed they end, each with the answer that it is at: whoever still has a certificate that
// counts comes again. INVARIANT: from that moment on no certificate of theirs is believed.

import type { ServerResponse } from 'node:http'
import type { Server, TLSSocket } from 'node:tls'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

export class CertifiedConnections {
  readonly #open = new Set<TLSSocket>()
  /** Times that a CA was withdrawn before a connection began: its handshake may end after the next time. */
  readonly #beganAt = new WeakMap<object, number>()
  #withdrawals = 0
  #authorities: readonly string[]

  /** `authorities`: PEM. Before the first connection. */
  constructor(server: Server, authorities: string) {
    this.#authorities = certificatesIn(authorities)
    server.on('connection', (bare: object) => this.#beganAt.set(bare, this.#withdrawals))
  }

  /** False where it was verified by what is no longer believed. */
  add(socket: TLSSocket): boolean {
    const bare: unknown = Reflect.get(socket, '_parent')
    if (!(bare instanceof Object) || this.#beganAt.get(bare) !== this.#withdrawals) return false
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    return true
  }

  believe(authorities: string): void {
    const now = certificatesIn(authorities)
    const withdrawn = this.#authorities.some((one) => !now.includes(one))
    this.#authorities = now
    if (!withdrawn) return
    this.#withdrawals++
    for (const socket of this.#open) end(socket)
  }
}

function certificatesIn(text: string): readonly string[] {
  return (text.match(CERTIFICATE) ?? []).map((one) => one.replaceAll(/\s/g, ''))
}

function end(socket: TLSSocket): void {
  socket.authorized = false
  // node:http names the answer that a socket works on.
  const answer = Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined
  if (answer) answer.once('close', () => socket.destroySoon())
  else if (socket.writableLength > 0) socket.destroySoon()
  else socket.destroy()
}
