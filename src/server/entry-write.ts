// A write within constraints among the entries of a Bundle: checked like a single one, and what must change of its request.

import type { Constraint } from '../domain/constraint/constraint.ts'
import type { BundleEntry } from '../domain/fhir/bundle.ts'
import type { EntryChange } from '../domain/fhir/bundle-print.ts'
import type { Write } from '../domain/fhir/interaction.ts'
import { type Json, type JsonObject, readStrictJson } from '../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { type CheckedWrite, checkWrite, type WriteRules } from './write-check.ts'
import { JSON_PATCH } from './write-plan.ts'

export type WriteEntry = BundleEntry & { readonly interaction: Write }

/** `resource`: as the server will read it, with references to other entries resolved. */
export async function checkEntry(
  entry: WriteEntry,
  resource: JsonObject | undefined,
  constraint: Constraint,
  rules: WriteRules,
): Promise<EntryChange | Refusal> {
  const { interaction, ifMatch } = entry
  if (interaction.type === 'Binary')
    return refuse('constraint-unenforceable', 'a Binary shows nothing by which limits of scopes could be checked.')
  const content = interaction.code === 'patch' ? { patch: patchOf(entry) } : { resource }
  const checked = await checkWrite({ interaction, constraint, ifMatch, ...content }, rules)
  if (isRefusal(checked)) return checked
  if (entry.ifNoneMatch !== undefined && (checked.ifMatch ?? checked.ifNoneMatch) !== undefined) {
    const detail = 'request.ifNoneMatch cannot be kept together with what the limits of the scopes need.'
    return refuse('body-invalid', detail)
  }
  return changeOf(checked, entry)
}

/** A patch comes as a Binary (R4 http §transaction); only a JSON Patch can be checked. */
function patchOf({ resource }: BundleEntry): readonly Json[] | undefined {
  const { resourceType, contentType, data } = resource ?? {}
  if (resourceType !== 'Binary' || contentType !== JSON_PATCH) return undefined
  if (typeof data !== 'string' || !BASE64.test(data)) return undefined
  const document = readStrictJson(Buffer.from(data, 'base64').toString())
  return 'value' in document && Array.isArray(document.value) ? document.value : undefined
}

// Decoders differ in what else they skip or accept.
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

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
