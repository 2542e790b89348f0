// A Binary may be written as the resource or as its bare content, whose security context then stands in a header.

import { type FhirRequest, resourceIn } from './exchange.ts'
import type { Resource } from './resource.ts'

const FHIR_BODY = /^application\/(fhir\+)?json/

export function binaryIn(request: FhirRequest, id?: string): Resource {
  const contentType = request.header('content-type') ?? 'application/octet-stream'
  if (request.body.raw.length === 0 || FHIR_BODY.test(contentType)) return resourceIn(request, 'Binary')
  const context = request.header('x-security-context')
  return {
    resourceType: 'Binary',
    ...(id === undefined ? {} : { id }),
    contentType,
    ...(context === undefined ? {} : { securityContext: { reference: context } }),
    data: request.body.raw.toString('base64'),
  }
}
