// The parameters of an export as they go upstream: what the client asked for, with `_type` and `_typeFilter` written anew from what was
// understood and cleared. Nothing of the client's own text of the two is sent on.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { exportLimits, printFilter, typeFilters } from '../../domain/constraint/export.ts'
import type { ExportQuery } from '../../domain/fhir/bulk-export.ts'
import type { Parameter } from '../../domain/http/request-target.ts'

export interface PrintedKickOff {
  readonly parameters: readonly Parameter[]
  /** The same as a Parameters resource. */
  readonly body: string
}

/** `types` are those that were cleared; the constraint is undefined where everything is. */
export function printKickOff(
  query: ExportQuery,
  types: '*' | readonly string[],
  constraint: Constraint | undefined,
): PrintedKickOff {
  const named = query.types ?? (types === '*' ? [] : types)
  const filters =
    constraint === undefined
      ? query.filters.map(({ type, search }) => printFilter(type, search.parameters))
      : typeFilters(named, query.filters, constraint)
  // Whole resources are needed to see whether they fit a filter.
  const judged = constraint !== undefined && (types === '*' || named.some((type) => exportLimits(constraint, type)))
  const others = query.others.filter(({ name }) => !(judged && name === '_elements'))
  const added: Parameter[] = [
    ...(named.length === 0 ? [] : [{ name: '_type', value: named.join(',') }]),
    ...filters.map((value) => ({ name: '_typeFilter', value })),
  ]
  const parts = [
    ...others.map(({ name, value, part }) => part ?? { name, valueString: value }),
    ...added.map(({ name, value }) => ({ name, valueString: value })),
  ]
  return {
    parameters: [...others.map(({ name, value }) => ({ name, value })), ...added],
    body: JSON.stringify({ resourceType: 'Parameters', parameter: parts }),
  }
}
