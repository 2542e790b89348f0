// Reloads the route map: by a signal, because its file changed, or because the admin port was asked. Everything is checked and built
// before anything changes; with a problem, what is in force stays. One reload at a time; who asks meanwhile gets the next one.

import type { Failed, Loaded } from '../../config/load.ts'
import type { Settings } from '../../config/settings.ts'
import { type Problem, printProblem } from '../../config/source/problem.ts'
import { KeyFileError } from '../../credentials/api-keys/key-file.ts'
import { describeError } from '../../observability/described-error.ts'
import type { Log } from '../../observability/logger.ts'
import type { Metrics } from '../../observability/metrics.ts'
import type { Reloaded } from '../admin/admin.ts'
import { PartError } from './open-parts.ts'
import { changesThatNeedRestart } from './restart-keys.ts'

export type { Reloaded }

export type LoadRouteMap = () => Loaded | Failed

export type ReloadCause = 'signal' | 'file' | 'request'

export interface ReloaderOptions {
  /** Left out: every reload is refused. */
  readonly load?: LoadRouteMap
  inForce(): Settings
  /** Builds the new generation whole and lets it take over; rejects without a change when it cannot be built. */
  apply(loaded: Loaded, generation: number): Promise<unknown>
  readonly log: Pick<Log, 'logger'>
  readonly metrics: Pick<Metrics, 'reloaded'>
}

/** Why a new generation did not take over, when several processes had to agree: printed problems. */
export class NotApplied extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

const CANNOT_RELOAD = 'this gateway was started without a route map file: restart it to apply another one'
const ENDS = 'the gateway is ending'

export class Reloader {
  readonly #options: ReloaderOptions
  #generation = 1
  #running: Promise<Reloaded> | undefined
  #next: Promise<Reloaded> | undefined
  #closed = false

  constructor(options: ReloaderOptions) {
    this.#options = options
    options.metrics.reloaded(true)
  }

  /** Number of the route map in force. */
  get generation(): number {
    return this.#generation
  }

  /** Never rejects. */
  reload(cause: ReloadCause): Promise<Reloaded> {
    if (this.#running === undefined) {
      this.#running = this.#reload(cause).finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    // What runs may have read the file already, so the caller's change is in the next one.
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.reload(cause)
    })
    return this.#next
  }

  /** Nothing is reloaded from now on. Waits for the one that runs, but not longer: a disk that stands still must not hold up the end. */
  async close(longest: number): Promise<void> {
    this.#closed = true
    const { promise, resolve } = Promise.withResolvers<void>()
    const deadline = setTimeout(resolve, longest)
    await Promise.race([this.#running, promise])
    clearTimeout(deadline)
  }

  async #reload(cause: ReloadCause): Promise<Reloaded> {
    const { log, metrics } = this.#options
    const problems = this.#closed ? [ENDS] : await this.#apply()
    const { generation } = this
    const successful = problems.length === 0
    if (!this.#closed) metrics.reloaded(successful)
    if (successful) log.logger.info({ cause, generation }, 'the route map was reloaded')
    else log.logger.error({ cause, generation, problems }, 'the route map was not reloaded: the one in force stays')
    return { generation, problems }
  }

  async #apply(): Promise<readonly string[]> {
    const { load, inForce, apply, log } = this.#options
    if (load === undefined) return [CANNOT_RELOAD]
    let loaded: Loaded | Failed | undefined
    try {
      loaded = load()
      if ('problems' in loaded) return loaded.problems.map(printProblem)
      for (const warning of loaded.warnings) log.logger.warn({ problem: printProblem(warning) }, 'route map')
      const { problemAt } = loaded
      const restarts = changesThatNeedRestart(inForce(), loaded.settings)
      if (restarts.length > 0) return restarts.map(({ path, message }) => printProblem(problemAt(path, message)))
      await apply(loaded, this.#generation + 1)
      this.#generation++
      return []
    } catch (error) {
      const problems = problemsOf(error, loaded)
      if (problems.length > 0) return problems
      log.logger.error({ err: describeError(error) }, 'a reload failed inside')
      return ['the new configuration could not be built: the log tells why']
    }
  }
}

/** Printed problems of a generation that could not be built; none for a defect of ours. */
export function problemsOf(error: unknown, loaded: { problemAt?: Loaded['problemAt'] } | Failed | undefined): string[] {
  if (error instanceof NotApplied || error instanceof KeyFileError) return [...error.problems]
  if (!(error instanceof PartError)) return []
  const problemAt: Loaded['problemAt'] | undefined =
    loaded !== undefined && 'problemAt' in loaded ? loaded.problemAt : undefined
  const problem: Problem | undefined = problemAt?.(error.path, error.message)
  return [problem === undefined ? error.message : printProblem(problem)]
}
