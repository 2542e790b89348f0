// The address and method of a request, mapped to the interaction that answers it (R4 http §3.1.0).

import { jsonAnswer } from './answers.ts'
import { exportFile, exportStatus } from './bulk-export-interaction.ts'
import { processBundle } from './bundle.ts'
import { capabilityStatement } from './capability-statement.ts'
import { checkFormat, type FhirAnswer, type FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import { history } from './history.ts'
import { runOperation } from './operations.ts'
import { read, vread } from './read.ts'
import { RESOURCE_TYPES } from './resource-types.ts'
import { compartmentOf, furtherPage, search } from './search-interaction.ts'
import { conditionalDelete, conditionalPatch, conditionalUpdate, create, patch, remove, update } from './write.ts'

/** Answers one request. A transaction gives `id`, which it has promised to its other entries for this create. */
export function interact(request: FhirRequest, context: FhirContext, id?: string): FhirAnswer {
  const { segments } = request
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const last = segments.at(-1)
  if (segments[0] === '_export') return bulk(method, segments, context)
  if (!(method === 'GET' && segments[0] === 'Binary')) checkFormat(request)
  if (last?.startsWith('$')) return runOperation(method, segments, request, context)
  const [first, second, third, fourth] = segments
  if (first === undefined || first === '_search' || first === '_history' || first === 'metadata') {
    return system(method, segments, request, context)
  }
  if (!RESOURCE_TYPES.has(first)) throw new FhirError(404, 'not-supported', `"${first}" is not a resource type`)
  switch (segments.length) {
    case 1:
      return onType(method, first, request, context, id)
    case 2:
      if (second === '_search') return search({ type: first }, allow(method, ['POST'], request), context)
      if (second === '_history') return history({ type: first }, allow(method, ['GET'], request), context)
      return onInstance(method, first, second!, request, context)
    case 3:
      if (third === '_history') return history({ type: first, id: second! }, allow(method, ['GET'], request), context)
      if (third === '_search')
        return searchCompartment(first, second!, undefined, allow(method, ['POST'], request), context)
      return searchCompartment(first, second!, third!, allow(method, ['GET'], request), context)
    case 4:
      if (third === '_history') return vread(first, second!, fourth!, allow(method, ['GET'], request), context)
      if (fourth !== '_search') break
      return searchCompartment(first, second!, third!, allow(method, ['POST'], request), context)
  }
  throw unknownAddress(request)
}

function system(method: string, segments: readonly string[], request: FhirRequest, context: FhirContext): FhirAnswer {
  if (segments.length > 1) throw unknownAddress(request)
  switch (segments[0]) {
    case 'metadata':
      return jsonAnswer(200, capabilityStatement(allow(method, ['GET'], request), context))
    case '_search':
      return search({ type: undefined }, allow(method, ['POST'], request), context)
    case '_history':
      return history({}, allow(method, ['GET'], request), context)
  }
  if (method === 'POST') return processBundle(request, context, interact)
  allow(method, ['GET', 'POST'], request)
  if (request.query.some(([name]) => name === '_getpages')) return furtherPage(request, context)
  return search({ type: undefined }, request, context)
}

function onType(method: string, type: string, request: FhirRequest, context: FhirContext, id?: string): FhirAnswer {
  switch (method) {
    case 'GET':
      return search({ type }, request, context)
    case 'POST':
      return create(type, request, context, id)
    case 'PUT':
      return conditionalUpdate(type, request, context, id)
    case 'PATCH':
      return conditionalPatch(type, request, context)
    case 'DELETE':
      return conditionalDelete(type, request, context)
    default:
      throw notAllowed(request)
  }
}

function onInstance(method: string, type: string, id: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  switch (method) {
    case 'GET':
      return read(type, id, request, context)
    case 'PUT':
      return update(type, id, request, context)
    case 'PATCH':
      return patch(type, id, request, context)
    case 'DELETE':
      return remove(type, id, request, context)
    default:
      throw notAllowed(request)
  }
}

function searchCompartment(
  name: string,
  id: string,
  type: string | undefined,
  request: FhirRequest,
  context: FhirContext,
): FhirAnswer {
  const compartment = compartmentOf(name, id)
  if (type === undefined || type === '*') return search({ type: undefined, compartment }, request, context)
  if (!RESOURCE_TYPES.has(type)) throw unknownAddress(request)
  return search({ type, compartment }, request, context)
}

function bulk(method: string, segments: readonly string[], context: FhirContext): FhirAnswer {
  const [, job, file] = segments
  if (job === undefined || segments.length > 3) throw badRequest('an export has a status address and files')
  return file === undefined ? exportStatus(method, job, context) : exportFile(method, job, file, context)
}

function allow(method: string, methods: readonly string[], request: FhirRequest): FhirRequest {
  if (!methods.includes(method)) throw notAllowed(request)
  return request
}

function notAllowed(request: FhirRequest): FhirError {
  return new FhirError(405, 'not-supported', `${request.method} is not supported at /${request.segments.join('/')}`)
}

function unknownAddress(request: FhirRequest): FhirError {
  return new FhirError(404, 'not-supported', `there is nothing at /${request.segments.join('/')}`)
}
