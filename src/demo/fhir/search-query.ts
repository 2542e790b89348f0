// A search as the client wrote it, read into clauses (what must hold) and result parameters (how to answer).
// Nothing is evaluated here; parameters without a value are left out, as R4 search §3.1.1.3 wants.

import { badRequest } from './fhir-error.ts'
import { RESOURCE_TYPES } from './resource-types.ts'

export type QueryParameter = readonly [name: string, value: string]

export interface IncludeDirective {
  readonly source: string
  /** A parameter name, or `*`. */
  readonly parameter: string
  readonly target: string | undefined
  readonly iterate: boolean
}

export interface SearchQuery {
  readonly clauses: readonly QueryParameter[]
  readonly types: readonly string[] | undefined
  readonly sort: readonly { readonly name: string; readonly descending: boolean }[]
  readonly count: number | undefined
  readonly summary: string | undefined
  readonly elements: readonly string[] | undefined
  readonly total: string | undefined
  readonly include: readonly IncludeDirective[]
  readonly revinclude: readonly IncludeDirective[]
  /** Result parameters as they were written, for the self link. */
  readonly results: readonly QueryParameter[]
}

const SUMMARIES = new Set(['true', 'false', 'text', 'data', 'count'])
const TOTALS = new Set(['none', 'estimate', 'accurate'])

export function readSearchQuery(parameters: readonly QueryParameter[]): SearchQuery {
  const clauses: QueryParameter[] = []
  const results: QueryParameter[] = []
  const include: IncludeDirective[] = []
  const revinclude: IncludeDirective[] = []
  let types: string[] | undefined
  let sort: SearchQuery['sort'] = []
  let count: number | undefined
  let summary: string | undefined
  let elements: string[] | undefined
  let total: string | undefined

  for (const [name, value] of parameters) {
    if (value === '') continue
    const [base, modifier] = name.split(':', 2) as [string, string | undefined]
    switch (base) {
      case '_include':
        include.push(readInclude(name, value, modifier))
        break
      case '_revinclude':
        revinclude.push(readInclude(name, value, modifier))
        break
      case '_sort':
        sort = value.split(',').map((key) => ({ name: key.replace(/^-/, ''), descending: key.startsWith('-') }))
        break
      case '_count':
        if (!/^\d{1,9}$/.test(value)) throw badRequest('_count takes a whole number', 'value')
        count = Number(value)
        break
      case '_summary':
        if (!SUMMARIES.has(value)) throw badRequest('_summary takes true, false, text, data or count', 'value')
        summary = value
        break
      case '_elements':
        elements = [...(elements ?? []), ...value.split(',').map((element) => element.trim())]
        break
      case '_total':
        if (!TOTALS.has(value)) throw badRequest('_total takes none, estimate or accurate', 'value')
        total = value
        break
      case '_type':
        types = value.split(',')
        for (const type of types) {
          if (!RESOURCE_TYPES.has(type))
            throw badRequest(`_type names "${type}", which is not a resource type`, 'value')
        }
        break
      case '_contained':
        if (value !== 'false') throw badRequest('contained resources are not searched', 'not-supported')
        break
      case '_filter':
      case '_query':
        throw badRequest(`${base} is not supported`, 'not-supported')
      case '_format':
      case '_pretty':
        break
      default:
        clauses.push([name, value])
        continue
    }
    results.push([name, value])
  }
  return { clauses, types, sort, count, summary, elements, total, include, revinclude, results }
}

function readInclude(name: string, value: string, modifier: string | undefined): IncludeDirective {
  if (modifier !== undefined && modifier !== 'iterate' && modifier !== 'recurse') {
    throw badRequest(`the modifier :${modifier} is not supported for ${name}`, 'not-supported')
  }
  const iterate = modifier !== undefined
  if (value === '*') return { source: '*', parameter: '*', target: undefined, iterate }
  const [source, parameter, target] = value.split(':')
  if (!source || !parameter) throw badRequest(`${name} takes Type:parameter or Type:parameter:Target`, 'value')
  return { source, parameter, target: target || undefined, iterate }
}
