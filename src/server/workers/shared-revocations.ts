// Revocations of a gateway with several processes: posted to the primary, told to every worker at once, and given to those that start
// later. The file of revocations, where there is one, is kept by the primary and followed by each worker for itself.

import type { Settings } from '../../config/settings.ts'
import type { RevocationFile } from '../../credentials/revocation-file.ts'
import type { Revocation } from '../../credentials/revocation-list.ts'
import { Revocations } from '../../credentials/revocations.ts'
import type { Log } from '../../observability/logger.ts'
import type { AdminPlace } from '../admin/admin-place.ts'
import { revocationPlaces } from '../admin/revocation-place.ts'
import { Keeper, type Lease } from '../generations/keeper.ts'
import { openRevocations } from '../generations/open-revocations.ts'

export interface SharedRevocationsOptions {
  readonly log: Log
  /** Resolves when every worker has heard it; who does not is replaced, and begins with all that is revoked. */
  tellWorkers(revocations: readonly Revocation[]): Promise<void>
}

export class SharedRevocations {
  readonly places: readonly AdminPlace[]
  readonly #revocations = new Revocations(Date.now)
  readonly #keeper = new Keeper()
  readonly #log: Log
  #lease: Lease | undefined
  #file: RevocationFile | undefined
  #issuers: readonly string[] = []

  constructor({ log, tellWorkers }: SharedRevocationsOptions) {
    this.#log = log
    this.places = revocationPlaces({
      revocations: this.#revocations,
      file: () => this.#file,
      issuers: () => this.#issuers,
      now: Date.now,
      broadcast: tellWorkers,
    })
  }

  /** For a worker that starts, and reads the file by itself. */
  posted(): readonly Revocation[] {
    return this.#revocations.posted()
  }

  /** From now on the file of these settings is the one that is kept. Rejects when it cannot be read, and changes nothing then. */
  async follow({ revocations, issuers }: Settings): Promise<void> {
    const lease = this.#keeper.lease()
    const parts = { revocations: this.#revocations, now: Date.now }
    try {
      this.#file = revocations && (await openRevocations(revocations.file, lease, this.#log, parts))
    } catch (error) {
      await lease.end(0)
      throw error
    }
    this.#issuers = issuers.map(({ issuer }) => issuer)
    await this.#lease?.end(0)
    this.#lease = lease
  }

  async close(): Promise<void> {
    await this.#lease?.end(0)
  }
}
