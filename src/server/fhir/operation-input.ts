// What an operation is called with, read where it carries meaning: the query of a GET, or the Parameters of a POST with their parts. A
// resource that is sent in is the client's own word and shows nobody's record.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { isOwn, parseReference } from '../../domain/fhir/literal-reference.ts'
import type { Parameter } from '../../domain/http/request-target.ts'
import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../../domain/json/strict-json.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'

export interface OperationInput {
  /** Named simple values and references, of every depth. */
  readonly parameters: readonly Parameter[]
  /** Of a POST: the body as it goes on, and the same with other parameters. */
  print?(): string
  with?(parameters: readonly Parameter[]): OperationInput
}

export function readOperationBody(text: string, fromUrl: readonly Parameter[]): OperationInput | Refusal {
  if (text === '') return input([...fromUrl], [], fromUrl, text)
  const read = readStrictJson(text)
  const body = 'value' in read && isJsonObject(read.value) ? read.value : undefined
  if (typeof body?.['resourceType'] !== 'string')
    return refuse('body-invalid', 'The body of an operation must be one resource in JSON, without repeated members.')
  const parts = body['resourceType'] === 'Parameters' ? elementsOf(body['parameter']) : []
  return input([...fromUrl, ...parts.flatMap(valuesOf)], parts, fromUrl, text)
}

function input(
  parameters: readonly Parameter[],
  parts: readonly JsonObject[],
  fromUrl: readonly Parameter[],
  text: string,
): OperationInput {
  return {
    parameters,
    print: () => text,
    with(wanted) {
      const added = wanted.filter(
        (one) => !parameters.some(({ name, value }) => one.name === name && one.value === value),
      )
      const dropped = (name: string, value: string): boolean =>
        !wanted.some((one) => one.name === name && one.value === value)
      const kept = parts.filter((part) => !valuesOf(part).some(({ name, value }) => dropped(name, value)))
      const parameter = [...kept, ...added.map(({ name, value }) => ({ name, valueString: value }))]
      return input(wanted, kept, fromUrl, JSON.stringify({ resourceType: 'Parameters', parameter }))
    },
  }
}

function valuesOf(part: JsonObject): readonly Parameter[] {
  const name = String(part['name'] ?? '')
  const own = Object.entries(part).flatMap(([key, given]): Parameter[] => {
    if (!key.startsWith('value')) return []
    const value = isJsonObject(given) ? given['reference'] : given
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? [{ name, value: String(value) }]
      : []
  })
  return [...own, ...elementsOf(part['part']).flatMap(valuesOf)]
}

function elementsOf(list: Json | undefined): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : []
}

/** Parameters whose bare id can only be a Patient's. */
const PATIENT_NAMES = new Set(['patient', 'patientId', 'patient-id'])
const ID = /^[A-Za-z0-9\-.]{1,64}$/

/** Only where every scope that counts is bound to patients: another one could be meant for others. */
export function namesOtherPatient(parameters: readonly Parameter[], { scopes, policy }: Constraint): boolean {
  if (scopes.length === 0 || scopes.some(({ limit }) => limit?.patients === undefined)) return false
  const patients = new Set(scopes.flatMap(({ limit }) => limit!.patients!))
  return parameters.some(({ name, value }) => {
    const ids = value.split(',').map((one) => patientIdOf(name, one, policy.ownBases))
    return ids.some((id) => id !== undefined) && !ids.some((id) => id !== undefined && patients.has(id))
  })
}

function patientIdOf(name: string, value: string, ownBases: readonly string[]): string | undefined {
  const reference = parseReference(value)
  if (reference !== undefined)
    return reference.type === 'Patient' && isOwn(reference, ownBases) ? reference.id : undefined
  return PATIENT_NAMES.has(name.split(':')[0]!) && ID.test(value) ? value : undefined
}
