// One of several processes behind the same port: it does what the primary says (begin, prepare, apply, end), serves, and ends when the
// primary is gone. Signals are the primary's: what is sent to the whole group, as terminals and service managers do, must not cut
// requests here.

import { loadRouteMap } from '../../config/load.ts'
import type { Revocation } from '../../credentials/revocation-list.ts'
import type { Log } from '../../observability/logger.ts'
import { StateOfPrimary } from '../../state/of-primary.ts'
import type { ExplainRequest } from '../explain/explain.ts'
import { type Serving, startServing } from '../generations/serving.ts'
import { answerCalls } from './calls.ts'
import { Prepared } from './prepared.ts'

/** The route map as the primary read it, so that all have the same. */
export interface Order {
  readonly text: string
  readonly file: string
  readonly generation: number
}

/** Of a reload. A route map that is refused leaves its generation to the next; attempts are counted on. */
export interface Attempt {
  readonly attempt: number
}

export interface BeginOrder extends Order {
  readonly sealKeys: readonly string[]
  readonly revocations: readonly Revocation[]
  /** Instead of the port in the settings. */
  readonly port: number | undefined
}

export interface Begun {
  readonly url: string
  readonly port: number
}

/** Ends the process when the primary says so, or is gone. */
export function runWorker(log: Log): Promise<never> {
  let serving: Serving | undefined
  let begun: Promise<Begun> | undefined
  const prepared = new Prepared()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  process.once('disconnect', () => process.exit(1))
  answerCalls(process, {
    begin: (order: BeginOrder): Promise<Begun> => {
      begun = begin(order)
      return begun
    },
    prepare: ({ attempt, generation, ...order }: Order & Attempt) =>
      prepared.prepare(attempt, () => serving!.generations.prepare(read(order).settings, generation)),
    apply: ({ attempt }: Attempt) => serving!.generations.apply(prepared.take(attempt)),
    drop: ({ attempt }: Attempt) => prepared.drop(attempt),
    revoke: async (revocations: readonly Revocation[]) => {
      // Said while this one begins with what was revoked before.
      await begun
      if (!serving!.lasting.revocations.post(revocations)) throw new Error('it holds too many revocations')
    },
    ping: () => true,
    metrics: () => serving!.metrics.snapshot(),
    keys: () => serving!.keys(),
    explain: (request: ExplainRequest) => serving!.explain(request),
    end: ({ grace }: { readonly grace: number }) => {
      void end(grace)
    },
  })

  async function begin({ sealKeys, revocations, port, generation, ...order }: BeginOrder): Promise<Begun> {
    const { settings } = read(order)
    const state = new StateOfPrimary({ channel: process })
    serving = await startServing({
      settings,
      log,
      sealKeys,
      revocations,
      generation,
      port,
      state,
      processMetrics: true,
    })
    return { url: serving.url, port: serving.port }
  }

  async function end(grace: number): Promise<void> {
    await serving?.beginDraining(grace)
    await serving?.close()
    // The channel to the primary would keep this process alive.
    process.exit(0)
  }
  return new Promise(() => {})
}

/** The primary has checked it, with the same environment. */
function read({ text, file }: Pick<Order, 'text' | 'file'>) {
  const loaded = loadRouteMap(text, { file, env: process.env })
  if ('problems' in loaded) throw new Error('the route map that the primary checked is not valid here')
  return loaded
}
