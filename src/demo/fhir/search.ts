// Runs a search: compiles its clauses for each type, lets the indexes propose candidates, tests them, and sorts.

import { isCompartmentType, membershipParameters } from './compartments.ts'
import { badRequest } from './fhir-error.ts'
import { type Clause, type ClauseContext, compileClause } from './search-clause.ts'
import { findParameter, type SearchParameter } from './search-parameters.ts'
import type { QueryParameter, SearchQuery } from './search-query.ts'
import { sortMatches } from './search-sort.ts'
import { type ReferenceValue, valuesOf } from './search-values.ts'
import type { StoredVersion } from './stored-version.ts'

export interface SearchOptions {
  /** Unknown parameters are an error (`Prefer: handling=strict`, and always where the search decides a write). */
  readonly strict: boolean
  /** Only what is in the compartment of this resource. */
  readonly compartment?: { readonly type: string; readonly id: string } | undefined
}

export interface SearchResult {
  readonly matches: readonly StoredVersion[]
  /** The clauses that were understood: the self link names no other. */
  readonly used: readonly QueryParameter[]
}

export function runSearch(
  types: readonly string[],
  query: SearchQuery,
  options: SearchOptions,
  context: ClauseContext,
): SearchResult {
  const compiled = types.map((type) => query.clauses.map(([name, value]) => compileClause(type, name, value, context)))
  const known = query.clauses.map((_, i) => compiled.every((clauses) => clauses[i] !== undefined))
  if (options.strict) checkKnown(types, query, known)
  const matches: StoredVersion[] = []
  for (const [i, type] of types.entries()) {
    const clauses = compiled[i]!.filter((clause, c): clause is Clause => known[c]! && clause !== undefined)
    if (options.compartment !== undefined) clauses.push(compartmentClause(type, options.compartment))
    collect(type, clauses, context, matches)
  }
  sortMatches(matches, query.sort)
  return { matches, used: query.clauses.filter((_, i) => known[i]) }
}

function collect(type: string, clauses: readonly Clause[], context: ClauseContext, into: StoredVersion[]): void {
  for (const version of candidates(type, clauses, context)) {
    if (clauses.every((clause) => clause.test(version))) into.push(version)
  }
}

/** The smallest set that any clause can name without looking at resources; all of the type when none can. */
function candidates(type: string, clauses: readonly Clause[], context: ClauseContext): Iterable<StoredVersion> {
  const { store } = context
  let best: ReadonlySet<StoredVersion> | undefined
  for (const { ids, references } of clauses) {
    if (ids !== undefined) {
      return new Set(ids.flatMap((id) => store.current(type, id) ?? []))
    }
    if (references === undefined) continue
    const sets = references.map((key) => store.references.sources(key, type))
    const proposed = sets.length === 1 ? sets[0]! : new Set(sets.flatMap((set) => [...set]))
    if (best === undefined || proposed.size < best.size) best = proposed
  }
  return best ?? store.all(type)
}

function compartmentClause(type: string, compartment: { type: string; id: string }): Clause {
  if (!isCompartmentType(compartment.type)) throw badRequest(`${compartment.type} is not a compartment`)
  const key = `${compartment.type}/${compartment.id}`
  const parameters: readonly SearchParameter[] = membershipParameters(compartment.type, type)
  const names = (version: StoredVersion): boolean =>
    parameters.some((p) => (valuesOf(version, p) as readonly ReferenceValue[]).some((value) => value.key === key))
  if (type === compartment.type) return { test: (version) => version.key === key || names(version) }
  return parameters.length === 0 ? { test: () => false, ids: [] } : { test: names, references: [key] }
}

function checkKnown(types: readonly string[], query: SearchQuery, known: readonly boolean[]): void {
  const where = types.length === 1 ? types[0] : 'these types together'
  const unknown = query.clauses.find((_, i) => !known[i])?.[0]
  if (unknown !== undefined) throw badRequest(`unknown search parameter "${unknown}" for ${where}`, 'not-supported')
  for (const { name } of query.sort) {
    if (types.every((type) => findParameter(type, name) !== undefined)) continue
    throw badRequest(`unknown sort parameter "${name}" for ${where}`, 'not-supported')
  }
}
