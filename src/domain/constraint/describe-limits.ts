// The limits of a decision in words, for `explain`: of what kind every resource of an answer must be, and which scope says so. And which
// scopes grant nothing because their filter cannot be checked on the resources themselves.

import { covering, type HeldScope } from '../decision/authority.ts'
import type { Coverage } from '../decision/decision.ts'
import type { FhirPolicy } from '../decision/policy.ts'
import { isEvaluable } from '../fhir/search-match.ts'
import { parseAtoms } from '../fhir/search-value.ts'
import { parseScope } from '../smart/scope.ts'
import type { Constraint } from './constraint.ts'
import type { TypeLimit } from './limit.ts'

export interface Limitation {
  /** `Observation.s`. */
  readonly need: string
  /** The granted scope. */
  readonly scope: string
  /** What a resource must be, to be let through by this scope: all of it. */
  readonly only: readonly string[]
}

/** `covered`: the needs of one access; each is met by any one of its lines. */
export function describeLimits(constraint: Constraint, covered: readonly Coverage[]): readonly Limitation[] {
  const lines = covered
    .filter(({ limited, need }) => limited === true && need.type !== '*')
    .flatMap(({ need }) =>
      covering(need, constraint.door, constraint.scopes, constraint.policy).map(
        ({ scope, limit }): Limitation => ({
          need: `${need.type}.${[...need.permissions].join('|')}`,
          scope: scope.granted,
          only: limit === undefined ? [] : describe(limit, scope),
        }),
      ),
    )
  return lines.filter((one, i) => lines.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === i)
}

function describe({ patients, clauses }: TypeLimit, { limit }: HeldScope): readonly string[] {
  const whose = patients ?? []
  const shared = patients === undefined && limit?.patients !== undefined ? ['a type that names no patient'] : []
  const named = whose.length === 0 ? [] : [`in the record of ${whose.map((id) => `Patient/${id}`).join(' or ')}`]
  return [...named, ...shared, ...clauses.map(({ parameter, value }) => `${parameter.code}=${value}`)]
}

/** Why the filter of a scope makes it grant nothing; undefined for a scope that may grant something. */
export function unreadableFilter(granted: string, { definitions }: FhirPolicy): string | undefined {
  const scope = parseScope(granted)
  if (scope === undefined || scope.filters.length === 0 || scope.type === '*') return undefined
  for (const { name, value } of scope.filters) {
    const parameter = definitions.searchParameter(scope.type, name)
    if (parameter === undefined) return `${scope.type} has no search parameter ${name}`
    if (!isEvaluable(parameter)) return `${name} cannot be checked on ${scope.type} itself`
    if (parseAtoms(parameter.kind, value) === undefined) return `the value of ${name} cannot be read`
  }
  return undefined
}
