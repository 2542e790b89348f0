// create, update, patch and delete, plain and conditional, with `If-Match`, `If-None-Match` and `If-None-Exist`.

import { deleteAnswer, writeAnswer } from './answers.ts'
import { binaryIn } from './binary-body.ts'
import { type FhirAnswer, type FhirRequest, resourceIn } from './exchange.ts'
import { clauseContext, type FhirContext } from './fhir-context.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import { applyJsonPatch, patchIn } from './json-patch.ts'
import { relativeReferences } from './own-references.ts'
import { isResource, type Resource } from './resource.ts'
import { isId, TRANSIENT_TYPES } from './resource-types.ts'
import { runSearch } from './search.ts'
import { type QueryParameter, readSearchQuery } from './search-query.ts'
import type { StoredVersion } from './stored-version.ts'

/** Resources that the criteria of a conditional interaction find; unknown criteria are an error, never "all". */
export function findConditional(
  type: string,
  parameters: readonly QueryParameter[],
  request: FhirRequest,
  context: FhirContext,
): readonly StoredVersion[] {
  const query = readSearchQuery(parameters)
  if (query.clauses.length === 0) throw badRequest('a conditional interaction needs search criteria', 'required')
  return runSearch([type], query, { strict: true }, clauseContext(context, request)).matches
}

function onlyMatch(type: string, found: readonly StoredVersion[]): StoredVersion | undefined {
  if (found.length <= 1) return found[0]
  throw new FhirError(412, 'multiple-matches', `the criteria match ${found.length} resources of type ${type}`)
}

/** `id` is given by a transaction that has promised it to other entries. */
export function create(type: string, request: FhirRequest, context: FhirContext, id?: string): FhirAnswer {
  if (TRANSIENT_TYPES.has(type)) throw badRequest(`${type} is not stored`, 'not-supported')
  const resource = type === 'Binary' ? binaryIn(request) : resourceIn(request, type)
  const criteria = request.header('if-none-exist')
  if (criteria !== undefined) {
    const parameters = [...new URLSearchParams(criteria.replace(/^[^?]*\?/, ''))]
    const match = onlyMatch(type, findConditional(type, parameters, request, context))
    if (match !== undefined) return writeAnswer(200, match, request)
  }
  return store(type, id ?? context.store.newId(type), resource, 'POST', request, context)
}

export function update(type: string, id: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  if (!isId(id)) throw badRequest(`"${id}" is not a FHIR id`, 'value')
  const resource = type === 'Binary' ? binaryIn(request, id) : resourceIn(request, type)
  if (resource.id !== id) throw badRequest(`the body's id must be "${id}", as in the address`)
  checkPreconditions(context.store.current(type, id), request)
  return store(type, id, resource, 'PUT', request, context)
}

export function conditionalUpdate(type: string, request: FhirRequest, context: FhirContext, id?: string): FhirAnswer {
  const resource = resourceIn(request, type)
  const match = onlyMatch(type, findConditional(type, request.query, request, context))
  if (match === undefined) {
    if (resource.id === undefined)
      return store(type, id ?? context.store.newId(type), resource, 'POST', request, context)
    return update(type, resource.id, request, context)
  }
  if (resource.id !== undefined && resource.id !== match.id) throw badRequest("the body's id is not that of the match")
  checkPreconditions(match, request)
  return store(type, match.id, resource, 'PUT', request, context)
}

export function patch(type: string, id: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  const current = existing(type, id, context)
  checkPreconditions(current, request)
  const patched: unknown = applyJsonPatch(current.resource, patchIn(request))
  if (!isResource(patched) || patched.resourceType !== type || patched.id !== id) {
    throw new FhirError(422, 'invalid', 'a patch must leave resourceType and id as they are')
  }
  return store(type, id, patched, 'PATCH', request, context)
}

export function conditionalPatch(type: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  const match = onlyMatch(type, findConditional(type, request.query, request, context))
  if (match === undefined) throw new FhirError(404, 'not-found', `the criteria match no ${type}`)
  return patch(type, match.id, request, context)
}

/** Deleting what is not there succeeds too (R4 http §3.1.0.7). */
export function remove(type: string, id: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  checkPreconditions(context.store.current(type, id), request)
  const deleted = context.store.remove(type, id)
  return deleteAnswer(deleted === undefined ? [] : [deleted], request)
}

export function conditionalDelete(type: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  const found = findConditional(type, request.query, request, context)
  if (context.settings.conditionalDelete === 'single') onlyMatch(type, found)
  return deleteAnswer(
    found.flatMap(({ id }) => context.store.remove(type, id) ?? []),
    request,
  )
}

function store(
  type: string,
  id: string,
  resource: Resource,
  method: 'POST' | 'PUT' | 'PATCH',
  request: FhirRequest,
  context: FhirContext,
): FhirAnswer {
  const existed = context.store.current(type, id) !== undefined
  const version = context.store.write(type, id, relativeReferences(resource, request.base), method)
  return writeAnswer(existed ? 200 : 201, version, request)
}

function existing(type: string, id: string, { store }: FhirContext): StoredVersion {
  const newest = store.newest(type, id)
  if (newest === undefined) throw new FhirError(404, 'not-found', `${type}/${id} is not known`)
  if (newest.deleted) throw new FhirError(410, 'deleted', `${type}/${id} was deleted`)
  return newest
}

function checkPreconditions(current: StoredVersion | undefined, request: FhirRequest): void {
  const wanted = request.header('if-match')
  if (wanted !== undefined && wanted !== '*' && wanted !== current?.etag) {
    const now = current === undefined ? 'there is none' : `it is ${current.etag}`
    throw new FhirError(412, 'conflict', `If-Match asks for ${wanted}, but ${now}`)
  }
  if (request.header('if-none-match') === '*' && current !== undefined) {
    throw new FhirError(412, 'conflict', `${current.key} exists already`)
  }
}
