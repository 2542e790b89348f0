// A write within constraints among the entries of a Bundle: checked like a single one, and what must change of its request.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import type { BundleEntry } from '../../domain/fhir/bundle.ts'
import type { EntryChange } from '../../domain/fhir/bundle-print.ts'
import type { Write } from '../../domain/fhir/interaction.ts'
import type { JsonObject } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { type CheckedWrite, checkWrite, type WriteRules } from './write-check.ts'

export type WriteEntry = BundleEntry & { readonly interaction: Write }

export interface PlannedEntry {
  readonly change: EntryChange
  /** Whether the caller may read what the write is upon. */
  readonly isReadable?: boolean
}

/** `resource`: as the server will read it, with references to other entries resolved. */
export async function checkEntry(
  entry: WriteEntry,
  resource: JsonObject | undefined,
  constraint: Constraint,
  rules: WriteRules,
): Promise<PlannedEntry | Refusal> {
  const { interaction, ifMatch } = entry
  if (interaction.type === 'Binary')
    return refuse('constraint-unenforceable', 'a Binary shows nothing by which limits of scopes could be checked.')
  const content = interaction.code === 'patch' ? { patch: entry.patch } : { resource }
  const checked = await checkWrite({ interaction, constraint, ifMatch, ...content }, rules)
  if (isRefusal(checked)) return checked
  const { ifNoneMatch } = entry
  const isOurs = ifNoneMatch?.trim() === '*' && checked.ifNoneMatch === '*'
  if (ifNoneMatch !== undefined && !isOurs && (checked.ifMatch ?? checked.ifNoneMatch) !== undefined) {
    const detail = 'request.ifNoneMatch cannot be kept together with what the limits of the scopes need.'
    return refuse('body-invalid', detail)
  }
  return { change: changeOf(checked, entry), isReadable: checked.isReadable }
}

function changeOf({ id, ifMatch, ifNoneMatch, ifNoneExist }: CheckedWrite, entry: WriteEntry): EntryChange {
  const { interaction, resource } = entry
  const { type, code } = interaction
  return {
    ...(id === undefined ? {} : { url: `${type}/${id}` }),
    ...(id !== undefined && code === 'update' && resource?.['id'] === undefined ? { id } : {}),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
    ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
    ...(ifNoneExist !== undefined && code === 'update' ? { method: 'POST', url: type } : {}),
  }
}
