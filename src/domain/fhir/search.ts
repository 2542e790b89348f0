// A search as FHIR means it, read alike from GET, POST `_search`, compartment URLs, conditional URLs and bundle entries: its
// parameters, the types that a system search names, and every other type that it reaches (R4 search §3.1.1).

import type { Parameter } from '../http/request-target.ts'
import { type Refusal, refuse } from '../refusal.ts'
import { choosesResources, commonSpelling } from './common-parameters.ts'
import type { Definitions } from './definitions.ts'
import { type Reach, reachesOf } from './search-reach.ts'

export interface Search {
  /** The caller's parameters in order, without those that have no value (servers ignore them; R4 search §3.1.1.3). */
  readonly parameters: readonly Parameter[]
  /** Without repeats. */
  readonly reaches: readonly Reach[]
  /** Every type that a `_type` of a system search names; undefined when the search does not name types. */
  readonly types?: readonly string[]
}

/** `type` is the searched type, or `*` for a system search or a compartment search on every type. */
export function parseSearch(given: readonly Parameter[], type: string, definitions: Definitions): Search | Refusal {
  const parameters = given.filter(({ value }) => value !== '')
  const reaches: Reach[] = []
  let types: Set<string> | undefined
  for (const { name, value } of parameters) {
    const base = baseName(name)
    const misspelt = misspelling(base, type, definitions)
    if (misspelt !== undefined) {
      return refuse('target-ambiguous', `Parameter names are case-sensitive: write ${misspelt}.`)
    }
    if (name === '_type' && type === '*') {
      // Repeated `_type` ought to be an AND, but a server may take the first, the last or all: every named type is decided.
      types ??= new Set()
      for (const one of value.split(',')) types.add(one)
    } else reaches.push(...reachesOf({ name, base, value }, type, definitions))
  }
  if (types !== undefined && ![...types].every((one) => definitions.isResourceType(one)))
    return refuse('interaction-unknown', '_type names a type that this FHIR version does not define.', { status: 400 })
  const search = { parameters, reaches: withoutRepeats(reaches) }
  return types === undefined ? search : { ...search, types: [...types] }
}

/** Whether the search has a criterion at all: without one it is every resource of the type. */
export function hasCriterion(search: Search): boolean {
  return search.parameters.some(({ name }) => choosesResources(baseName(name)))
}

/** The name up to its modifier or chain: `subject` of `subject:Patient.name`. */
export function baseName(name: string): string {
  const end = name.search(/[:.]/)
  return end < 0 ? name : name.slice(0, end)
}

// Servers need not enforce the case of names (R4 search §3.1.1.6), so `_INCLUDE` may be honoured behind us.
function misspelling(base: string, type: string, definitions: Definitions): string | undefined {
  const known = commonSpelling(base)
  if (known !== undefined) return known === base ? undefined : known
  const lower = base.toLowerCase()
  if (lower === base || definitions.searchParameter(type, base) !== undefined) return undefined
  return definitions.searchParameter(type, lower) === undefined ? undefined : lower
}

// One of each is enough; hundreds of parameters may reach the same type.
function withoutRepeats(reaches: readonly Reach[]): readonly Reach[] {
  if (reaches.length < 2) return reaches
  const unique = new Map<string, Reach>()
  for (const reach of reaches) {
    const key = `${reach.kind} ${reach.type} ${reach.named}`
    if (!unique.has(key)) unique.set(key, reach)
  }
  return [...unique.values()]
}
