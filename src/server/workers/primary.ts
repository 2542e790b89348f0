// A running gateway of several processes: this one keeps the admin port, the route map and what all must agree on, and serves no
// request itself. A reload is checked here, built by every worker, and only then takes over everywhere; the worker that fails to
// follow is replaced by one that begins with the new route map.

import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Loaded } from '../../config/load.ts'
import type { KeyUse } from '../../credentials/api-keys/key-ring.ts'
import { describeError } from '../../observability/described-error.ts'
import type { Log } from '../../observability/logger.ts'
import { createMetrics } from '../../observability/metrics.ts'
import { answerWorker } from '../../state/for-workers.ts'
import { InProcessState } from '../../state/in-process.ts'
import { startAdmin } from '../admin/admin.ts'
import type { Explanation } from '../explain/explain.ts'
import { type LoadRouteMap, NotApplied, problemsOf, Reloader } from '../generations/reloader.ts'
import { type KeysInUse, labelNames, urlOf } from '../generations/serving.ts'
import { checkTls, openAdminTls } from '../port/open-tls.ts'
import type { Running } from '../start.ts'
import { WorkerGone } from './calls.ts'
import { Pool } from './pool.ts'
import { SharedRevocations } from './shared-revocations.ts'
import { SummedMetrics } from './summed-metrics.ts'
import type { Attempt, Order } from './worker.ts'

export interface PrimaryOptions {
  readonly loaded: Loaded
  readonly load: LoadRouteMap
  /** The text of what was loaded last, and its place. */
  source(): { readonly text: string; readonly file: string }
  readonly log: Log
  /** Newest first; none: they are made up here, for all workers. */
  readonly sealKeys: readonly string[]
}

const PREPARE_MS = 60_000
const APPLY_MS = 10_000
const LOOK_MS = 2_000
const EXPLAIN_MS = 30_000

/** Processes that a route map asks for. */
export function workersOf({ settings }: Loaded): number {
  const { workers } = settings.server
  return workers === 0 ? availableParallelism() : workers
}

export async function startPrimary(options: PrimaryOptions): Promise<Running> {
  const { load, log, source } = options
  const sealKeys = options.sealKeys.length > 0 ? options.sealKeys : [randomBytes(32).toString('base64url')]
  const metrics = createMetrics({ process: true })
  const state = new InProcessState()
  const inForce = { ...source(), generation: 1, settings: options.loaded.settings }
  let draining = false
  let attempts = 0
  const size = workersOf(options.loaded)
  const pool = new Pool({
    size,
    order: () => {
      const { text, file, generation } = inForce
      return { text, file, generation, sealKeys, revocations: revocations.posted() }
    },
    log,
    onStart: (worker) => void answerWorker(worker, state),
    onEnd: (id) => void summed.left(id),
  })
  const revocations = new SharedRevocations({
    log,
    tellWorkers: async (list) => {
      const answers = await pool.askAll('revoke', list, APPLY_MS, { starting: true })
      replaceSilent(answers, 'a worker did not hear of revocations')
    },
  })
  const replaceSilent = (answers: ReadonlyMap<number, unknown>, why: string): void => {
    for (const [id, answer] of answers) {
      if (!(answer instanceof Error)) continue
      log.logger.error({ worker: id, problem: answer.message }, `${why} and is replaced`)
      pool.kill(id)
    }
  }
  const summed = new SummedMetrics(metrics, () => pool.askAll('metrics', undefined, LOOK_MS))

  const apply = (next: Loaded, generation: number): Promise<void> =>
    pool.exclusively(async () => {
      const order: Order = { ...source(), generation }
      const attempt: Attempt = { attempt: ++attempts }
      const prepared = await pool.askAll('prepare', { ...order, ...attempt }, PREPARE_MS)
      // One that ended meanwhile is replaced afterwards, and begins with what is then in force; but somebody must have built it.
      const answers = [...prepared.values()]
      const failed = answers.filter((answer) => answer instanceof Error && !(answer instanceof WorkerGone))
      const nobody = answers.every((answer) => answer instanceof Error)
      const problems = (nobody ? answers : failed).flatMap((error) => said(error as Error, next))
      if (answers.length === 0) problems.push('no worker serves at present')
      if (problems.length === 0) {
        await revocations.follow(next.settings).catch((error: Error) => problems.push(...said(error, next)))
      }
      if (problems.length > 0) {
        await pool.askAll('drop', attempt, APPLY_MS)
        throw new NotApplied([...new Set(problems)])
      }
      Object.assign(inForce, order, { settings: next.settings })
      metrics.applied(generation, labelNames(next.settings))
      replaceSilent(await pool.askAll('apply', attempt, APPLY_MS), 'a worker did not follow a reload')
    })

  await checkTls(inForce.settings.server)
  const reloader = new Reloader({ load, inForce: () => inForce.settings, apply, log, metrics })
  const url = await pool.start()
  metrics.applied(1, labelNames(inForce.settings))
  try {
    await revocations.follow(inForce.settings)
    const adminTls = await openAdminTls(inForce.settings.server, { log, metrics })
    const admin = await startAdmin({
      settings: inForce.settings.server.admin,
      tls: adminTls,
      metrics: summed,
      isReady: () => !draining && pool.serving * 2 > size,
      generation: () => reloader.generation,
      explain: async (request) => (await pool.askOne('explain', request, EXPLAIN_MS)) as Explanation,
      onError: (error) => log.logger.error({ err: describeError(error) }, 'the admin port failed on a request'),
      keys: async () => mergeKeys(await pool.askAll('keys', undefined, LOOK_MS)),
      places: revocations.places,
      reload: () => reloader.reload('request'),
    })
    return {
      url,
      adminUrl: urlOf(inForce.settings.server.admin.listen, admin.address.port, adminTls !== undefined),
      reload: (cause) => reloader.reload(cause),
      close: async ({ grace = false } = {}) => {
        const { timeouts } = inForce.settings.server
        draining = true
        // A reload that runs is over when its workers are; those that hang in it are cut down.
        const reloaded = reloader.close(timeouts.drain)
        await pool.end(grace ? timeouts.grace : 0, timeouts.drain)
        await reloaded
        await admin.close(0)
        await revocations.close()
        log.flush()
      },
    }
  } catch (error) {
    await pool.end(0, 0)
    throw error
  }
}

function said(error: Error, loaded: Loaded): string[] {
  const problems = problemsOf(error, loaded)
  return problems.length > 0 ? problems : [`a worker could not build the new configuration: ${error.message}`]
}

/** A key was used last when any worker used it last. */
function mergeKeys(answers: ReadonlyMap<number, unknown>): KeysInUse {
  const all = [...answers.values()].filter((answer) => !(answer instanceof Error)) as KeysInUse[]
  const keys = new Map<string, KeyUse>()
  for (const key of all.flatMap((answer) => answer.keys)) {
    const known = keys.get(key.id)
    if (known === undefined || (key.lastUsed ?? '') > (known.lastUsed ?? '')) keys.set(key.id, key)
  }
  return { keys: [...keys.values()], problems: [...new Set(all.flatMap((answer) => answer.problems))] }
}
