// Reads of one record within limits among the entries of a transaction: looked at before anything goes upstream, because one refused entry
// refuses all (R4 http §transaction), and because a server that fails a transaction for a record that is absent would tell it from one
// that is somebody else's. What the transaction itself writes is seen in its answer only.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { isReadableBy } from '../../domain/constraint/readable.ts'
import type { BundleEntry } from '../../domain/fhir/bundle.ts'
import { isWrite } from '../../domain/fhir/interaction.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import { notFound } from '../../proxy/guarded-resource.ts'
import { isOfInstance } from './guarded-answers.ts'
import type { Ask } from './stored-resource.ts'

export class EntryReads {
  readonly #written: ReadonlySet<string> | undefined

  /** Entries of a batch are answered one by one, and judged as they are. */
  constructor(code: 'batch' | 'transaction', entries: readonly BundleEntry[]) {
    const keys = entries.flatMap(({ interaction }) =>
      isWrite(interaction) && interaction.code !== 'create' ? [`${interaction.type}/${interaction.id}`] : [],
    )
    this.#written = code === 'transaction' ? new Set(keys) : undefined
  }

  /** Undefined when the record may be read, or shows only in the answer whether it may. */
  async refuse({ interaction }: BundleEntry, constraint: Constraint, ask: Ask): Promise<Refusal | undefined> {
    if (this.#written === undefined || !isOfInstance(interaction)) return undefined
    const { type, id } = interaction
    if (this.#written.has(`${type}/${id}`)) return undefined
    const known = isReadableBy({ type, id }, constraint)
    if (typeof known === 'boolean') return known ? undefined : notFound()
    const version = interaction.code === 'vread' ? `/_history/${interaction.versionId}` : ''
    const answer = await ask(`/${type}/${id}${version}`)
    if (isRefusal(answer)) return answer
    return answer.status === 200 && known(answer.body.toString()) ? undefined : notFound()
  }
}
