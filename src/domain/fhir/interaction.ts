// Names the FHIR interaction of a request from its method, path and parameters: the closed table of R4 `http.html` (R4B alike)
// and what R5 adds. A shape that is not in the table is refused, never guessed (spec §2.2–2.3). Bodies come later: a search by
// POST and a Bundle are completed by `readForm` and `bundle.ts`.

import { type Parameter, readForm } from '../http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { Definitions } from './definitions.ts'
import { hasCriterion, parseSearch, type Search } from './search.ts'

/** A compartment of one resource, as in `/Patient/1/Observation`. */
export interface Compartment {
  readonly type: string
  readonly id: string
}

/** Codes are FHIR's own `restful-interaction` codes; a `condition` makes the conditional form of it. */
export type Interaction =
  | { readonly code: 'capabilities' }
  | { readonly code: 'read' | 'history-instance'; readonly type: string; readonly id: string }
  | { readonly code: 'vread'; readonly type: string; readonly id: string; readonly versionId: string }
  | { readonly code: 'create'; readonly type: string; readonly condition?: Search }
  | {
      readonly code: 'update' | 'patch' | 'delete'
      readonly type: string
      readonly id?: string
      readonly condition?: Search
    }
  | { readonly code: 'search-type'; readonly type: string; readonly search: Search; readonly compartment?: Compartment }
  | { readonly code: 'search-system'; readonly search: Search; readonly compartment?: Compartment }
  | { readonly code: 'history-type'; readonly type: string }
  | { readonly code: 'history-system' }
  | { readonly code: 'batch' | 'transaction' }
  | { readonly code: 'operation'; readonly name: string; readonly type?: string; readonly id?: string }

export type InteractionCode = Interaction['code']

export type Write = Extract<Interaction, { code: 'create' | 'update' | 'patch' | 'delete' }>

export function isWrite(interaction: Interaction): interaction is Write {
  const { code } = interaction
  return code === 'create' || code === 'update' || code === 'patch' || code === 'delete'
}

/** A bulk export (Bulk Data Access), at whichever level. */
export function isExport(interaction: Interaction): boolean {
  return interaction.code === 'operation' && interaction.name === '$export'
}

/** The request line below the FHIR base, and the header fields that say what it means. */
export interface FhirRequestLine {
  readonly method: string
  /** Decoded segments below the base. */
  readonly segments: readonly string[]
  /** Query and, for a search by POST, form parameters, in that order: they mean the same (R4 http §search). */
  readonly parameters: readonly Parameter[]
  readonly ifNoneExist?: string | undefined
  /** As the header field says it; tells what kind of patch a body is. */
  readonly contentType?: string | undefined
}

const ID = /^[A-Za-z0-9\-.]{1,64}$/

export function isId(text: string): boolean {
  return ID.test(text) && text !== '.' && text !== '..'
}

const OPERATION = /^\$[A-Za-z][A-Za-z0-9-]*$/

/** A root POST is named `batch`; only its body tells a transaction apart. */
export function parseInteraction(request: FhirRequestLine, definitions: Definitions): Interaction | Refusal {
  const reading = request.method === 'GET' || request.method === 'HEAD'
  const interaction = shape({ ...request, method: reading ? 'GET' : request.method }, definitions)
  if (isRefusal(interaction)) return interaction
  return refuseStrayParameters(interaction, request.parameters) ?? interaction
}

/** Whether the form in the body belongs to the search (POST `…/_search`). */
export function isSearchByPost(method: string, segments: readonly string[]): boolean {
  return method === 'POST' && segments.at(-1) === '_search'
}

function shape(request: FhirRequestLine, definitions: Definitions): Interaction | Refusal {
  const { method, parameters } = request
  const byPost = isSearchByPost(method, request.segments)
  const segments = byPost ? request.segments.slice(0, -1) : request.segments
  const [first, second, third, fourth] = segments
  if (first === undefined) return atRoot(method, byPost, parameters, definitions)
  if (segments.length === 1 && !byPost && first === 'metadata') return only('GET', method, { code: 'capabilities' })
  if (segments.length === 1 && !byPost && first === '_history') return only('GET', method, { code: 'history-system' })
  if (segments.length === 1 && !byPost && OPERATION.test(first)) return operation(method, { name: first })
  if (!definitions.isResourceType(first)) return unknownShape()
  if (second === undefined) return atType(request, byPost, first, definitions)
  if (segments.length === 2 && !byPost && second === '_history')
    return only('GET', method, { code: 'history-type', type: first })
  if (segments.length === 2 && !byPost && OPERATION.test(second))
    return operation(method, { name: second, type: first })
  if (!ID.test(second)) return unknownShape()
  if (third === undefined && !byPost) return atInstance(method, first, second)
  if (segments.length === 3 && !byPost && third === '_history')
    return only('GET', method, { code: 'history-instance', type: first, id: second })
  if (segments.length === 3 && !byPost && OPERATION.test(third!))
    return operation(method, { name: third!, type: first, id: second })
  if (segments.length === 4 && !byPost && third === '_history') {
    return ID.test(fourth!)
      ? only('GET', method, { code: 'vread', type: first, id: second, versionId: fourth! })
      : unknownShape()
  }
  if (segments.length <= 3 && definitions.isCompartmentType(first)) {
    return atCompartment(method, byPost, { type: first, id: second }, third, parameters, definitions)
  }
  return unknownShape()
}

function atRoot(
  method: string,
  byPost: boolean,
  parameters: readonly Parameter[],
  definitions: Definitions,
): Interaction | Refusal {
  if (method === 'POST' && !byPost) return { code: 'batch' }
  if (method === 'GET' || byPost) return searchOf('*', parameters, definitions)
  return wrongMethod('GET, HEAD, POST')
}

