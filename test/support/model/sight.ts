// May this token see this resource? A slow second reading of spec §1.3, §3.5, §4 and contract §5, one scope after the other. Shares
// no code with src/; the properties hold the gateway against it.

import { hasPatientLink, isRecordOf, SEVERAL_PATIENTS } from './compartment.ts'
import { type Loose, modelParameter } from './elements.ts'
import { isReadable, matches } from './filter.ts'
import { isOurs, readReference } from './references.ts'
import { type ModelScope, readScope } from './scope.ts'

export interface ModelToken {
  readonly scopes: readonly string[]
  readonly patients: readonly string[]
  readonly fhirUser?: string | undefined
}

export interface ModelSetting {
  readonly compartment: 'primary' | 'full'
  readonly shared: readonly string[]
  readonly ownBases: readonly string[]
}

/** `surely`: an honest server that narrows finds it too; `perhaps`: a server that gives it may be believed. */
export type Sight = 'no' | 'perhaps' | 'surely'

export const SHARED_BY_DEFAULT: readonly string[] = [
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Medication',
  'HealthcareService',
  'Endpoint',
  'Questionnaire',
]

/** What one scope gives of a type for a letter: nothing, everything, or what fits. */
export interface Reach {
  readonly patients?: readonly string[]
  /** The patients of the token that the scope is tied to, where it is; types without patients are not limited by them. */
  readonly tied?: readonly string[]
  readonly filters: ModelScope['filters']
}

function reachOf(
  text: string,
  type: string,
  letter: string,
  token: ModelToken,
  { shared }: ModelSetting,
): Reach | undefined {
  const scope = readScope(text)
  if (scope === undefined || !scope.letters.includes(letter)) return undefined
  if (scope.type !== '*' && scope.type !== type) return undefined
  for (const { name, value } of scope.filters) {
    const parameter = modelParameter(type, name)
    if (parameter === undefined || !isReadable(parameter, value)) return undefined
  }
  const { filters } = scope
  const patients = patientsOf(scope, token)
  if (patients === 'any') return { filters }
  if (patients.length === 0 || type === 'Group') return undefined
  // Whose a Binary is, what it stands for tells; in no Bundle is it anybody's.
  if (type === 'Binary' && letter === 'r') return { patients, tied: patients, filters }
  if (hasPatientLink(type)) {
    if (scope.type === '*' && SEVERAL_PATIENTS.includes(type)) return undefined
    return { patients, tied: patients, filters }
  }
  return shared.includes(type) && 'rs'.includes(letter) ? { tied: patients, filters } : undefined
}

function patientsOf({ context }: ModelScope, { patients, fhirUser }: ModelToken): readonly string[] | 'any' {
  if (context === 'system') return 'any'
  if (context === 'patient') return patients
  return fhirUser?.startsWith('Patient/') ? [fhirUser.slice(8)] : 'any'
}

export function reaches(type: string, letters: string, token: ModelToken, setting: ModelSetting): Reach[] {
  return token.scopes.flatMap((scope) =>
    [...letters].flatMap((letter) => reachOf(scope, type, letter, token, setting) ?? []),
  )
}

/** How much of a type the token opens by any of these letters. */
export function opens(
  type: string,
  letters: string,
  token: ModelToken,
  setting: ModelSetting,
): 'nothing' | 'a part' | 'everything' {
  const found = reaches(type, letters, token, setting)
  if (found.length === 0) return 'nothing'
  return found.some(isUnlimited) ? 'everything' : 'a part'
}

/** The patients to which every scope for the type is bound alike; undefined where they differ or are none. */
export function boundPatients(
  type: string,
  letters: string,
  token: ModelToken,
  setting: ModelSetting,
): readonly string[] | undefined {
  const [first, ...others] = reaches(type, letters, token, setting).map(({ patients }) => patients)
  return first !== undefined && others.every((patients) => patients?.join() === first.join()) ? first : undefined
}

/** Whether any scope may reach the record of this one patient: a request that names another one is refused before it is asked. */
export function mayReachRecordOf(
  id: string,
  type: string,
  letter: string,
  token: ModelToken,
  setting: ModelSetting,
): boolean {
  return reaches(type, letter, token, setting).some(({ tied }) => tied === undefined || tied.includes(id))
}

export function isUnlimited({ patients, filters }: Reach): boolean {
  return patients === undefined && filters.length === 0
}

/** `beside`: what else was released in the same answer, on which a Provenance may rest. */
export function sees(
  resource: Loose,
  letters: string,
  token: ModelToken,
  setting: ModelSetting,
  beside: readonly Loose[] = [],
): Sight {
  const { resourceType: type } = resource
  if (type === 'OperationOutcome') return 'surely'
  let best: Sight = 'no'
  for (const reach of reaches(type, letters, token, setting)) {
    if (isUnlimited(reach)) return 'surely'
    if (type === 'Bundle' || type === 'Parameters') continue
    const sight = least([
      ...reach.filters.map((filter) => filterSight(resource, filter, setting)),
      recordSight(resource, reach, setting, beside),
    ])
    if (sight === 'surely') return sight
    if (sight === 'perhaps') best = sight
  }
  return best
}

function least(sights: readonly Sight[]): Sight {
  if (sights.includes('no')) return 'no'
  return sights.includes('perhaps') ? 'perhaps' : 'surely'
}

function filterSight(
  resource: Loose,
  { name, value }: ModelScope['filters'][number],
  { ownBases }: ModelSetting,
): Sight {
  const parameter = modelParameter(resource.resourceType, name)!
  if (!matches(resource, parameter, value, ownBases, 'as meant')) return 'no'
  return matches(resource, parameter, value, ownBases, 'exactly') ? 'surely' : 'perhaps'
}

function recordSight(resource: Loose, { patients }: Reach, setting: ModelSetting, beside: readonly Loose[]): Sight {
  if (patients === undefined) return 'surely'
  if (resource.resourceType !== 'Provenance') return isRecordOf(resource, patients, setting)
  return provenanceSight(resource, patients, setting, beside)
}

/**
 * A Provenance that names a patient is that patient's, unless it names another one besides; one that names none is as open as all that
 * it is about, each of which was released beside it and is the same patient's or nobody's.
 */
function provenanceSight(
  { target }: Loose,
  patients: readonly string[],
  setting: ModelSetting,
  beside: readonly Loose[],
): Sight {
  if (!Array.isArray(target) || target.length === 0) return 'no'
  const named = target.map((one) => readReference(one?.reference))
  if (named.includes(undefined)) return 'no'
  const ours = (one: (typeof named)[number]): boolean => isOurs(one!, setting.ownBases)
  const people = named.filter((one) => one!.type === 'Patient')
  if (people.length > 0) {
    if (!people.every((one) => ours(one) && patients.includes(one!.id))) return 'no'
    return target.some((one) => patients.some((id) => one.reference === `Patient/${id}`)) ? 'surely' : 'perhaps'
  }
  const isProven = (one: (typeof named)[number]): boolean => {
    const found = beside.filter((other) => other.resourceType === one!.type && other.id === one!.id)
    return ours(one) && found.some((other) => isSamePatients(other, patients, setting))
  }
  return named.every(isProven) ? 'perhaps' : 'no'
}

function isSamePatients(resource: Loose, patients: readonly string[], setting: ModelSetting): boolean {
  // What is told of a record of records is told by that record's own targets, not by another Provenance.
  if (resource.resourceType === 'Provenance') return false
  if (hasPatientLink(resource.resourceType)) return isRecordOf(resource, patients, setting) !== 'no'
  return setting.shared.includes(resource.resourceType)
}
