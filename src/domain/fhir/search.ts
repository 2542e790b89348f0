// A search as FHIR means it: which parameters it has, and which *other* resource types it looks at on the way. Chains, `_has`,
// includes, `_sort` on chains, `_list`, `_contained`, `_filter` and `_query` reach beyond the searched type, and each reach is
// named here once, for GET, POST `_search`, compartment URLs, conditional URLs and bundle entries alike (R4 search §3.1.1.4–6).

import type { Parameter } from '../http/request-target.ts'
import { type Refusal, refuse } from '../refusal.ts'
import type { Definitions } from './definitions.ts'

/** `probe`: the value of other resources decides what matches. `include`: other resources come along in the answer. */
export interface Reach {
  readonly kind: 'probe' | 'include' | 'revinclude'
  /** A resource type, or `*` where it cannot be told. */
  readonly type: string
  /** The parameter as the client named it, without its value. */
  readonly parameter: string
  /** Whether the client named the type, so that leaving it out would change what was asked. */
  readonly named: boolean
}

export interface Search {
  /** The caller's parameters in order, without those that have no value (servers ignore them; R4 search §3.1.1.3). */
  readonly parameters: readonly Parameter[]
  readonly reaches: readonly Reach[]
  /** `_type` of a system search; undefined when the search does not name types. */
  readonly types?: readonly string[]
}

/** Parameters that steer a search or its answer and look at nothing but the searched type. */
const HARMLESS = new Set([
  '_id',
  '_lastUpdated',
  '_tag',
  '_profile',
  '_security',
  '_source',
  '_text',
  '_content',
  '_language',
  '_count',
  '_offset',
  '_total',
  '_summary',
  '_elements',
  '_score',
  '_format',
  '_pretty',
  '_maxresults',
])
const STEERING = [
  '_include',
  '_revinclude',
  '_has',
  '_sort',
  '_contained',
  '_containedType',
  '_filter',
  '_query',
  '_list',
  '_type',
]
const LOWER_CASE_NAMES = new Map([...HARMLESS, ...STEERING].map((name) => [name.toLowerCase(), name]))

/** `type` is the searched type, or `*` for a system search or a compartment search on every type. */
export function parseSearch(given: readonly Parameter[], type: string, definitions: Definitions): Search | Refusal {
  const parameters = given.filter(({ value }) => value !== '')
  const reaches: Reach[] = []
  let types: string[] | undefined
  for (const { name, value } of parameters) {
    const base = baseName(name)
    const misspelt = misspelling(base, type, definitions)
    if (misspelt !== undefined) {
      return refuse('target-ambiguous', `Parameter names are case-sensitive: write ${misspelt}.`)
    }
    if (name === '_type' && type === '*') types = intersect(types, value.split(','))
    else reaches.push(...reachesOf(name, base, value, type, definitions))
  }
  const unknown = types?.find((name) => !definitions.isResourceType(name))
  if (unknown !== undefined)
    return refuse('interaction-unknown', '_type names a type that this FHIR version does not define.', { status: 400 })
  return types === undefined ? { parameters, reaches } : { parameters, reaches, types }
}

/** The name up to its modifier or chain: `subject` of `subject:Patient.name`. */
export function baseName(name: string): string {
  const end = name.search(/[:.]/)
  return end < 0 ? name : name.slice(0, end)
}

// Servers need not enforce the case of names (R4 search §3.1.1.6), so `_INCLUDE` may be honoured behind us.
function misspelling(base: string, type: string, definitions: Definitions): string | undefined {
  const known = LOWER_CASE_NAMES.get(base.toLowerCase())
  if (known !== undefined) return known === base ? undefined : known
  const lower = base.toLowerCase()
  if (lower === base || definitions.searchParameter(type, base) !== undefined) return undefined
  return definitions.searchParameter(type, lower) === undefined ? undefined : lower
}

function reachesOf(name: string, base: string, value: string, type: string, definitions: Definitions): Reach[] {
  if (base === '_has') return hasReaches(name, name, definitions)
  if (base === '_include') return includeReaches(name, value, type, definitions)
  if (base === '_revinclude') return [revincludeReach(name, value)]
  if (base === '_sort')
    return value.split(',').flatMap((key) => chainReaches(key.replace(/^-/, ''), type, '_sort', definitions))
  if (base === '_list') return [probe('List', '_list')]
  if (base === '_contained') return value === 'false' ? [] : [probe('*', '_contained')]
  if (base === '_containedType') return []
  // Arbitrary expressions, and names that a server may give any meaning to (page cookies among them).
  if (base.startsWith('_') && !(HARMLESS.has(base) && name.indexOf('.') < 0)) return [probe('*', base)]
  return chainReaches(name, type, name, definitions)
}

/** `a.b`, `a:T.b`, `a.b:U.c` …: every type that a reference on the way may point to (R4 search §3.1.1.4.13). */
function chainReaches(name: string, type: string, parameter: string, definitions: Definitions): Reach[] {
  const dot = name.indexOf('.')
  if (dot < 0) return []
  const rest = name.slice(dot + 1)
  const link = name.slice(0, dot)
  return targetsOf(link, type, definitions).flatMap((target) => [
    probe(target, parameter),
    ...(rest.startsWith('_has:')
      ? hasReaches(rest, parameter, definitions)
      : chainReaches(rest, target, parameter, definitions)),
  ])
}

/** `_has:T:ref:param`, nestable (R4 search §3.1.1.4.14). A shape that is not this one may mean anything. */
function hasReaches(name: string, parameter: string, definitions: Definitions): Reach[] {
  const [, type, reference, ...rest] = name.split(':')
  const inner = rest.join(':')
  if (type === undefined || !reference || inner === '' || !definitions.isResourceType(type)) return [probe('*', '_has')]
  const further = inner.startsWith('_has:')
    ? hasReaches(inner, parameter, definitions)
    : chainReaches(inner, type, parameter, definitions)
  return [probe(type, parameter), ...further]
}

/** `Source:param[:Target]`, `Source:*`, `*` (R4 search §3.1.1.5.4). */
function includeReaches(name: string, value: string, type: string, definitions: Definitions): Reach[] {
  const [source = '', code = '', target] = value.split(':')
  const include = (included: string, named: boolean): Reach => ({
    kind: 'include',
    type: included,
    parameter: name,
    named,
  })
  if (target) return [include(definitions.isResourceType(target) ? target : '*', true)]
  if (source === '*' || code === '' || code === '*') return [include('*', false)]
  const targets = definitions.searchParameter(definitions.isResourceType(source) ? source : type, code)?.targets
  if (targets === undefined || targets.length === 0) return [include('*', false)]
  return targets.map((one) => include(one, targets.length === 1))
}

function revincludeReach(name: string, value: string): Reach {
  const source = value.split(':', 1)[0]!
  return { kind: 'revinclude', type: source, parameter: name, named: source !== '*' }
}

function targetsOf(link: string, type: string, definitions: Definitions): readonly string[] {
  const [code, modifier] = link.split(':', 2) as [string, string | undefined]
  if (modifier !== undefined) return definitions.isResourceType(modifier) ? [modifier] : ['*']
  const targets = definitions.searchParameter(type, code)?.targets
  return targets === undefined || targets.length === 0 ? ['*'] : targets
}

function probe(type: string, parameter: string): Reach {
  return { kind: 'probe', type, parameter, named: true }
}

// Repeated `_type` is an AND, so only types named every time remain.
function intersect(before: string[] | undefined, now: string[]): string[] {
  return before === undefined ? now : before.filter((type) => now.includes(type))
}
