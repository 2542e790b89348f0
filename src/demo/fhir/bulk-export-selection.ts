// What of the exportable resources an export holds: `_type`, `_since`, and `_typeFilter`, whose repetitions for one type
// are alternatives (Bulk Data, _typeFilter).

import { dateRange } from './date-range.ts'
import type { FhirRequest } from './exchange.ts'
import { clauseContext, type FhirContext } from './fhir-context.ts'
import { badRequest } from './fhir-error.ts'
import { RESOURCE_TYPES } from './resource-types.ts'
import { compileClause, type ResourceTest } from './search-clause.ts'
import { type QueryParameter, readSearchQuery } from './search-query.ts'
import type { StoredVersion } from './stored-version.ts'

export function selectForExport(
  all: readonly StoredVersion[],
  parameters: readonly QueryParameter[],
  request: FhirRequest,
  context: FhirContext,
): StoredVersion[] {
  const types = parameters.filter(([name]) => name === '_type').flatMap(([, value]) => value.split(','))
  for (const type of types) if (!RESOURCE_TYPES.has(type)) throw badRequest(`_type names "${type}"`, 'value')
  const since = parameters.find(([name]) => name === '_since')?.[1]
  const from = since === undefined ? undefined : dateRange(since.replace(' ', '+'))
  if (since !== undefined && from === undefined) throw badRequest('_since takes an instant', 'value')
  const filters = typeFilters(parameters, request, context)
  return all.filter((version) => {
    if (types.length > 0 && !types.includes(version.type)) return false
    if (from !== undefined && version.updatedAt < from.start) return false
    return filters.get(version.type)?.some((test) => test(version)) ?? true
  })
}

function typeFilters(
  parameters: readonly QueryParameter[],
  request: FhirRequest,
  context: FhirContext,
): Map<string, ResourceTest[]> {
  const filters = new Map<string, ResourceTest[]>()
  for (const [name, value] of parameters) {
    if (name !== '_typeFilter') continue
    const [type, query] = splitAtFirst(value, '?')
    if (!RESOURCE_TYPES.has(type) || query === undefined)
      throw badRequest('_typeFilter takes Type?parameter=value', 'value')
    const tests = readSearchQuery([...new URLSearchParams(query)]).clauses.map(([parameter, text]) => {
      const clause = compileClause(type, parameter, text, clauseContext(context, request))
      if (clause === undefined) throw badRequest(`_typeFilter: ${type} has no parameter ${parameter}`, 'not-supported')
      return clause.test
    })
    filters.set(type, [...(filters.get(type) ?? []), (version) => tests.every((test) => test(version))])
  }
  return filters
}

function splitAtFirst(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]
}
