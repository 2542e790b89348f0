// Patient/$match, simply: an identifier in common is certain, the same family name with the same birth date probable.

import { jsonAnswer } from './answers.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { badRequest } from './fhir-error.ts'
import { primitiveParameters, resourceParameter } from './operation-parameters.ts'
import { isResource } from './resource.ts'
import { findParameter } from './search-parameters.ts'
import { readValues, type StringValue, type TokenValue, valuesOf } from './search-values.ts'

const IDENTIFIER = findParameter('Patient', 'identifier')!
const FAMILY = findParameter('Patient', 'family')!

export function patientMatch(request: FhirRequest, context: FhirContext): FhirAnswer {
  const wanted = resourceParameter(request, 'resource')
  if (!isResource(wanted) || wanted.resourceType !== 'Patient')
    throw badRequest('$match takes a Patient as `resource`', 'required')
  const parameters = primitiveParameters(request)
  const onlyCertain = parameters.some(([name, value]) => name === 'onlyCertainMatches' && value === 'true')
  const count = Number(parameters.find(([name]) => name === 'count')?.[1] ?? context.settings.pageSize)
  const identifiers = new Set((readValues(wanted, IDENTIFIER) as TokenValue[]).map(printToken))
  const families = new Set((readValues(wanted, FAMILY) as StringValue[]).map(({ folded }) => folded))
  const entry = []
  for (const version of context.store.all('Patient')) {
    const certain = (valuesOf(version, IDENTIFIER) as TokenValue[]).some((value) => identifiers.has(printToken(value)))
    const probable =
      wanted['birthDate'] !== undefined &&
      wanted['birthDate'] === version.resource['birthDate'] &&
      (valuesOf(version, FAMILY) as StringValue[]).some(({ folded }) => families.has(folded))
    if (!certain && (onlyCertain || !probable)) continue
    entry.push({
      fullUrl: `${request.base}/${version.key}`,
      resource: version.resource,
      search: { ...grade(certain), mode: 'match', score: certain ? 1 : 0.8 },
    })
  }
  entry.sort((a, b) => b.search.score - a.search.score)
  const kept = entry.slice(0, count)
  return jsonAnswer(200, { resourceType: 'Bundle', type: 'searchset', total: kept.length, entry: kept })
}

function grade(certain: boolean): object {
  const url = 'http://hl7.org/fhir/StructureDefinition/match-grade'
  return { extension: [{ url, valueCode: certain ? 'certain' : 'probable' }] }
}

function printToken({ system, code }: TokenValue): string {
  return `${system ?? ''}|${code ?? ''}`
}
