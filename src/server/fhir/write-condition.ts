// The condition of a conditional write within constraints: a search, narrowed like any other, so that nothing outside the grant decides
// what happens (spec §1.4). A condition that cannot be narrowed exactly is refused, because its outcome would tell what else exists.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { narrow } from '../../domain/constraint/narrow.ts'
import { isWritable, writable } from '../../domain/constraint/write.ts'
import { choosesResources } from '../../domain/fhir/common-parameters.ts'
import { isId } from '../../domain/fhir/interaction.ts'
import { printRequestPath } from '../../domain/fhir/request-path.ts'
import { baseName, type Search } from '../../domain/fhir/search.ts'
import type { Parameter } from '../../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { type Ask, readMatches } from './stored-resource.ts'

/** The criteria alone: how a server would sort, count or print what it finds has no meaning here. */
export function narrowCondition(
  condition: Search,
  type: string,
  constraint: Constraint,
): readonly Parameter[] | Refusal {
  const criteria = condition.parameters.filter(({ name }) => choosesResources(baseName(name)))
  const limits = constraint.limitsOn(type, 's')
  if (limits === undefined) return criteria
  if (limits.length === 0) return refuse('scope-insufficient', 'No scope of the credential covers the condition.')
  const { definitions, ownBases } = constraint.policy
  const narrowed = narrow(criteria, limits, { type, definitions, ownBases })
  if (isRefusal(narrowed)) return narrowed
  if (narrowed.exact) return narrowed.parameters
  const detail = 'The condition cannot be cut to what the scopes cover. Name the resource by its id.'
  return refuse('constraint-unenforceable', detail)
}

/** The id of the one resource that a condition finds within the grant; undefined when there is none. */
export async function findOne(
  condition: Search,
  type: string,
  constraint: Constraint,
  ask: Ask,
): Promise<string | undefined | Refusal> {
  const parameters = narrowCondition(condition, type, constraint)
  if (isRefusal(parameters)) return parameters
  const found = await readMatches(ask, printRequestPath([type], parameters))
  if (isRefusal(found)) return found
  const limits = constraint.limitsOn(type, 's')
  const ids = new Set<string>()
  for (const one of found.resources) {
    const { id } = one
    if (one['resourceType'] !== type || typeof id !== 'string' || !isId(id)) continue
    if (limits === undefined || isWritable(writable(one, type, limits, constraint.policy))) ids.add(id)
  }
  if (ids.size > 1 || (ids.size === 1 && found.hasMore)) {
    return refuse('version-conflict', 'The condition finds more than one resource. Name one by its id.')
  }
  return [...ids][0]
}
