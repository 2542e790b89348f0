// The files of an export that name what was deleted: a transaction Bundle a line, whose entries say `DELETE Type/id` (spec §8). Of what
// is gone nothing can be checked but its type, so an entry passes only where everything of its type is allowed.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { exportLimits } from '../../domain/constraint/export.ts'
import { parseReference } from '../../domain/fhir/literal-reference.ts'
import type { LineJudge } from '../../proxy/guarded-lines.ts'

export function deletedJudge(constraint: Constraint): LineJudge {
  const { definitions } = constraint.policy
  const passes = (url: unknown): boolean => {
    const gone = typeof url === 'string' ? parseReference(url) : undefined
    return (
      gone?.base === '' && definitions.isResourceType(gone.type) && exportLimits(constraint, gone.type) === undefined
    )
  }
  return (line) => {
    const { resourceType, type, entry } = (line ?? {}) as Record<string, unknown>
    if (resourceType !== 'Bundle' || type !== 'transaction' || !Array.isArray(entry)) return 'withhold'
    const kept = entry.flatMap((one: { request?: { method?: unknown; url?: unknown } } | null) => {
      const { method, url } = one?.request ?? {}
      return method === 'DELETE' && passes(url) ? [{ request: { method, url } }] : []
    })
    return kept.length === 0 ? 'withhold' : Buffer.from(JSON.stringify({ resourceType, type, entry: kept }))
  }
}
