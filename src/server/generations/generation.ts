// One configuration at work: its house, and how many requests are inside. A request ends on the generation that it began with; one
// that was replaced is closed when its last request is over, streams and sockets among them, or after an hour.

import type { Recorder } from '../../observability/record.ts'
import { UntakenAnswers } from '../../proxy/untaken-answers.ts'
import type { Composed } from '../compose.ts'
import type { Surroundings } from '../passage.ts'
import { clientPace } from '../port/client-pace.ts'
import { HeldBodies } from '../port/held-bodies.ts'
import type { Lease } from './keeper.ts'
import type { OpenedParts } from './open-parts.ts'

/** Of a generation that was replaced: what still runs on it then, runs by rules that nobody wants any more. */
const LONGEST_AFTERLIFE_MS = 60 * 60_000
/** Its requests are over, so only connections that rest are left. */
const CLOSING_MS = 1_000

export class Generation {
  readonly number: number
  readonly composed: Composed
  readonly keyStore: OpenedParts['keyStore']
  readonly revocationFile: OpenedParts['revocationFile']
  /** What its requests tell; each is counted out when it is recorded, which happens once. */
  readonly around: Surroundings
  #running = 0
  #retired: (() => void) | undefined

  constructor(number: number, composed: Composed, opened: OpenedParts, lease: Lease, record: Recorder) {
    this.number = number
    this.composed = composed
    this.keyStore = opened.keyStore
    this.revocationFile = opened.revocationFile
    const { limits, publicUrl, timeouts } = composed.settings.server
    const pace = clientPace(timeouts)
    const mostHeld = Math.max(limits.heldBodies, limits.body)
    this.around = {
      pace,
      // Counted together across generations, as long as they are counted by the same rules.
      bodies: lease.part(
        'held bodies',
        [mostHeld, timeouts],
        () => new HeldBodies(mostHeld, pace.upload),
        () => {},
      ),
      untaken: lease.part(
        'untaken answers',
        [limits.heldAnswers],
        () => new UntakenAnswers(limits.heldAnswers),
        () => {},
      ),
      crossOrigin: composed.house.crossOrigin,
      realm: new URL(publicUrl).host,
      resourceMetadata: (endpoint) => endpoint && composed.discovery.resourceMetadata(endpoint.route),
      record: (finished) => {
        this.leave()
        record(finished)
      },
    }
  }

  get running(): number {
    return this.#running
  }

  enter(): void {
    this.#running++
  }

  leave(): void {
    if (--this.#running === 0) this.#retired?.()
  }

  /** Resolves when it was closed. No request may begin here any more. */
  async retire(longest = LONGEST_AFTERLIFE_MS): Promise<void> {
    if (this.#running > 0) await this.#emptied(longest)
    await this.composed.close(CLOSING_MS)
  }

  #emptied(longest: number): Promise<void> {
    return new Promise((resolve) => {
      const deadline = setTimeout(resolve, longest).unref()
      this.#retired = () => {
        clearTimeout(deadline)
        resolve()
      }
    })
  }
}
