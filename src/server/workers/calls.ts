// Questions from the primary to a worker and their answers, over the channel between the two processes. An answer that does not come
// in time, and a worker that is gone, reject: the primary then knows that this worker cannot be counted on.

import { KeyFileError } from '../../credentials/api-keys/key-file.ts'
import { PartError } from '../generations/open-parts.ts'
import { NotApplied } from '../generations/reloader.ts'

/** `process` in a worker, a cluster Worker in the primary. */
export interface Channel {
  send?(message: unknown, done?: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** What a worker says of a failure; enough to tell an operator, and nothing of a request. */
interface Failure {
  readonly message: string
  readonly code?: string | undefined
  readonly address?: string | undefined
  readonly port?: number | undefined
  readonly problems?: readonly string[] | undefined
  readonly path?: PartError['path'] | undefined
}

interface Call {
  readonly id: number
  readonly kind: string
  readonly content: unknown
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly failure?: Failure
}

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** It has ended, which says nothing of what it was asked. */
export class WorkerGone extends Error {
  constructor() {
    super('the worker is gone')
  }
}

const CALL = 'scopegate:call'
const ANSWER = 'scopegate:answer'

export class Caller {
  readonly #channel: Channel
  readonly #waiting = new Map<number, Waiting>()
  #count = 0
  #gone: Error | undefined

  constructor(channel: Channel) {
    this.#channel = channel
    channel.on('message', (message) => {
      const answer = read<Answer>(message, ANSWER)
      const waiting = answer && this.#waiting.get(answer.id)
      if (answer === undefined || waiting === undefined) return
      this.#waiting.delete(answer.id)
      if (answer.failure === undefined) waiting.resolve(answer.value)
      else waiting.reject(errorOf(answer.failure))
    })
  }

  call(kind: string, content: unknown, timeout: number): Promise<unknown> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone)
    const id = ++this.#count
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
      }
      const waiting: Waiting = {
        resolve: (value) => {
          settle()
          resolve(value)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      const timer = setTimeout(() => waiting.reject(new Error(`no answer within ${timeout} ms`)), timeout)
      this.#waiting.set(id, waiting)
      try {
        this.#channel.send?.({ [CALL]: { id, kind, content } satisfies Call }, (error) => {
          if (error !== null) waiting.reject(error)
        })
      } catch (error) {
        waiting.reject(error as Error)
      }
    })
  }

  /** Whoever waits hears at once that there will be no answer. */
  end(): void {
    this.#gone = new WorkerGone()
    for (const waiting of [...this.#waiting.values()]) waiting.reject(this.#gone)
  }
}

export type Handlers = Readonly<Record<string, (content: never) => unknown>>

/** The other side. What is no call is left to others. */
export function answerCalls(channel: Channel, handlers: Handlers): void {
  channel.on('message', (message) => {
    const call = read<Call>(message, CALL)
    if (call === undefined) return
    const reply = (answer: Answer): void => {
      // A primary that is gone takes this process along anyway.
      channel.send?.({ [ANSWER]: answer }, () => {})
    }
    void Promise.resolve(call.content as never)
      .then(handlers[call.kind])
      .then(
        (value) => reply({ id: call.id, value }),
        (error: unknown) => reply({ id: call.id, failure: failureOf(error) }),
      )
  })
}

function read<Content>(message: unknown, kind: string): Content | undefined {
  if (typeof message !== 'object' || message === null || !Object.hasOwn(message, kind)) return undefined
  return Reflect.get(message, kind) as Content
}

function failureOf(error: unknown): Failure {
  const { message, code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  const problems = error instanceof KeyFileError || error instanceof NotApplied ? error.problems : undefined
  const path = error instanceof PartError ? error.path : undefined
  return { message: String(message), code, address, port, problems, path }
}

function errorOf({ message, code, address, port, problems, path }: Failure): Error {
  if (problems !== undefined) return new NotApplied(problems)
  if (path !== undefined) return new PartError(path, message)
  return Object.assign(new Error(message), { code, address, port })
}
