// Ends connections whose time is up, a few at a time. node:http finds all of them at once, and ten thousand answers in a row, followed by
// ten thousand clients that come back, would let everybody else wait. So they end evenly, and those that come back come evenly too.

import type { Socket } from 'node:net'

/** Two thousand a second, at most. */
const AT_ONCE = 8
const EVERY_MS = 4

interface Late {
  readonly socket: Socket
  /** What it was answering then. */
  readonly answering: unknown
}

export class LateConnections {
  readonly #end: (socket: Socket) => void
  #waiting: Late[] = []
  #next = 0

  constructor(end: (socket: Socket) => void) {
    this.#end = end
  }

  add(socket: Socket): void {
    if (this.#waiting.push({ socket, answering: answeringOn(socket) }) === 1) setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    for (let ended = 0; ended < AT_ONCE && this.#next < this.#waiting.length; ) {
      const { socket, answering } = this.#waiting[this.#next++]!
      // Gone by itself, or its request came whole after all.
      if (socket.destroyed || answeringOn(socket) !== answering) continue
      this.#end(socket)
      ended++
    }
    if (this.#next < this.#waiting.length) {
      setTimeout(this.#turn, EVERY_MS)
      return
    }
    this.#waiting = []
    this.#next = 0
  }
}

/** node:http names the answer that a socket works on. */
function answeringOn(socket: Socket): unknown {
  return Reflect.get(socket, '_httpMessage') ?? undefined
}
