// Finds the route of a request: the one with the longest literal prefix of whole path segments; default deny (contract §3).
// The table holds compiled entries only; it is built once for each configuration.

import type { RequestTarget } from './http/request-target.ts'
import { type Refusal, refuse } from './refusal.ts'

/** One line of the table: a FHIR endpoint takes every method and every path below it. */
export interface TableEntry<Route> {
  readonly route: Route
  /** Undefined: every method. */
  readonly method?: string
  /** Literal segments; `{name}` stands for one segment; a last `*` for any rest, an empty one included. */
  readonly template: readonly string[]
  /** A FHIR endpoint: the template is its base, and everything below belongs to it. */
  readonly base: boolean
}

export interface RouteTable<Route> {
  find(method: string, target: RequestTarget): TableEntry<Route> | Refusal
}

interface Compiled<Route> extends TableEntry<Route> {
  /** Number of literal segments before the first variable one. */
  readonly literal: number
}

export function compileRouteTable<Route>(entries: readonly TableEntry<Route>[]): RouteTable<Route> {
  const compiled = entries
    .map((entry): Compiled<Route> => ({ ...entry, literal: literalPrefix(entry.template) }))
    .sort((a, b) => b.literal - a.literal)
  const byFirst = Map.groupBy(compiled, ({ template, literal }) => (literal === 0 ? '' : template[0]!))
  return {
    find: (method, target) => {
      const first = byFirst.get(target.segments[0] ?? '') ?? []
      const found = pick(first, method, target) ?? pick(byFirst.get('') ?? [], method, target)
      if (found !== undefined) return found
      return unknown([...first, ...(byFirst.get('') ?? [])].filter((entry) => matches(entry, target)))
    },
  }
}

function pick<Route>(
  candidates: readonly Compiled<Route>[],
  method: string,
  target: RequestTarget,
): Compiled<Route> | undefined {
  return candidates.find((entry) => takes(entry, method) && matches(entry, target))
}

// What may be read may be asked for by HEAD (RFC 9110 §9.3.2).
function takes<Route>(entry: TableEntry<Route>, method: string): boolean {
  return entry.method === undefined || entry.method === method || (method === 'HEAD' && entry.method === 'GET')
}

function matches<Route>({ template, base }: TableEntry<Route>, { segments, path }: RequestTarget): boolean {
  if (base) return template.length <= segments.length && template.every((segment, index) => segment === segments[index])
  const open = template.at(-1) === '*'
  const fixed = open ? template.length - 1 : template.length
  if (open ? segments.length < fixed : segments.length !== fixed) return false
  // A path with a trailing slash is another path, but a wildcard takes it.
  if (!open && path.length > 1 && path.endsWith('/')) return false
  for (let index = 0; index < fixed; index++) {
    const segment = template[index]!
    if (segment !== segments[index] && !isVariable(segment)) return false
  }
  return true
}

function unknown<Route>(other: readonly Compiled<Route>[]): Refusal {
  if (other.length === 0) return refuse('route-unknown', 'No route of this gateway has this path.')
  const methods = other.flatMap(({ method = '' }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]))
  const allow = [...new Set(methods)].sort()
  return refuse('interaction-unknown', `This path does not take this method. Allowed: ${allow.join(', ')}.`, { allow })
}

function literalPrefix(template: readonly string[]): number {
  const variable = template.findIndex((segment) => segment === '*' || isVariable(segment))
  return variable < 0 ? template.length : variable
}

// `{name}` and nothing around it: `{id}.json` is no variable, so it matches only itself.
function isVariable(segment: string): boolean {
  return segment.startsWith('{') && segment.endsWith('}')
}
