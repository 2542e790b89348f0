// Which *other* resource types a search parameter looks at on the way or brings along: chains, `_has`, includes, `_sort` on
// chains, `_list`, `_contained`, `_filter`, `_query` (R4 search §3.1.1.4–6). INVARIANT: a shape that is not known to stay inside
// the searched type reaches every type, so only a scope on every type opens it.

import { staysInside } from './common-parameters.ts'
import type { Definitions } from './definitions.ts'

/**
 * `probe`: the values of other resources decide what matches. `list`: the members of a List do. `include`, `revinclude`: other
 * resources come along in the answer.
 */
export interface Reach {
  readonly kind: 'probe' | 'list' | 'include' | 'revinclude'
  /** A resource type, or `*` where it cannot be told. */
  readonly type: string
  /** The parameter as the client named it, without its value. */
  readonly parameter: string
  /** Whether the client named the type, so that leaving it out would change what was asked. */
  readonly named: boolean
}

const HAS = /^_has:([^:]*):[^:]+:(.+)$/s
const INCLUDE = /^([A-Za-z]+):(\*|[A-Za-z][A-Za-z0-9-]*)(?::([A-Za-z]*))?$/
// Longer chains are nobody's search; they may look at anything.
const MAXIMUM_STEPS = 16
// What `:in` and `:not-in` on a reference look into (R5 search §3.2.1.5.5).
const MEMBER_LISTS = ['CareTeam', 'Group', 'List']

/** `base` is the name up to its modifier or chain; `type` is the searched type, or `*`. */
export function reachesOf(
  { name, base, value }: { readonly name: string; readonly base: string; readonly value: string },
  type: string,
  definitions: Definitions,
): readonly Reach[] {
  if (base === '_include') return includeReaches(name, value, definitions)
  if (base === '_revinclude') return [revincludeReach(name, value, definitions)]
  if (base === '_sort') {
    return value.split(',').flatMap((key) => nameReaches(key.replace(/^-/, ''), type, '_sort', definitions))
  }
  if (name === '_contained' && value === 'false') return []
  if (name === '_containedType') return []
  return nameReaches(name, type, name, definitions)
}

/**
 * What one parameter name looks at: every type that a reference on the way may point to (`a.b`, `a:T.b`; §3.1.1.4.13), every type
 * that `_has:T:ref:…` names (§3.1.1.4.14), and what its last step looks at. The types of one step are walked as one set: name by
 * name, ambiguous chains would multiply.
 */
function nameReaches(name: string, type: string, parameter: string, definitions: Definitions): readonly Reach[] {
  const probed = new Set<string>()
  let types: readonly string[] = [type]
  let rest = name
  for (let step = 0; step < MAXIMUM_STEPS; step++) {
    const dot = rest.indexOf('.')
    if (rest.startsWith('_has:')) {
      const [, source = '', inner = ''] = HAS.exec(rest) ?? []
      types = [inner !== '' && definitions.isResourceType(source) ? source : '*']
      rest = inner
    } else if (dot >= 0) {
      const link = rest.slice(0, dot)
      types = [...new Set(types.flatMap((from) => targetsOf(link, from, definitions)))]
      rest = rest.slice(dot + 1)
    } else {
      const last = lastReaches(rest, types, parameter, definitions)
      return [...[...probed].map((reached) => probe(reached, parameter)), ...last]
    }
    for (const reached of types) probed.add(reached)
  }
  return [probe('*', parameter)]
}

/** The name at the end of a chain, or one that stands alone. */
function lastReaches(
  name: string,
  types: readonly string[],
  parameter: string,
  definitions: Definitions,
): readonly Reach[] {
  const [code = '', modifier, ...more] = name.split(':')
  if (code === '_list' && more.length === 0) return [{ kind: 'list', type: 'List', parameter, named: true }]
  if ((code.startsWith('_') && !staysInside(code)) || more.length > 0) return [probe('*', parameter)]
  const looked = new Set(types.flatMap((type) => lookedAt(code, modifier, type, definitions)))
  return [...looked].map((type) => probe(type, parameter))
}

/** A modifier on a reference may walk the hierarchy of its targets, or look into lists of members. */
function lookedAt(
  code: string,
  modifier: string | undefined,
  type: string,
  definitions: Definitions,
): readonly string[] {
  const hierarchy = modifier === 'above' || modifier === 'below'
  if (!hierarchy && modifier !== 'in' && modifier !== 'not-in') return []
  if (definitions.searchParameter(type, code)?.kind !== 'reference') return []
  return hierarchy ? targetsOf(code, type, definitions) : MEMBER_LISTS
}

/** `Source:param[:Target]`; `Source:*`, `*` and every other shape may bring anything (§3.1.1.5.4). */
function includeReaches(name: string, value: string, definitions: Definitions): readonly Reach[] {
  const include = (type: string, named: boolean): Reach => ({ kind: 'include', type, parameter: name, named })
  const [, source = '', code = '', target = ''] = INCLUDE.exec(value) ?? []
  if (!definitions.isResourceType(source) || code === '*') return [include('*', false)]
  if (target !== '') return [include(definitions.isResourceType(target) ? target : '*', true)]
  const targets = targetsOf(code, source, definitions)
  return targets.map((type) => include(type, targets.length === 1 && type !== '*'))
}

function revincludeReach(name: string, value: string, definitions: Definitions): Reach {
  const source = INCLUDE.exec(value)?.[1] ?? ''
  const known = definitions.isResourceType(source)
  return { kind: 'revinclude', type: known ? source : '*', parameter: name, named: known }
}

/** Where a link of a chain may lead: the type of its modifier, else every type that the parameter may point to. */
function targetsOf(link: string, type: string, definitions: Definitions): readonly string[] {
  const [code = '', modifier, ...more] = link.split(':')
  if (more.length > 0) return ['*']
  if (modifier !== undefined) return definitions.isResourceType(modifier) ? [modifier] : ['*']
  const targets = definitions.searchParameter(type, code)?.targets
  return targets === undefined || targets.length === 0 ? ['*'] : targets
}

function probe(type: string, parameter: string): Reach {
  return { kind: 'probe', type, parameter, named: true }
}
