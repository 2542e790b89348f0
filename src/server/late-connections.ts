// Ends connections whose time is up, a few in each turn of the loop. node:http finds them all at once, and ten thousand answers in a
// row would let everybody else wait.

import type { Socket } from 'node:net'

const IN_ONE_TURN = 32

export class LateConnections {
  readonly #end: (socket: Socket) => void
  #waiting: Socket[] = []
  #next = 0

  constructor(end: (socket: Socket) => void) {
    this.#end = end
  }

  add(socket: Socket): void {
    if (this.#waiting.push(socket) === 1) setImmediate(this.#turn)
  }

  readonly #turn = (): void => {
    const until = Math.min(this.#waiting.length, this.#next + IN_ONE_TURN)
    while (this.#next < until) {
      const socket = this.#waiting[this.#next++]!
      if (!socket.destroyed) this.#end(socket)
    }
    if (this.#next < this.#waiting.length) {
      setImmediate(this.#turn)
      return
    }
    this.#waiting = []
    this.#next = 0
  }
}
