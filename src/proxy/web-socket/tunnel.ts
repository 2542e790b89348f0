// The client's end of a WebSocket as http-proxy-3 is given it: a stream that stands before the client's socket. Until the upstream has
// proved that it opened the WebSocket, not a byte goes either way. From then on both directions pass through a frame scanner, a
// frame of the gateway's own (Close, Ping) goes only where a frame may stand, and nothing waits here: each side is read as fast as
// the other takes it.

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { FrameScanner } from './frame-scanner.ts'
import { type CloseCode, closeFrame, pingFrame } from './frames.ts'
import { Pace } from './pace.ts'
import { Silence } from './silence.ts'

export interface TunnelRules {
  /** Most bytes of one message, either way. */
  readonly message: number
  /** Frames that a client may send in a second; one that sends more is read more slowly. */
  readonly rate: number
  /** Milliseconds after which a side that has said nothing at all, not even to a Ping, is given up. */
  readonly idle: number
}

export interface Direction {
  readonly bytes: number
  readonly messages: number
}

export interface TunnelReport {
  readonly endedBy: 'client' | 'upstream' | 'gateway'
  /** Of the gateway's own Close frame, where it ended the WebSocket. */
  readonly code: CloseCode | undefined
  readonly fromClient: Direction
  readonly fromUpstream: Direction
}

type Phase = 'waiting' | 'open' | 'closing' | 'over'

/** For a Close frame to be answered and for what is on its way to arrive. */
const LINGER_MS = 1_000
/** For the other side to answer a Close frame that has passed. */
const CLOSE_WAIT_MS = 10_000

export class Tunnel extends Duplex {
  readonly #client: Socket
  readonly #ended: (report: TunnelReport) => void
  readonly #clientFrames: FrameScanner
  readonly #upstreamFrames: FrameScanner
  readonly #pace: Pace
  readonly #clientSilence: Silence
  readonly #upstreamSilence: Silence
  #upstream: Socket | undefined
  #phase: Phase = 'waiting'
  #endedBy: TunnelReport['endedBy'] | undefined
  #code: CloseCode | undefined
  #fromClient = 0
  #fromUpstream = 0
  /** http-proxy-3 writes an answer of its own first; the client has had the gateway's. */
  #answered = false
  /** What upstream waits for while the client does not read. */
  #undrained: (() => void) | undefined
  #upstreamEnded = false
  #timer: NodeJS.Timeout | undefined

  constructor(client: Socket, { message, rate, idle }: TunnelRules, ended: (report: TunnelReport) => void) {
    // Ends by itself, when both sides have had their time.
    super({ autoDestroy: false })
    this.#client = client
    this.#ended = ended
    this.#clientFrames = new FrameScanner({ masked: true, message })
    this.#upstreamFrames = new FrameScanner({ masked: false, message })
    this.#pace = new Pace(rate, () => this.#resume())
    this.#clientSilence = new Silence(idle)
    this.#upstreamSilence = new Silence(idle)
  }

