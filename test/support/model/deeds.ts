// May this token do this to that resource? A slow second reading of spec §1.4, §4.4, §4.5 and contract §5: what is stored and what it
// becomes must both be allowed, and both by the same right. Shares no code with src/.

import { hasPatientLink, isOnlyOf } from './compartment.ts'
import { type Loose, modelParameter } from './elements.ts'
import { matches } from './filter.ts'
import { isOurs, readReference } from './references.ts'
import { isUnlimited, type ModelSetting, type ModelToken, type Reach, reaches, sees } from './sight.ts'

export interface Deed {
  readonly type: string
  readonly letter: 'c' | 'u' | 'd'
  /** What is stored; undefined for what is new. */
  readonly before: Loose | undefined
  /** What would be stored; undefined for a deletion. */
  readonly after: Loose | undefined
}

/** What is stored under an id. */
export type Stored = (type: string, id: string) => Loose | undefined

export function mayDo(
  { type, letter, before, after }: Deed,
  token: ModelToken,
  setting: ModelSetting,
  stored: Stored,
): boolean {
  const open = reaches(type, letter, token, setting)
  if (open.some(isUnlimited)) return true
  const rights = [before, after]
    .filter((one) => one !== undefined)
    .map((one) => rightsOn(one, open, { token, setting, stored }))
  const [first, second] = rights
  if (first === undefined) return false
  return first.some((right) => second === undefined || second.includes(right))
}

/** Whether a deed on what is not there may make it: without limits, by the route's leave, or the own record that is known by its id. */
export function mayMake(
  id: string,
  { type, letter, after }: Deed,
  token: ModelToken,
  setting: ModelSetting & { readonly updateCreate: boolean },
  stored: Stored,
): boolean {
  const open = reaches(type, letter, token, setting)
  if (open.some(isUnlimited)) return true
  const isOwn =
    type === 'Patient' && open.some(({ patients, filters }) => filters.length === 0 && patients?.includes(id))
  return (setting.updateCreate || isOwn) && mayDo({ type, letter, before: undefined, after }, token, setting, stored)
}

interface World {
  readonly token: ModelToken
  readonly setting: ModelSetting
  readonly stored: Stored
}

/** A Provenance is a patient's when all that it is about is, as far as the token may read it; shared data only beside that. */
function isTheirs(resource: Loose, patient: string, { token, setting, stored }: World): boolean {
  if (resource.resourceType !== 'Provenance') return isOnlyOf(resource, patient, setting)
  const { target } = resource
  if (!Array.isArray(target)) return false
  const named = target.map((one) => readReference(one?.reference))
  const isShared = (type: string): boolean => !hasPatientLink(type) && setting.shared.includes(type)
  const isProven = (one: (typeof named)[number]): boolean => {
    if (one === undefined || !isOurs(one, setting.ownBases)) return false
    if (one.type === 'Patient') return one.id === patient
    const found = stored(one.type, one.id)
    if (found === undefined || sees(found, 'r', token, setting) === 'no') return false
    return isShared(one.type) || isOnlyOf(found, patient, setting)
  }
  return named.every(isProven) && named.some((one) => !isShared(one!.type))
}

/** In whose names: `''` stands for a right that is tied to no patient. */
function rightsOn(resource: Loose, open: readonly Reach[], world: World): readonly string[] {
  const { setting } = world
  return open.flatMap(({ patients, filters }) => {
    const fits = filters.every(({ name, value }) =>
      matches(resource, modelParameter(resource.resourceType, name)!, value, setting.ownBases, 'as meant'),
    )
    if (!fits) return []
    return patients === undefined ? [''] : patients.filter((patient) => isTheirs(resource, patient, world))
  })
}
