// Opens the WebSocket of a cleared request at its upstream, by http-proxy-3, which is used for nothing else and is trusted with
// nothing: it sees a request that was built here instead of the client's, a stream that stands before the client's socket instead of
// the socket (`tunnel.ts`), and every event of the exchange is judged here before it gets there. What it answers by itself to a
// 101 or to any other status is thrown away. Why, in docs/decisions/0021.

import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { createProxyServer } from 'http-proxy-3'
import type { Cleared } from '../../domain/decision/decision.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { AnswerHeaders } from '../forward.ts'
import type { Outcome } from '../outlier.ts'
import type { Target } from '../target.ts'
import type { Upstream } from '../upstream.ts'
import { outcomeOf, refusalOf } from '../upstream-fault.ts'
import { checkSwitched, type Handshake, NOT_SWITCHED, printSwitched } from './handshake.ts'
import { optionsFor, standIn } from './stand-in.ts'
import { Tunnel, type TunnelReport, type TunnelRules } from './tunnel.ts'

export interface TunnelExchange {
  readonly upstream: Upstream
  /** Below the upstream's base, with the query. */
  readonly path: string
  /** Flat name, value … as the outbound rules of the route make them; the handshake's own are made here, and offer no extension. */
  readonly headers: readonly string[]
  readonly handshake: Handshake
  readonly client: Socket
  readonly rules: TunnelRules
  /** From the header fields of the upstream's 101 to those that the client gets besides the handshake's own. */
  answer(headers: AnswerHeaders): readonly string[]
  /** What comes of an upstream that answers something else than a 101. */
  answered(status: number): Refusal
  /** Instead of `opened`: the client has had no byte. */
  refuse(refusal: Refusal): void
  opened(tunnel: Tunnel): void
  /** Once, when a WebSocket that was opened is over. */
  ended(report: TunnelReport): void
}

/** `cleared` is the proof that someone decided: without it this does not compile. */
export function openTunnel(_cleared: Cleared, exchange: TunnelExchange): void {
  const refusal = exchange.upstream.enter()
  if (refusal === undefined) new Opening(exchange).begin()
  else exchange.refuse(refusal)
}

const NOTHING = Buffer.alloc(0)
const proxy = createProxyServer({})
const openings = new WeakMap<object, (request: ClientRequest) => void>()
// A fault of the stream that stands before the client's socket: it is over then, and has said so.
proxy.on('error', () => {})
proxy.on('proxyReqWs', (request, _request, tunnel) => openings.get(tunnel)!(request))

/** From the handshake to the 101: the upstream's place is held until then, and one of its connections while it is asked. */
class Opening {
  /** Not counted here: WebSockets of one client are, where they are opened. */
  readonly client = undefined
  readonly #exchange: TunnelExchange
  #target: Target | undefined
  #tunnel: Tunnel | undefined
  #request: ClientRequest | undefined
  #connected = false
  #attempts = 0
  #timer: NodeJS.Timeout | undefined
  #waits = false
  #state: 'asking' | 'refused' | 'open' = 'asking'

  constructor(exchange: TunnelExchange) {
    this.#exchange = exchange
  }