function atType(
  request: FhirRequestLine,
  byPost: boolean,
  type: string,
  definitions: Definitions,
): Interaction | Refusal {
  const { method, parameters } = request
  if (method === 'GET' || byPost) return searchOf(type, parameters, definitions)
  if (method === 'POST') return create(type, request.ifNoneExist, definitions)
  if (method !== 'PUT' && method !== 'PATCH' && method !== 'DELETE')
    return wrongMethod('GET, HEAD, POST, PUT, PATCH, DELETE')
  const condition = parseSearch(parameters, type, definitions)
  if (isRefusal(condition)) return condition
  const code = method === 'PUT' ? 'update' : method === 'PATCH' ? 'patch' : 'delete'
  // Without a condition it would hit everything, or the server's idea of nothing.
  if (!hasCriterion(condition)) {
    return refuse('target-ambiguous', `A ${code} on a type needs a search condition in the URL, or an id.`)
  }
  return { code, type, condition }
}

function create(type: string, ifNoneExist: string | undefined, definitions: Definitions): Interaction | Refusal {
  if (ifNoneExist === undefined) return { code: 'create', type }
  const condition = parseCondition(ifNoneExist, type, definitions)
  return isRefusal(condition) ? condition : { code: 'create', type, condition }
}

/** `If-None-Exist` and `Bundle.entry.request.ifNoneExist`: a query string without `?` and without the type. */
export function parseCondition(text: string, type: string, definitions: Definitions): Search | Refusal {
  const form = text.includes('?') && !/^[^?]*=/.test(text) ? undefined : readForm(text)
  const condition = form && parseSearch(form, type, definitions)
  if (isRefusal(condition)) return condition
  if (condition !== undefined && hasCriterion(condition)) return condition
  return refuse(
    'header-ambiguous',
    'If-None-Exist must be the query part of a search, without "?" and without the type.',
  )
}

function atInstance(method: string, type: string, id: string): Interaction | Refusal {
  switch (method) {
    case 'GET':
      return { code: 'read', type, id }
    case 'PUT':
      return { code: 'update', type, id }
    case 'PATCH':
      return { code: 'patch', type, id }
    case 'DELETE':
      return { code: 'delete', type, id }
    default:
      return wrongMethod('GET, HEAD, PUT, PATCH, DELETE')
  }
}

function atCompartment(
  method: string,
  byPost: boolean,
  compartment: Compartment,
  type: string | undefined,
  parameters: readonly Parameter[],
  definitions: Definitions,
): Interaction | Refusal {
  if (type !== undefined && type !== '*' && !definitions.isResourceType(type)) return unknownShape()
  if (method !== 'GET' && !byPost) return wrongMethod('GET, HEAD')
  const interaction = searchOf(type ?? '*', parameters, definitions)
  return isRefusal(interaction) ? interaction : { ...interaction, compartment }
}

export type TypeSearch = Extract<Interaction, { code: 'search-type' }>
type SearchInteraction = TypeSearch | Extract<Interaction, { code: 'search-system' }>

function searchOf(
  type: string,
  parameters: readonly Parameter[],
  definitions: Definitions,
): SearchInteraction | Refusal {
  const search = parseSearch(parameters, type, definitions)
  if (isRefusal(search)) return search
  return type === '*' ? { code: 'search-system', search } : { code: 'search-type', type, search }
}

// Parameters that shape any answer, and those of a history (R4 http §history). Anything else that starts with `_` on an
// interaction that is no search could be an override (`_method`) or a page cookie of the server behind us.
const ANSWER_FORM = new Set(['_format', '_pretty', '_summary', '_elements'])
const HISTORY = new Set(['_count', '_since', '_at', '_sort', '_total'])

function refuseStrayParameters(interaction: Interaction, parameters: readonly Parameter[]): Refusal | undefined {
  if (interaction.code === 'search-type' || interaction.code === 'search-system' || interaction.code === 'operation')
    return undefined
  if ('condition' in interaction && interaction.code !== 'create') return undefined
  const history = interaction.code.startsWith('history')
  // A write of what is there takes none but these: servers give others powers of their own (`hardDelete`).
  const changes = isWrite(interaction) && interaction.code !== 'create'
  const stray = parameters.find(
    ({ name }) => (name.startsWith('_') || changes) && !ANSWER_FORM.has(name) && !(history && HISTORY.has(name)),
  )
  if (stray === undefined) return undefined
  return refuse(
    'target-ambiguous',
    `A ${interaction.code} takes no ${PRINTABLE.test(stray.name) ? stray.name : 'such'} parameter.`,
  )
}

const PRINTABLE = /^_?[A-Za-z:]{1,40}$/

function operation(method: string, named: { name: string; type?: string; id?: string }): Interaction | Refusal {
  return method === 'GET' || method === 'POST' ? { code: 'operation', ...named } : wrongMethod('GET, HEAD, POST')
}

function only(expected: string, method: string, interaction: Interaction): Interaction | Refusal {
  return method === expected ? interaction : wrongMethod('GET, HEAD')
}

function unknownShape(): Refusal {
  return refuse('interaction-unknown', 'This path is no FHIR interaction of this endpoint. See its metadata.', {
    status: 404,
  })
}

function wrongMethod(allowed: string): Refusal {
  const allow = allowed.split(', ')
  return refuse('interaction-unknown', `This method is no FHIR interaction on this path. Allowed here: ${allowed}.`, {
    allow,
  })
}
