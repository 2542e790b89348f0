// The workers as the primary has them: started one after the other, counted, asked, replaced when they end by themselves. Starting one
// and changing the route map never happen at the same time, so every worker is on the generation that the primary believes it on.

import cluster, { type Worker } from 'node:cluster'
import type { Log } from '../../observability/logger.ts'
import { Caller } from './calls.ts'
import { closeWhatIsNotTaken } from './handed-over.ts'
import { RestartPace } from './restart-pace.ts'
import type { BeginOrder, Begun } from './worker.ts'

export interface PoolOptions {
  readonly size: number
  /** What a worker that starts now has to serve. */
  order(): Omit<BeginOrder, 'port'>
  readonly log: Pick<Log, 'logger'>
  /** Each worker, before it is told anything. */
  onStart(worker: Worker): void
  /** `id` as `onStart` had it. */
  onEnd(id: number): void
}

interface Member {
  readonly worker: Worker
  readonly caller: Caller
  serves: boolean
}

/** What a worker may take to start: it loads a program and reads files. */
const BEGIN_MS = 60_000
const PING_EVERY_MS = 5_000
/** A worker that answers nothing for so long serves nobody: its event loop stands still. */
const HANGS_MS = 30_000
/** Beyond the time that the route map gives, before a worker is cut down. */
const LAST_MS = 5_000

export class Pool {
  readonly #options: PoolOptions
  readonly #members = new Map<number, Member>()
  readonly #waiting = new Set<NodeJS.Timeout>()
  readonly #paces: RestartPace[]
  #turn: Promise<unknown> = Promise.resolve()
  /** What each asks for, so that all share one: another number for the same port would be a second listener to node:cluster. */
  #port: number | undefined
  #boundPort: number | undefined
  #ending = false

  constructor(options: PoolOptions) {
    this.#options = options
    // In turn, on every system: the kernel would wake the same one again and again.
    cluster.schedulingPolicy = cluster.SCHED_RR
    this.#paces = Array.from({ length: options.size }, () => new RestartPace())
  }

  get serving(): number {
    return [...this.#members.values()].filter(({ serves }) => serves).length
  }

  get size(): number {
    return this.#options.size
  }

  /** The first one alone: where it fails, the others would fail as well. Rejects then, and nothing stays open. */
  async start(): Promise<string> {
    try {
      const { url } = await this.#add(0)
      const others = this.#paces.slice(1).map((_, index) => this.#add(index + 1))
      await Promise.all(others)
      return url
    } catch (error) {
      await this.end(0, 0)
      throw error
    }
  }

  /** Nobody starts meanwhile; one after the other. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  /**
   * Asks everybody who serves; who does not answer has an error in its place. `starting`: those too that are about to, who answer when they
   * have begun. What they are told comes to them before their first connection, because both come by the same channel.
   */
  async askAll(
    kind: string,
    content: unknown,
    timeout: number,
    { starting = false } = {},
  ): Promise<ReadonlyMap<number, unknown>> {
    const asked = [...this.#members].filter(([, { serves }]) => serves || starting)
    const answers = await Promise.all(
      asked.map(async ([id, { caller, serves }]): Promise<[number, unknown]> => {
        const answer = await caller.call(kind, content, serves ? timeout : BEGIN_MS).catch((error: Error) => error)
        return [id, answer]
      }),
    )
    return new Map(answers)
  }

  /** Asks one who serves. */
  async askOne(kind: string, content: unknown, timeout: number): Promise<unknown> {
    const [member] = [...this.#members.values()].filter(({ serves }) => serves)
    if (member === undefined) throw new Error('no worker serves at present')
    return member.caller.call(kind, content, timeout)
  }

  /** For one that does not do what it is told; it is replaced. */
  kill(id: number): void {
    this.#members.get(id)?.worker.process.kill('SIGKILL')
  }

  /** Each is told to end and has its time; who is left then is cut down. */
  async end(grace: number, drain: number): Promise<void> {
    this.#ending = true
    for (const timer of this.#waiting) clearTimeout(timer)
    const all = [...this.#members.values()]
    const deadline = setTimeout(
      () => {
        this.#options.log.logger.error('workers did not end in time and are cut down')
        for (const { worker } of all) worker.process.kill('SIGKILL')
      },
      grace + drain + LAST_MS,
    )
    await Promise.all(
      all.map(({ worker, caller, serves }) => {
        if (worker.isDead()) return undefined
        const gone = new Promise((resolve) => worker.once('exit', resolve))
        if (serves) caller.call('end', { grace }, LAST_MS).catch(() => worker.process.kill('SIGKILL'))
        else worker.process.kill('SIGKILL')
        return gone
      }),
    )
    clearTimeout(deadline)
  }

  #add(place: number): Promise<Begun> {
    return this.exclusively(async () => {
      if (this.#ending) throw new Error('the gateway is ending')
      const { order, onStart } = this.#options
      const worker = cluster.fork()
      closeWhatIsNotTaken(worker)
      const member: Member = { worker, caller: new Caller(worker), serves: false }
      const startedAt = performance.now()
      this.#members.set(worker.id, member)
      onStart(worker)
      worker.once('exit', (code: number | null, signal: string | null) => {
        const served = member.serves
        this.#members.delete(worker.id)
        member.caller.end()
        this.#options.onEnd(worker.id)
        if (served && !this.#ending) this.#replace(place, worker.id, performance.now() - startedAt, code, signal)
      })
      try {
        // A free port was taken; when nobody is left to hold it, it is asked for by its number.
        if (this.serving === 0) this.#port = this.#boundPort
        const begun = (await member.caller.call('begin', { ...order(), port: this.#port }, BEGIN_MS)) as Begun
        this.#boundPort = begun.port
        member.serves = true
        this.#watch(member)
        return begun
      } catch (error) {
        worker.process.kill('SIGKILL')
        throw error
      }
    })
  }

  #watch({ worker, caller }: Member): void {
    const ping = (): void => {
      caller.call('ping', undefined, HANGS_MS).catch((error: Error) => {
        if (worker.isDead() || !this.#members.has(worker.id)) return
        this.#options.log.logger.error({ worker: worker.id, problem: error.message }, 'a worker hangs and is replaced')
        worker.process.kill('SIGKILL')
      })
    }
    const timer = setInterval(ping, PING_EVERY_MS)
    worker.once('exit', () => clearInterval(timer))
  }

  #replace(place: number, id: number, lifetime: number, code: number | null, signal: string | null): void {
    const { logger } = this.#options.log
    const pace = this.#paces[place]!
    const wait = pace.after(lifetime)
    const said = { worker: id, code, signal, livedMs: Math.round(lifetime), replacedInMs: wait }
    if (pace.diedYoung > 1) logger.error({ ...said, inARow: pace.diedYoung }, 'a worker crashes again and again')
    else logger.error(said, 'a worker ended by itself and is replaced')
    const timer = setTimeout(() => {
      this.#waiting.delete(timer)
      const startedAt = performance.now()
      this.#add(place).then(
        ({ url }) => logger.info({ url, serving: this.serving }, 'a worker took the place of another'),
        (error: Error) => {
          if (this.#ending) return
          logger.error({ problem: error.message }, 'a worker could not start')
          this.#replace(place, 0, performance.now() - startedAt, null, null)
        },
      )
    }, wait)
    this.#waiting.add(timer)
  }
}
