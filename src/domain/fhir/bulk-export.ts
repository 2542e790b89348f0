// The kick-off of a bulk export as it was meant, from the query of a GET or the Parameters of a POST (spec §8, Bulk Data Access).
// INVARIANT: a parameter that is not understood here never goes upstream, because it could widen what is exported.

import { type Parameter, readForm } from '../http/request-target.ts'
import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import type { Definitions } from './definitions.ts'
import { parseReference } from './literal-reference.ts'
import { parseSearch, type Search } from './search.ts'

/** One alternative for a type: what its resources must fit. */
export interface TypeFilter {
  readonly type: string
  readonly search: Search
}

export interface ExportQuery {
  /** What `_type` names; undefined: every type. */
  readonly types: readonly string[] | undefined
  /** Those of one type are alternatives; of other types they leave everything. */
  readonly filters: readonly TypeFilter[]
  /** All other parameters, as they were given. */
  readonly others: readonly ExportParameter[]
}

/** `part` is the element of a Parameters resource that it was read from. */
export interface ExportParameter extends Parameter {
  readonly part?: JsonObject
}

export interface ExportKickOff {
  readonly method: string
  /** Segments below the base. */
  readonly segments: readonly string[]
  readonly parameters: readonly Parameter[]
  /** The text of a POST. */
  readonly body?: string | undefined
}

const LONGEST_PARAMETERS = 1_048_576
const MOST_FILTERS = 200

export function readExport(kickOff: ExportKickOff, definitions: Definitions): ExportQuery | Refusal {
  const given = kickOff.method === 'POST' ? postedParameters(kickOff) : kickOff.parameters
  if (isRefusal(given)) return given
  const refusal = refuseUnknown(given, kickOff)
  if (refusal !== undefined) return refusal
  const named = valuesOf(given, '_type').flatMap((value) => value.split(',').filter((type) => type !== ''))
  const unknown = named.some((type) => !definitions.isResourceType(type))
  if (unknown) return unknownType()
  const filters: TypeFilter[] = []
  for (const text of valuesOf(given, '_typeFilter').flatMap(splitFilters)) {
    const filter = readFilter(text, definitions)
    if (isRefusal(filter)) return filter
    filters.push(filter)
  }
  if (filters.length > MOST_FILTERS) return refuse('body-invalid', `Send no more than ${MOST_FILTERS} _typeFilter.`)
  const others = given.filter(({ name }) => name !== '_type' && name !== '_typeFilter')
  return { types: named.length === 0 ? undefined : [...new Set(named)], filters, others }
}

function valuesOf(given: readonly Parameter[], wanted: string): readonly string[] {
  return given.filter(({ name, value }) => name === wanted && value !== '').map(({ value }) => value)
}

const KNOWN = new Set([
  '_outputFormat',
  '_since',
  '_until',
  '_type',
  '_typeFilter',
  '_elements',
  'includeAssociatedData',
  'organizeOutputBy',
  'allowPartialManifests',
])

function refuseUnknown(given: readonly ExportParameter[], { method, segments }: ExportKickOff): Refusal | undefined {
  for (const { name, value } of given) {
    if (KNOWN.has(name)) continue
    if (name !== 'patient')
      return refuse('constraint-unenforceable', 'This bulk export has a parameter that is not understood here.')
    if (method !== 'POST' || segments.length === 1)
      return refuse(
        'target-ambiguous',
        'A list of patients belongs into the Parameters of a POST to Patient or a Group.',
      )
    if (parseReference(value)?.type !== 'Patient')
      return refuse('body-invalid', 'Each "patient" of an export must be a reference such as Patient/1.')
  }
  return undefined
}

/** Old servers took one list with commas; a comma inside a query separates values. */
function splitFilters(text: string): readonly string[] {
  return text.split(/,(?=[A-Z][A-Za-z]+\?)/)
}

function readFilter(text: string, definitions: Definitions): TypeFilter | Refusal {
  const mark = text.indexOf('?')
  const type = mark < 0 ? text : text.slice(0, mark)
  if (!definitions.isResourceType(type)) return unknownType()
  const parameters = mark < 0 ? undefined : readForm(text.slice(mark + 1))
  if (parameters === undefined || parameters.length === 0)
    return refuse('target-ambiguous', 'Each _typeFilter must be a type and a query, as in Observation?status=final.')
  const search = parseSearch(parameters, type, definitions)
  if (isRefusal(search)) return search
  const shaping = parameters.some(({ name }) => NOT_IN_FILTERS.test(name))
  if (shaping) return refuse('target-ambiguous', 'A _typeFilter must hold search criteria only.')
  return { type, search }
}

/** Bulk Data §_typeFilter: they SHALL NOT be used. */
const NOT_IN_FILTERS = /^_(include|revinclude|sort|elements|summary|count|total|contained|containedType|type)\b/

function unknownType(): Refusal {
  return refuse('interaction-unknown', 'The export names a type that this FHIR version does not define.', {
    status: 400,
  })
}

function postedParameters({ body = '', parameters }: ExportKickOff): readonly ExportParameter[] | Refusal {
  if (parameters.length > 0)
    return refuse('target-ambiguous', 'Put all parameters of an export by POST into its Parameters, none into the URL.')
  if (body === '') return []
  if (body.length > LONGEST_PARAMETERS)
    return refuse('body-too-large', `The Parameters of an export may be ${LONGEST_PARAMETERS} characters long.`)
  const read = readStrictJson(body)
  const resource = 'value' in read && isJsonObject(read.value) ? read.value : undefined
  if (resource?.['resourceType'] !== 'Parameters')
    return refuse(
      'body-invalid',
      'The body of an export must be a Parameters resource in JSON, without repeated members.',
    )
  const parts = resource['parameter'] ?? []
  const named = Array.isArray(parts) ? parts.map(readPart) : [undefined]
  return named.every((part) => part !== undefined)
    ? named
    : refuse('body-invalid', 'Each parameter of an export must have a name and one simple value or reference.')
}

function readPart(part: Json): (ExportParameter & { readonly part: JsonObject }) | undefined {
  if (!isJsonObject(part) || typeof part['name'] !== 'string') return undefined
  const [key, ...more] = Object.keys(part).filter((one) => one !== 'name')
  if (key === undefined || more.length > 0 || !key.startsWith('value')) return undefined
  const given = part[key]
  const value = isJsonObject(given) ? given['reference'] : given
  if (typeof value !== 'string' && typeof value !== 'boolean') return undefined
  return { name: part['name'], value: String(value), part }
}
