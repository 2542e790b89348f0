// A Provenance in a transaction is mostly about what the same transaction writes (R4 Provenance §6.3.4). What an entry writes tells whose
// record it is, so such a target stands for that patient when the Provenance is judged.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { isOnlyAbout } from '../../domain/constraint/write.ts'
import type { BundleEntry } from '../../domain/fhir/bundle.ts'
import type { EntryReferences } from '../../domain/fhir/entry-references.ts'
import { isJsonObject, type Json, type JsonObject } from '../../domain/json/strict-json.ts'

interface Transaction {
  readonly entries: readonly BundleEntry[]
  readonly references: EntryReferences
  readonly constraint: Constraint
  /** What references are known to stand for, by their text. */
  readonly found: ReadonlyMap<string, string>
}

/** `given` is the Provenance as it was sent, `resolved` as the server will read it. */
export function targetsOf(given: JsonObject, resolved: JsonObject, transaction: Transaction): { target?: Json } {
  const { target: sent } = given
  const { target: read } = resolved
  if (!Array.isArray(sent) || !Array.isArray(read)) return {}
  const patients = patientsOf(transaction.constraint)
  return { target: read.map((target, index) => patientOf(sent[index]!, patients, transaction) ?? target) }
}

function patientOf(
  target: Json,
  patients: readonly string[],
  { entries, references, constraint, found }: Transaction,
): JsonObject | undefined {
  const text = isJsonObject(target) ? target['reference'] : undefined
  if (typeof text !== 'string' || found.has(text)) return undefined
  const { interaction, resource } = entries[references.entryOf(text) ?? Number.NaN] ?? {}
  if (interaction === undefined || resource === undefined) return undefined
  // A patch shows only a part.
  if (interaction.code !== 'update' && interaction.code !== 'create') return undefined
  const { type, condition } = interaction
  const written = references.resolve(resource, found)
  const patient = patients.find((one) => isOnlyAbout(written, type, one, constraint.policy))
  if (patient === undefined) return undefined
  const mayFindAnother =
    interaction.code === 'create' && condition !== undefined && !findsOnly(patient, type, constraint)
  return mayFindAnother ? undefined : { reference: `Patient/${patient}` }
}

/** Whether a condition on this type, as it is narrowed, finds nothing but the patient's. */
function findsOnly(patient: string, type: string, constraint: Constraint): boolean {
  const limits = constraint.limitsOn(type, 's')
  return limits?.every(({ patients }) => patients?.every((one) => one === patient)) === true
}

function patientsOf(constraint: Constraint): readonly string[] {
  const limits = ['c', 'u'].flatMap((permission) => constraint.limitsOn('Provenance', permission) ?? [])
  return [...new Set(limits.flatMap(({ patients = [] }) => patients))]
}
