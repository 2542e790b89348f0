// The part of a search that says which patient it is about (spec §4.5): which parameters of a type name its patient, how the
// gateway writes such a clause, and what a client's own clause really proves.

import type { Definitions, FhirVersion } from '../fhir/definitions.ts'
import type { SearchParameter } from '../fhir/definitions-table.ts'
import { isOwn, parseReference } from '../fhir/literal-reference.ts'
import { splitUnescaped } from '../fhir/search-value.ts'
import type { Parameter } from '../http/request-target.ts'

export interface PatientParameters {
  /** The one that the gateway appends. */
  readonly name: string
  /** All that a client may use for the same: code → whether a bare id can only mean a Patient. */
  readonly codes: ReadonlyMap<string, boolean>
}

/** Undefined for a type that no search parameter links to a patient. */
export function patientParameters(type: string, definitions: Definitions): PatientParameters | undefined {
  const known = read[definitions.version]
  if (!known.has(type)) known.set(type, readParameters(type, definitions))
  return known.get(type)
}

const read: Readonly<Record<FhirVersion, Map<string, PatientParameters | undefined>>> = {
  R4: new Map(),
  R4B: new Map(),
  R5: new Map(),
}

/** Every parameter that looks at nothing but what the primary ones look at says the same: `subject` of a Condition as its `patient`. */
function readParameters(type: string, definitions: Definitions): PatientParameters | undefined {
  if (type === 'Patient') return { name: '_id', codes: new Map([['_id', true]]) }
  const primary = definitions.patientLinks(type)?.primary ?? []
  const elements = new Set(primary.flatMap((code) => elementsOf(definitions.searchParameter(type, code))))
  const codes = new Map<string, boolean>()
  for (const parameter of definitions.searchParameters(type)) {
    const own = elementsOf(parameter)
    if (parameter.kind !== 'reference' || own.length === 0 || !own.every((element) => elements.has(element))) continue
    if (parameter.paths!.some(({ only }) => only !== undefined && only !== 'Patient')) continue
    codes.set(parameter.code, parameter.targets.length === 1 && parameter.targets[0] === 'Patient')
  }
  const name = codes.has('patient') ? 'patient' : primary.find((code) => codes.has(code))
  return name === undefined ? undefined : { name, codes }
}

export function patientClause({ name }: PatientParameters, patients: readonly string[]): Parameter {
  const values = name === '_id' ? patients : patients.map((id) => `Patient/${id}`)
  return { name, value: values.join(',') }
}

/**
 * The patients to which a client's clause limits the search: undefined when it is no such clause, or limits to something else
 * than plain references to Patients (a Group, a modifier, another server).
 */
export function patientsNamed(
  { name, value }: Parameter,
  parameters: PatientParameters,
  ownBases: readonly string[],
): readonly string[] | undefined {
  const [code, modifier] = name.split(':', 2) as [string, string | undefined]
  const onlyPatients = parameters.codes.get(code)
  if (onlyPatients === undefined || (modifier !== undefined && (modifier !== 'Patient' || code === '_id')))
    return undefined
  const bareIsPatient = onlyPatients || modifier === 'Patient'
  const ids = splitUnescaped(value, ',').map((one) => patientIdOf(one, bareIsPatient, ownBases))
  return ids.includes(undefined) ? undefined : (ids as string[])
}

const ID = /^[A-Za-z0-9\-.]{1,64}$/

function patientIdOf(value: string, bareIsPatient: boolean, ownBases: readonly string[]): string | undefined {
  if (bareIsPatient && ID.test(value)) return value
  const reference = parseReference(value)
  return reference?.type === 'Patient' && isOwn(reference, ownBases) ? reference.id : undefined
}

function elementsOf(parameter: SearchParameter | undefined): readonly string[] {
  return (parameter?.paths ?? []).map(({ steps }) => steps.map(({ name }) => name).join('.'))
}