  begin(): void {
    const { upstream, client } = this.#exchange
    client.once('close', this.#left)
    const taken = upstream.take(this)
    if (taken !== undefined) this.served(taken)
    else {
      this.#waits = true
      upstream.wait(this)
    }
  }

  served(taken: Target | Refusal): void {
    this.#waits = false
    if (isRefusal(taken)) this.#refuse(taken, 'untold')
    else this.#ask(taken)
  }

  #ask(target: Target): void {
    const { path, headers, handshake, client, rules, upstream, ended } = this.#exchange
    const { timeout, connectTimeout } = upstream.options
    const whole = target.path + path
    const tunnel = new Tunnel(client, rules, ended)
    this.#target = target
    this.#tunnel = tunnel
    this.#attempts++
    this.#timer = setTimeout(() => this.#refuse(TOO_SLOW, 'fault'), timeout)
    openings.set(tunnel, (request) => this.#watch(request, whole))
    const failed = (error: Error): void => {
      if (this.#tunnel === tunnel) this.#failed(error)
    }
    try {
      const request = standIn(target, headers, handshake)
      // No byte of the client's: what it may have sent already stays on its socket until the upstream has switched.
      proxy.ws(request, tunnel as unknown as Socket, NOTHING, optionsFor(target, connectTimeout), failed)
    } catch {
      this.#refuse(NOT_ASKED, 'untold')
    }
  }

  /** The request as http-proxy-3 made it, before any byte of it is out; its own listeners come after these. */
  #watch(request: ClientRequest, path: string): void {
    this.#request = request
    request.on('socket', (socket) => {
      socket.once(request.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        this.#connected = true
      })
    })
    request.on('upgrade', (answer, socket) => this.#switched(answer, socket))
    request.on('response', ({ statusCode }) => this.#answered(statusCode!))
    // A 101 that lacks its own fields is none to Node, which would wait on.
    request.on('information', ({ statusCode }) => {
      if (statusCode === 101) this.#refuse(NOT_SWITCHED, 'answered')
    })
    // INVARIANT: the target that was decided is the target that is asked for, byte for byte: http-proxy-3 never saw it.
    if (request.method === 'GET' && !request.headersSent) request.path = path
    else this.#refuse(NOT_ASKED, 'untold')
  }

  #answered(status: number): void {
    if (this.#state !== 'asking') return
    // As of every other answer, these are not the server's own.
    this.#refuse(this.#exchange.answered(status), status >= 502 && status <= 504 ? 'fault' : 'answered')
  }

  #switched({ statusCode, headers }: IncomingMessage, socket: Socket): void {
    const { handshake, client, answer } = this.#exchange
    const protocol = checkSwitched({ status: statusCode, headers }, handshake)
    if (this.#state !== 'asking' || isRefusal(protocol)) {
      socket.destroy()
      this.#refuse(NOT_SWITCHED, 'answered')
      return
    }
    const tunnel = this.#tunnel!
    this.#settle('open', 'answered')
    this.#exchange.opened(tunnel)
    tunnel.open(printSwitched(handshake, protocol, answer(headers)), socket)
    if (client.destroyed) tunnel.destroy()
  }

  #failed(error: Error): void {
    if (this.#state === 'open') this.#tunnel!.broken()
    if (this.#state !== 'asking') return
    const sent = this.#connected
    const { upstream } = this.#exchange
    const failed = this.#target!
    const outcome = outcomeOf(error, sent)
    // To another server, where this one was never reached.
    if (outcome === 'unreachable' && this.#attempts < upstream.targets.length) {
      this.#giveBack(outcome)
      const other = upstream.take(this, failed)
      if (other !== undefined && !isRefusal(other)) {
        this.#ask(other)
        return
      }
    }
    this.#refuse(refusalOf(error, sent), outcome)
  }

  readonly #left = (): void => this.#refuse(refuse('upstream-broken', 'The client went away.'), 'untold')

  #refuse(refusal: Refusal, outcome: Outcome): void {
    if (this.#state !== 'asking') return
    this.#settle('refused', outcome)
    // Before http-proxy-3 hears of it: it writes to nobody any more, and reads nothing.
    this.#tunnel?.destroy()
    this.#request?.destroy()
    this.#exchange.refuse(refusal)
  }

  #settle(state: 'refused' | 'open', outcome: Outcome): void {
    const { client, upstream } = this.#exchange
    this.#state = state
    client.off('close', this.#left)
    if (this.#waits) upstream.giveUp(this)
    this.#giveBack(outcome)
    upstream.leave()
  }

  #giveBack(outcome: Outcome): void {
    clearTimeout(this.#timer)
    const target = this.#target
    if (target === undefined) return
    this.#target = undefined
    this.#exchange.upstream.tell(target, this, outcome)
    this.#exchange.upstream.release(target, this)
  }
}

const NOT_ASKED = refuse('gateway-broken', 'The gateway could not ask the server behind this route.')
const TOO_SLOW = refuse('upstream-timeout', 'The server behind this route did not answer in time. Try again later.')
