// The search interactions: of a type, of the system, of a compartment; by GET or POST; and their further pages.

import { jsonAnswer } from './answers.ts'
import { isCompartmentType, typesInCompartment } from './compartments.ts'
import { type FhirAnswer, type FhirRequest, formAndQuery } from './exchange.ts'
import { clauseContext, type FhirContext } from './fhir-context.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import type { PagedSet } from './pages.ts'
import { preferencesOf } from './preferences.ts'
import { runSearch } from './search.ts'
import { checkIncludes } from './search-includes.ts'
import { type QueryParameter, readSearchQuery, type SearchQuery } from './search-query.ts'

export interface SearchTarget {
  /** Undefined: `_type` says, or all types. */
  readonly type: string | undefined
  readonly compartment?: { readonly type: string; readonly id: string }
}

export function search(target: SearchTarget, request: FhirRequest, context: FhirContext): FhirAnswer {
  const parameters = request.method === 'POST' ? formAndQuery(request) : request.query
  const query = readSearchQuery(parameters)
  checkIncludes(query)
  const options = { strict: preferencesOf(request).strict, compartment: target.compartment }
  const { matches, used } = runSearch(typesOf(target, query, context), query, options, clauseContext(context, request))
  const set: PagedSet = {
    bundleType: 'searchset',
    versions: query.summary === 'count' || query.count === 0 ? [] : matches,
    self: selfLink(target, [...used, ...query.results]),
    total: query.total === 'none' ? undefined : matches.length,
    includes: query,
    subset: query,
  }
  return jsonAnswer(200, context.pages.print(set, 0, pageSize(query.count, context), request.base))
}

function typesOf(target: SearchTarget, query: SearchQuery, context: FhirContext): readonly string[] {
  if (target.type !== undefined) return [target.type]
  if (target.compartment !== undefined) {
    const types = typesInCompartment(target.compartment.type)
    return query.types === undefined ? types : types.filter((type) => query.types!.includes(type))
  }
  return query.types ?? context.store.types()
}

export function compartmentOf(type: string, id: string): { type: string; id: string } {
  if (!isCompartmentType(type)) throw new FhirError(404, 'not-supported', `${type} is not a compartment`)
  return { type, id }
}

function pageSize(count: number | undefined, { settings }: FhirContext): number {
  return Math.min(count || settings.pageSize, settings.largestPage)
}

function selfLink({ type, compartment }: SearchTarget, parameters: readonly QueryParameter[]): string {
  const within = compartment === undefined ? '' : `/${compartment.type}/${compartment.id}`
  const path =
    compartment !== undefined && type === undefined ? `${within}/*` : `${within}${type === undefined ? '' : `/${type}`}`
  const query = parameters.map(([name, value]) => `${encodeQuery(name)}=${encodeQuery(value)}`).join('&')
  return query === '' ? path : `${path}?${query}`
}

function encodeQuery(text: string): string {
  return encodeURIComponent(text).replace(/%(2C|3A|2F|24)/g, (encoded) => decodeURIComponent(encoded))
}

/** A page that a continuation link asks for. */
export function furtherPage(request: FhirRequest, context: FhirContext): FhirAnswer {
  const value = (name: string): string => request.query.find(([key]) => key === name)?.[1] ?? ''
  const offset = Number(value('_getpagesoffset'))
  const count = Number(value('_count')) || context.settings.pageSize
  if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(count) || count < 0) {
    throw badRequest('_getpagesoffset and _count take whole numbers', 'value')
  }
  const set = context.pages.find(value('_getpages'))
  return jsonAnswer(200, context.pages.print(set, offset, Math.min(count, context.settings.largestPage), request.base))
}
