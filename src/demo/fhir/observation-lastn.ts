// Observation/$lastn: the newest `max` Observations (default one) of each code among those that a search finds.

import { jsonAnswer } from './answers.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import { clauseContext, type FhirContext } from './fhir-context.ts'
import { badRequest } from './fhir-error.ts'
import { primitiveParameters } from './operation-parameters.ts'
import { preferencesOf } from './preferences.ts'
import { runSearch } from './search.ts'
import { findParameter } from './search-parameters.ts'
import { readSearchQuery } from './search-query.ts'
import { type TokenValue, valuesOf } from './search-values.ts'
import type { StoredVersion } from './stored-version.ts'

const CODE = findParameter('Observation', 'code')!

export function observationLastN(request: FhirRequest, context: FhirContext): FhirAnswer {
  const parameters = primitiveParameters(request)
  const max = Number(parameters.find(([name]) => name === 'max')?.[1] ?? 1)
  if (!Number.isSafeInteger(max) || max < 1) throw badRequest('max takes a whole number from 1', 'value')
  const query = readSearchQuery([
    ...parameters.filter(([name]) => name !== 'max' && name !== '_sort'),
    ['_sort', '-date'],
  ])
  const options = { strict: preferencesOf(request).strict }
  const { matches, used } = runSearch(['Observation'], query, options, clauseContext(context, request))
  const taken = new Map<string, number>()
  const versions = matches.filter((version) => {
    const code = codeOf(version)
    const before = taken.get(code) ?? 0
    taken.set(code, before + 1)
    return before < max
  })
  const text = used.map(([name, value]) => `&${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('')
  const set = {
    bundleType: 'searchset' as const,
    versions,
    self: `/Observation/$lastn?max=${max}${text}`,
    total: versions.length,
    includes: query,
    subset: query,
  }
  const size = Math.min(query.count || context.settings.pageSize, context.settings.largestPage)
  return jsonAnswer(200, context.pages.print(set, 0, size, request.base))
}

function codeOf(version: StoredVersion): string {
  const [first] = valuesOf(version, CODE) as readonly TokenValue[]
  return first === undefined ? '' : `${first.system ?? ''}|${first.code ?? first.text}`
}