  /** `answer` is the whole head of the 101. */
  open(answer: string, upstream: Socket): void {
    this.#phase = 'open'
    this.#upstream = upstream
    const client = this.#client
    client.setTimeout(0)
    client.setNoDelay(true)
    client.setKeepAlive(true)
    client.write(answer, 'latin1')
    client.on('data', (chunk: Buffer) => this.#heard(chunk))
    client.on('end', () => this.#clientEnded())
    client.on('close', () => {
      this.#endedBy ??= 'client'
      this.#finish()
    })
    client.on('drain', () => {
      // Slow, but there: what it takes it takes.
      this.#clientSilence.heard()
      this.#drained()
    })
    client.pause()
  }

  /** Says why, to both sides, and ends. */
  close(code: CloseCode, reason: string): void {
    if (this.#phase !== 'open') return
    this.#phase = 'closing'
    this.#endedBy ??= 'gateway'
    this.#code = code
    this.#tellClient(closeFrame(code, reason, false))
    this.#tellUpstream(closeFrame(code, reason, true))
    this.#endUpstream()
    this.#drained()
    this.#pace.end()
    // What the client still sends is read to the answer of its Close frame, and goes nowhere.
    this.#client.resume()
    this.#finishIn(LINGER_MS)
  }

  /** The upstream broke off, or never answered. */
  broken(): void {
    if (this.#phase === 'open') {
      this.#endedBy ??= 'upstream'
      this.close(1014, 'The server behind the gateway broke off.')
    }
  }

  /** To be called every now and then, with a clock that never goes back. */
  look(now: number): void {
    if (this.#phase !== 'open') return
    // Nothing is heard of a side that is not read because the other one is slow.
    const fromClient = this.#clientSilence.look(now, this.#client.isPaused())
    const fromUpstream = this.#upstreamSilence.look(now, this.#undrained !== undefined)
    if (fromClient === 'over' || fromUpstream === 'over') {
      this.close(1001, 'Nothing was heard for too long.')
      return
    }
    if (fromClient === 'ask') this.#tellClient(pingFrame(false))
    if (fromUpstream === 'ask') this.#tellUpstream(pingFrame(true))
  }

  override _read(): void {
    this.#resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, taken: () => void): void {
    if (this.#phase !== 'open' || !this.#answered) {
      this.#answered = true
      taken()
      return
    }
    this.#upstreamSilence.heard()
    this.#fromUpstream += chunk.length
    const fault = this.#upstreamFrames.scan(chunk, (bytes) => this.#client.write(bytes))
    if (fault !== undefined) {
      this.#endedBy ??= 'upstream'
      this.close(fault === 1009 ? 1009 : 1014, 'The server behind the gateway sent what it must not.')
      taken()
      return
    }
    this.#closeSeen('upstream')
    if (this.#client.writableNeedDrain) this.#undrained = taken
    else taken()
  }

  /** The upstream has ended. */
  override _final(done: () => void): void {
    if (this.#phase === 'open') {
      if (!this.#upstreamFrames.closed && !this.#clientFrames.closed) this.broken()
      else {
        this.#client.end()
        this.#finishIn(LINGER_MS)
      }
    }
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#finish()
    done(error)
  }

  // What http-proxy-3 asks of a socket besides.
  setTimeout(): this {
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  destroySoon(): void {
    if (this.#phase !== 'closing') this.destroy()
  }

  #heard(chunk: Buffer): void {
    this.#clientSilence.heard()
    if (this.#phase === 'closing') {
      // After a fault there is nothing to wait for; but to stop reading would destroy the Close frame on its way.
      this.#clientFrames.scan(chunk, () => {})
      if (this.#clientFrames.closed) this.#finish()
      return
    }
    if (this.#phase !== 'open' || this.#clientFrames.closed) return
    this.#fromClient += chunk.length
    const before = this.#clientFrames.frames
    let room = true
    const fault = this.#clientFrames.scan(chunk, (bytes) => {
      room = this.push(bytes)
    })
    if (fault !== undefined) {
      this.close(fault, fault === 1009 ? 'The message is too big.' : 'This is not a frame of a WebSocket client.')
      return
    }
    this.#closeSeen('client')
    const slower = this.#pace.count(this.#clientFrames.frames - before)
    if (!room || slower) this.#client.pause()
  }

  #closeSeen(side: 'client' | 'upstream'): void {
    const [own, other] = [this.#clientFrames.closed, this.#upstreamFrames.closed]
    if (side === 'client' ? !own : !other) return
    this.#endedBy ??= side
    this.#finishIn(own && other ? LINGER_MS : CLOSE_WAIT_MS)
  }

  #clientEnded(): void {
    this.#endedBy ??= 'client'
    if (this.#phase === 'closing') this.#finish()
    if (this.#phase !== 'open') return
    this.#endUpstream()
    this.#finishIn(LINGER_MS)
  }

  // A frame of the gateway's own, where one may stand.
  #tellClient(frame: Buffer): void {
    const { isBetweenFrames, closed } = this.#upstreamFrames
    if (isBetweenFrames && !closed && this.#client.writable) this.#client.write(frame)
  }

  #tellUpstream(frame: Buffer): void {
    const { isBetweenFrames, closed } = this.#clientFrames
    if (isBetweenFrames && !closed && !this.#upstreamEnded) this.push(frame)
  }

  #endUpstream(): void {
    if (!this.#upstreamEnded) this.push(null)
    this.#upstreamEnded = true
  }

  #resume(): void {
    if (this.#phase === 'open' && !this.#pace.waits) this.#client.resume()
  }

  #drained(): void {
    const taken = this.#undrained
    this.#undrained = undefined
    taken?.()
  }

  #finishIn(milliseconds: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#finish(), milliseconds)
  }

  #finish(): void {
    if (this.#phase === 'over') return
    const opened = this.#phase !== 'waiting'
    this.#phase = 'over'
    clearTimeout(this.#timer)
    this.#pace.end()
    this.#drained()
    if (opened) {
      for (const socket of [this.#client, this.#upstream!]) endSoon(socket)
      this.#ended({
        endedBy: this.#endedBy ?? 'upstream',
        code: this.#code,
        fromClient: { bytes: this.#fromClient, messages: this.#clientFrames.messages },
        fromUpstream: { bytes: this.#fromUpstream, messages: this.#upstreamFrames.messages },
      })
    }
    this.destroy()
  }
}

/** What is written may still leave, for a moment. */
function endSoon(socket: Socket): void {
  if (socket.destroyed) return
  socket.destroySoon()
  if (!socket.destroyed) setTimeout(() => socket.destroy(), LINGER_MS).unref()
}
