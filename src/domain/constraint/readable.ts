// Whether the one record that a request is called on may be read within a constraint: told from its id alone where that is possible,
// else from the record itself.

import type { Constraint } from './constraint.ts'
import { Guard } from './guard.ts'

/** A function when the record must be seen: it takes its JSON. */
export function isReadableBy(
  { type, id }: { readonly type: string; readonly id: string },
  constraint: Constraint,
): boolean | ((json: string) => boolean) {
  const limits = constraint.limitsOn(type, 'r')
  if (limits === undefined) return true
  if (limits.length === 0) return false
  const ownRecord = ({ patients, clauses }: (typeof limits)[number]): boolean =>
    clauses.length === 0 && patients?.includes(id) === true
  if (type === 'Patient' && limits.some(ownRecord)) return true
  const guard = new Guard(constraint, () => 'r')
  return (json) => {
    const resource = parse(json)
    const { resourceType, id: named } = (resource ?? {}) as { resourceType?: unknown; id?: unknown }
    return resourceType === type && named === id && guard.releases(resource)
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
