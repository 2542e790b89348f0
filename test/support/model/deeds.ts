// May this token do this to that resource? A slow second reading of spec §1.4, §4.4, §4.5 and contract §5: what is stored and what it
// becomes must both be allowed, and both by the same right. Shares no code with src/.

import { isOnlyOf } from './compartment.ts'
import { type Loose, modelParameter } from './elements.ts'
import { matches } from './filter.ts'
import { isUnlimited, type ModelSetting, type ModelToken, type Reach, reaches } from './sight.ts'

export interface Deed {
  readonly type: string
  readonly letter: 'c' | 'u' | 'd'
  /** What is stored; undefined for what is new. */
  readonly before: Loose | undefined
  /** What would be stored; undefined for a deletion. */
  readonly after: Loose | undefined
}

export function mayDo({ type, letter, before, after }: Deed, token: ModelToken, setting: ModelSetting): boolean {
  const open = reaches(type, letter, token, setting)
  if (open.some(isUnlimited)) return true
  const rights = [before, after].filter((one) => one !== undefined).map((one) => rightsOn(one, open, setting))
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
): boolean {
  const open = reaches(type, letter, token, setting)
  if (open.some(isUnlimited)) return true
  const isOwn =
    type === 'Patient' && open.some(({ patients, filters }) => filters.length === 0 && patients?.includes(id))
  return (setting.updateCreate || isOwn) && mayDo({ type, letter, before: undefined, after }, token, setting)
}

/** In whose names: `''` stands for a right that is tied to no patient. */
function rightsOn(resource: Loose, open: readonly Reach[], setting: ModelSetting): readonly string[] {
  return open.flatMap(({ patients, filters }) => {
    const fits = filters.every(({ name, value }) =>
      matches(resource, modelParameter(resource.resourceType, name)!, value, setting.ownBases, 'as meant'),
    )
    if (!fits) return []
    return patients === undefined ? [''] : patients.filter((patient) => isOnlyOf(resource, patient, setting))
  })
}
