// A bulk export within constraints: what of each type may be exported, as `_typeFilter` for a server that honours it and as the verdict
// on each line for one that does not. Reading and searching are both needed, so a resource must fit a limit of either letter.

import type { TypeFilter } from '../fhir/bulk-export.ts'
import { isPlainOutcome } from '../fhir/operation-outcome.ts'
import { evaluateClause } from '../fhir/search-match.ts'
import { type Parameter, printQuery } from '../http/request-target.ts'
import type { Constraint } from './constraint.ts'
import type { Clause, TypeLimit } from './limit.ts'

/** An OR of ANDs; undefined when everything of the type is allowed, empty when nothing is. */
export function exportLimits(constraint: Constraint, type: string): readonly TypeLimit[] | undefined {
  const read = constraint.limitsOn(type, 'r')
  const searched = constraint.limitsOn(type, 's')
  if (read === undefined || searched === undefined) return read ?? searched
  return withoutImplied(read.flatMap((one) => searched.map((other) => both(one, other))))
}

function both(one: TypeLimit, other: TypeLimit): TypeLimit {
  const added = other.clauses.filter((clause) => !holds(one, clause))
  return { clauses: [...one.clauses, ...added] }
}

/** What asks for more than another alternative does adds nothing to it. */
function withoutImplied(limits: readonly TypeLimit[]): readonly TypeLimit[] {
  return limits.filter(
    (limit, place) =>
      !limits.some(
        (other, at) =>
          at !== place &&
          other.clauses.every((clause) => holds(limit, clause)) &&
          (other.clauses.length < limit.clauses.length || at < place),
      ),
  )
}

function holds({ clauses }: TypeLimit, { parameter, value }: Clause): boolean {
  return clauses.some((one) => one.parameter.code === parameter.code && one.value === value)
}

/** Whether a resource may stand in a file of the export. */
export function exportJudge(constraint: Constraint): (resource: unknown) => boolean {
  const { definitions, ownBases } = constraint.policy
  const known = new Map<string, readonly TypeLimit[] | undefined>()
  return (resource) => {
    const type = (resource as { resourceType?: unknown } | null)?.resourceType
    if (typeof type !== 'string') return false
    if (type === 'OperationOutcome') return isPlainOutcome(resource)
    if (!definitions.isResourceType(type)) return false
    if (!known.has(type)) known.set(type, exportLimits(constraint, type))
    const limits = known.get(type)
    if (limits === undefined) return true
    return limits.some(({ clauses }) =>
      clauses.every(({ parameter, atoms }) => evaluateClause(resource, parameter, atoms, ownBases)),
    )
  }
}

/**
 * The client's filters within the limits. Filters of one type are alternatives, so that adding a limit as one more of them would
 * widen what the client asked for: each of the client's is joined with each limit instead.
 */
export function typeFilters(
  types: readonly string[],
  given: readonly TypeFilter[],
  constraint: Constraint,
): readonly string[] {
  const named = new Set([...types, ...given.map(({ type }) => type)])
  return [...named].flatMap((type) => {
    const own = given.filter((filter) => filter.type === type).map(({ search }) => search.parameters)
    const limits = exportLimits(constraint, type)?.map(({ clauses }) => clauses.map(asParameter))
    const queries =
      limits === undefined
        ? own
        : (own.length > 0 ? own : [[]]).flatMap((query) => limits.map((limit) => [...query, ...limit]))
    return queries.filter(({ length }) => length > 0).map((query) => printFilter(type, query))
  })
}

/** The `|` of a token stays plain: a filter is a value itself, and not every server decodes it once more. */
export function printFilter(type: string, query: readonly Parameter[]): string {
  return `${type}?${printQuery(query).replaceAll('%7C', '|')}`
}

function asParameter({ parameter, value }: Clause): Parameter {
  return { name: parameter.code, value }
}
