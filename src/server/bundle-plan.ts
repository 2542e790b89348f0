// A batch or transaction as it goes upstream: searches among the entries narrowed, writes checked and made conditional, entries of a
// batch that are refused left out. One refused entry refuses a whole transaction (R4 http §transaction); a batch goes on as one batch.

import { constrainParameters } from '../domain/constraint/constrain-request.ts'
import type { Constraint } from '../domain/constraint/constraint.ts'
import type { Permit } from '../domain/decision/decision.ts'
import type { BundleEntry, BundleRequest, EntryChange } from '../domain/fhir/bundle.ts'
import { isWrite } from '../domain/fhir/interaction.ts'
import { printRequestPath } from '../domain/fhir/request-path.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { WriteRules } from './write-check.ts'
import { checkEntry } from './entry-write.ts'

export interface PlannedBundle {
  readonly body: string
  /** By the places that the client gave the entries. */
  readonly constraints: readonly (Constraint | undefined)[]
  readonly refused: ReadonlyMap<number, Refusal>
}

export async function planBundle(
  bundle: BundleRequest,
  decision: Permit,
  rules: WriteRules,
): Promise<PlannedBundle | Refusal> {
  const constraints = decision.outcome === 'forward' ? [] : decision.constraints
  const refused = new Map(decision.outcome === 'forward' ? [] : decision.refused)
  const changes = new Map<number, EntryChange>()
  for (const [index, entry] of bundle.entries.entries()) {
    const constraint = constraints[index]
    if (constraint === undefined || refused.has(index)) continue
    const change = await changeOf(entry, constraint, rules)
    if (!isRefusal(change)) changes.set(index, change)
    else if (bundle.code === 'transaction') return placed(change, index)
    else refused.set(index, change)
  }
  if (refused.size === bundle.entries.length) return placed([...refused.values()][0]!, 0)
  return { body: bundle.print(changes, new Set(refused.keys())), constraints, refused }
}

function placed({ code, detail, extras }: Refusal, index: number): Refusal {
  return refuse(code, `Bundle.entry[${index}]: ${detail}`, extras)
}

async function changeOf(entry: BundleEntry, constraint: Constraint, rules: WriteRules): Promise<EntryChange | Refusal> {
  const { method, interaction, segments, parameters: given } = entry
  if (isWrite(interaction)) return checkEntry({ ...entry, interaction }, entry.resource, constraint, rules)
  const parameters = constrainParameters(interaction, given, constraint)
  if (isRefusal(parameters)) return parameters
  const url = printRequestPath(segments, parameters).replace(/^\//, '')
  return method === 'POST' ? { url } : { get: url }
}
