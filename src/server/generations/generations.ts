// The generations of one process: the one in force, and those that wait for their last requests. The next one is built whole before
// it replaces anything, so a route map that cannot be used changes nothing.

import type { Settings } from '../../config/settings.ts'
import type { Recorder } from '../../observability/record.ts'
import { compose } from '../compose.ts'
import { Generation } from './generation.ts'
import type { Lasting } from './lasting.ts'
import { type Opening, openParts } from './open-parts.ts'
import { NotApplied } from './reloader.ts'

export interface GenerationsOptions {
  readonly lasting: Lasting
  readonly record: Recorder
  readonly opening: Opening
  /** Hears of each that takes over. */
  readonly onApplied?: (generation: Generation) => void
}

export class Generations {
  readonly #options: GenerationsOptions
  /** Replaced, with requests still inside. */
  readonly #retiring = new Set<Generation>()
  #current: Generation | undefined
  #closed = false

  constructor(options: GenerationsOptions) {
    this.#options = options
  }

  /** Undefined only before the first `apply`. */
  get current(): Generation | undefined {
    return this.#current
  }

  get retiring(): number {
    return this.#retiring.size
  }

  /** Builds a generation that serves nobody yet; rejects when a part cannot be opened, and leaves nothing open then. */
  async prepare(settings: Settings, number = (this.#current?.number ?? 0) + 1): Promise<Generation> {
    const { lasting, record, opening } = this.#options
    const lease = lasting.keeper.lease()
    try {
      const parts = await openParts(settings, lease, opening, lasting)
      if (this.#closed) throw new NotApplied(['the gateway is ending'])
      const composed = compose(settings, lasting, { generation: number, lease, ...parts })
      return new Generation(number, composed, parts, lease, record)
    } catch (error) {
      await lease.end(0)
      throw error
    }
  }

  /** From now on requests begin on this one. */
  apply(next: Generation): void {
    const last = this.#current
    this.#current = next
    this.#options.onApplied?.(next)
    // The keys are usually there before the first request; one that comes earlier waits for them.
    void next.composed.authenticator.warm()
    if (last === undefined) return
    this.#retiring.add(last)
    void last.retire().finally(() => this.#retiring.delete(last))
  }

  /** After the last request, or when nobody waits any longer. What is still being built is not any more. */
  async close(): Promise<void> {
    this.#closed = true
    const all = this.#current === undefined ? [] : [...this.#retiring, this.#current]
    await Promise.all(all.map(({ composed }) => composed.close(0)))
  }
}
