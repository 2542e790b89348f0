// Bulk Data export jobs, in memory: what a job will hold is settled when it starts; it shows itself as running for a
// while, because clients and gateways must cope with that.

import { randomUUID } from 'node:crypto'
import type { StoredVersion } from './stored-version.ts'

export interface ExportJob {
  readonly id: string
  readonly request: string
  readonly base: string
  readonly transactionTime: string
  readonly readyAt: number
  /** NDJSON by file name, such as `Patient.ndjson`. */
  readonly files: ReadonlyMap<string, { readonly type: string; readonly count: number; readonly text: string }>
}

export class BulkExports {
  readonly #now: () => Date
  readonly #delay: number
  readonly #jobs = new Map<string, ExportJob>()

  constructor(now: () => Date, delay: number) {
    this.#now = now
    this.#delay = delay
  }

  start(request: string, base: string, versions: readonly StoredVersion[]): ExportJob {
    const byType = new Map<string, string[]>()
    for (const version of versions) {
      const lines = byType.get(version.type)
      if (lines === undefined) byType.set(version.type, [version.json!])
      else lines.push(version.json!)
    }
    const files = [...byType].map(
      ([type, lines]) => [`${type}.ndjson`, { type, count: lines.length, text: `${lines.join('\n')}\n` }] as const,
    )
    const now = this.#now()
    const job: ExportJob = {
      id: randomUUID(),
      request,
      base,
      transactionTime: now.toISOString(),
      readyAt: now.getTime() + this.#delay,
      files: new Map(files),
    }
    this.#jobs.set(job.id, job)
    return job
  }

  find(id: string): ExportJob | undefined {
    return this.#jobs.get(id)
  }

  isReady(job: ExportJob): boolean {
    return this.#now().getTime() >= job.readyAt
  }

  /** Cancels a running job, or forgets the files of one that is done. */
  remove(id: string): boolean {
    return this.#jobs.delete(id)
  }
}
