// How many connections clients may have. When there is no more room, the one goes that asks for nothing: first of those that have not
// sent a request yet the oldest, then of those that rest between two requests the one that rests longest. Only when every connection
// is at work is a new one turned away. So slow clients, however many, make room for those that really ask.
// INVARIANT: a connection that was given up is never served again.

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { refuse } from '../../domain/refusal.ts'
import { answerBrokenRequest } from './broken-request.ts'
import { networkOf } from './client-network.ts'

export interface ConnectionLimits {
  readonly connections: number
  /** Of one network address; left out: as many as there are. */
  readonly perAddress?: number | undefined
  /** A proxy brings the clients of many addresses. */
  readonly isProxy?: ((address: string) => boolean) | undefined
}

interface Connection {
  /** After a handshake, the one that speaks TLS. */
  socket: Socket
  readonly network: string | undefined
  /** Requests that have begun and not ended. */
  running: number
  /** Closed, or soon to be. */
  over: boolean
}

/** Those turned away that may still read why; more are closed at once. */
const MOST_PARTING = 100

const FULL = refuse('overloaded', 'This gateway has as many connections as it can serve. Try again in a moment.', {
  retryAfter: 1,
})

export class Connections {
  readonly #limits: ConnectionLimits
  readonly #of = new WeakMap<object, Connection>()
  /** No request yet, in the order in which they came. */
  readonly #fresh = new Set<Connection>()
  /** Between two requests, in the order in which they began to rest. */
  readonly #resting = new Set<Connection>()
  readonly #networks = new Map<string, number>()
  #open = 0
  #parting = 0

  constructor(limits: ConnectionLimits) {
    this.#limits = limits
  }

  /** Connections that count. */
  get open(): number {
    return this.#open
  }

  /** Before the first connection. */
  watch(server: Server): void {
    // The bare connection, so that a TLS handshake that never ends counts too.
    server.on('connection', (socket: Socket) => this.#accept(socket))
    server.on('secureConnection', (socket: Socket) => {
      const bare: unknown = Reflect.get(socket, '_parent')
      const connection = bare instanceof Object ? this.#of.get(bare) : undefined
      if (connection === undefined) return
      connection.socket = socket
      this.#of.set(socket, connection)
    })
  }

  /** False where the connection was given up: its request must not be served. */
  begin({ socket }: IncomingMessage, response: ServerResponse): boolean {
    const connection = this.#of.get(socket)
    if (connection === undefined) return true
    if (connection.over) return false
    if (connection.running++ === 0) {
      this.#fresh.delete(connection)
      this.#resting.delete(connection)
    }
    response.once('close', () => {
      if (--connection.running === 0 && !connection.over) this.#resting.add(connection)
    })
    return true
  }

  #accept(socket: Socket): void {
    const { perAddress } = this.#limits
    const connection: Connection = {
      socket,
      network: perAddress === undefined ? undefined : this.#networkOf(socket),
      running: 0,
      over: false,
    }
    this.#of.set(socket, connection)
    this.#count(connection, 1)
    socket.once('close', () => this.#end(connection))
    const { network } = connection
    if (network !== undefined && this.#networks.get(network)! > perAddress!) this.#turnAway(connection)
    else if (this.#open > this.#limits.connections && !this.#makeRoom()) this.#turnAway(connection)
    else this.#fresh.add(connection)
  }

  #makeRoom(): boolean {
    for (const idle of [this.#fresh, this.#resting]) {
      for (const connection of idle) {
        idle.delete(connection)
        // Another protocol took it over (WebSocket); it is at work.
        if (connection.running > 0 || isTakenOver(connection.socket)) continue
        this.#end(connection)
        connection.socket.destroy()
        return true
      }
    }
    return false
  }

  #turnAway(connection: Connection): void {
    const { socket } = connection
    this.#end(connection)
    if (this.#parting >= MOST_PARTING || isTls(socket)) {
      socket.destroy()
      return
    }
    this.#parting++
    socket.once('close', () => void this.#parting--)
    answerBrokenRequest(socket, FULL)
  }

  #end(connection: Connection): void {
    if (connection.over) return
    connection.over = true
    this.#fresh.delete(connection)
    this.#resting.delete(connection)
    this.#count(connection, -1)
  }

  #count({ network }: Connection, change: 1 | -1): void {
    this.#open += change
    if (network === undefined) return
    const left = (this.#networks.get(network) ?? 0) + change
    if (left > 0) this.#networks.set(network, left)
    else this.#networks.delete(network)
  }

  #networkOf({ remoteAddress }: Socket): string | undefined {
    return remoteAddress === undefined || this.#limits.isProxy?.(remoteAddress) ? undefined : networkOf(remoteAddress)
  }
}

/** node:http gives each connection a parser, and takes it away at an upgrade. */
function isTakenOver(socket: Socket): boolean {
  return Reflect.get(socket, 'parser') === null
}

/** Nothing can be said before the handshake. */
function isTls(socket: Socket): boolean {
  return !('parser' in socket)
}
