// Clients that ask again and again, each on a connection of its own that is kept alive, until they are told to stop; and what came of
// it. A request that failed without an answer is kept with its reason.

import { setTimeout as wait } from 'node:timers/promises'
import { type Answer, HttpClient } from './http-client.ts'

export interface SteadyLoad {
  readonly answers: number
  /** Answers by status, such as `200`. */
  readonly statuses: ReadonlyMap<number, number>
  /** Codes of connections that broke. */
  readonly broken: readonly string[]
  /** Resolves after so many more answers. */
  more(count: number): Promise<void>
  stop(): Promise<void>
}

export interface LoadOptions {
  readonly port: number
  readonly clients: number
  /** Asks once and may look at the answer. */
  readonly ask: (client: HttpClient) => Promise<Answer>
  /** Milliseconds between an answer and the next request of the same client. */
  readonly pause?: number
}

export function startLoad({ port, clients, ask, pause = 0 }: LoadOptions): SteadyLoad {
  const statuses = new Map<number, number>()
  const broken: string[] = []
  let answers = 0
  let running = true
  const run = async (): Promise<void> => {
    const client = new HttpClient(port)
    while (running) {
      try {
        const { status } = await ask(client)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        answers++
      } catch (error) {
        broken.push((error as NodeJS.ErrnoException).code ?? String(error))
        await wait(10)
      }
      if (pause > 0) await wait(pause)
    }
    client.close()
  }
  const all = Promise.all(Array.from({ length: clients }, run))
  return {
    get answers() {
      return answers
    },
    statuses,
    broken,
    async more(count) {
      const wanted = answers + count
      while (answers < wanted) await wait(5)
    },
    async stop() {
      running = false
      await all
    },
  }
}
