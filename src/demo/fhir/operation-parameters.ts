// What an operation is called with: the query of a GET, the Parameters resource or the form of a POST.

import { type FhirRequest, formAndQuery } from './exchange.ts'
import { badRequest } from './fhir-error.ts'
import { asArray, isObject, isResource, type Resource } from './resource.ts'
import type { QueryParameter } from './search-query.ts'

/** Primitive parameters, and references as `Type/id`. */
export function primitiveParameters(request: FhirRequest): QueryParameter[] {
  if (request.method !== 'POST' || request.header('content-type')?.startsWith('application/x-www-form-urlencoded')) {
    return formAndQuery(request)
  }
  const body = request.body.raw.length === 0 ? request.body.json() : parametersIn(request)
  const given: QueryParameter[] = [...request.query]
  for (const part of isObject(body) ? asArray(body['parameter']) : []) {
    if (!isObject(part) || typeof part['name'] !== 'string') continue
    const value = Object.entries(part).find(([key]) => key.startsWith('value'))?.[1]
    if (isObject(value)) given.push([part['name'], String(value['reference'] ?? '')])
    else if (value !== undefined) given.push([part['name'], String(value)])
  }
  return given
}

function parametersIn(request: FhirRequest): Resource {
  const body = request.body.json()
  if (!isResource(body) || body.resourceType !== 'Parameters')
    throw badRequest('the body of an operation is a Parameters resource')
  return body
}

/** The resource parameter of that name, or the body itself when it is no Parameters. */
export function resourceParameter(request: FhirRequest, name: string): unknown {
  const body = request.body.json()
  if (!isResource(body) || body.resourceType !== 'Parameters') return body
  const part = asArray(body['parameter']).find((candidate) => isObject(candidate) && candidate['name'] === name)
  return isObject(part) ? part['resource'] : undefined
}
