// The state as a worker has it: it asks the process that started it, where all workers are counted together.
// INVARIANT: no answer in time, no channel, or too many open questions reject; nobody is let through because the primary is silent.

import { ANSWERS, type Channel, listIn, QUESTIONS, type Question, type Reply, readReply } from './asking-primary.ts'
import type { Rate, SharedState, Taken } from './shared-state.ts'

const LONGEST_MS = 1_000
/** Beyond that the primary cannot keep up, and memory would only grow. */
const MOST_OPEN = 10_000

export interface OfPrimaryOptions {
  readonly channel: Channel
  /** Milliseconds that an answer may take. */
  readonly timeout?: number
}

interface Open {
  resolve(answer: Taken | boolean): void
  reject(error: Error): void
  readonly until: number
}

type Unnumbered =
  | readonly [kind: 'take', bucket: string, requests: number, per: number]
  | readonly [kind: 'once', mark: string, milliseconds: number, owner?: string]

export class StateOfPrimary implements SharedState {
  readonly #channel: Channel
  readonly #timeout: number
  /** In the order in which they were asked, so the first is the oldest. */
  readonly #open = new Map<number, Open>()
  #count = 0
  #unsent: Question[] = []
  #timer: NodeJS.Timeout | undefined

  constructor({ channel, timeout = LONGEST_MS }: OfPrimaryOptions) {
    this.#channel = channel
    this.#timeout = timeout
    channel.on('message', this.#hear)
  }

  take(bucket: string, { requests, per }: Rate): Promise<Taken> {
    return this.#ask(['take', bucket, requests, per]) as Promise<Taken>
  }

  once(mark: string, milliseconds: number, owner?: string): Promise<boolean> {
    const asked = owner === undefined ? ([] as const) : ([owner] as const)
    return this.#ask(['once', mark, milliseconds, ...asked]) as Promise<boolean>
  }

  close(): void {
    this.#channel.off('message', this.#hear)
    this.#drop(this.#open.keys(), 'the state of the primary is no longer asked')
  }

  #ask(question: Unnumbered): Promise<Taken | boolean> {
    if (this.#open.size >= MOST_OPEN) return Promise.reject(new Error('too many questions wait for the primary'))
    const id = ++this.#count
    if (this.#unsent.length === 0) queueMicrotask(this.#send)
    this.#unsent.push([id, ...question] as Question)
    return new Promise((resolve, reject) => {
      this.#open.set(id, { resolve, reject, until: performance.now() + this.#timeout })
      this.#timer ??= setTimeout(this.#late, this.#timeout).unref()
    })
  }

  readonly #send = (): void => {
    const asked = this.#unsent
    this.#unsent = []
    const ids = asked.map(([id]) => id)
    const failed = (error: Error | null): void => {
      if (error !== null) this.#drop(ids, 'the primary cannot be asked')
    }
    try {
      if (this.#channel.send === undefined) this.#drop(ids, 'there is no primary to ask')
      else this.#channel.send({ [QUESTIONS]: asked }, failed)
    } catch {
      this.#drop(ids, 'the primary cannot be asked')
    }
  }

  readonly #hear = (message: unknown): void => {
    for (const given of listIn(message, ANSWERS) ?? []) {
      const reply = readReply(given)
      if (reply !== undefined) this.#settle(reply)
    }
  }

  #settle([id, answer]: Reply): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    if (answer === undefined) open.reject(new Error('the primary has no answer'))
    else open.resolve(answer)
  }

  readonly #late = (): void => {
    this.#timer = undefined
    const now = performance.now()
    for (const [id, { until }] of this.#open) {
      // Timers may come a moment early.
      if (until > now + 1) {
        this.#timer = setTimeout(this.#late, until - now).unref()
        return
      }
      this.#drop([id], 'the primary did not answer in time')
    }
  }

  #drop(ids: Iterable<number>, why: string): void {
    for (const id of [...ids]) {
      const open = this.#open.get(id)
      this.#open.delete(id)
      open?.reject(new Error(why))
    }
  }
}
