// An operation within limits, before it goes upstream (spec §2.5): the record that it is called on must be readable, a search on the way is
// narrowed, and no parameter may name another patient. What it answers is guarded like every answer.

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { narrow } from '../../domain/constraint/narrow.ts'
import { isReadableBy } from '../../domain/constraint/readable.ts'
import { parseSearch } from '../../domain/fhir/search.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import { refuseUnlessJson } from '../../domain/http/media-type.ts'
import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { notFound } from '../../proxy/guarded-resource.ts'
import type { Edge } from '../endpoint.ts'
import { namesOtherPatient, type OperationInput, readOperationBody } from './operation-input.ts'

/** Operations whose parameters are search parameters of their type: an aggregate over what was not narrowed could not be cut. */
const SEARCHES = new Set(['$lastn'])

export async function limitOperation(
  request: FhirRequest,
  constraint: Constraint,
  headers: RequestHeaders,
  edge: Edge,
): Promise<FhirRequest | Refusal> {
  const { interaction } = request
  if (interaction.code !== 'operation') return request
  const { type, id, name } = interaction
  if (type !== undefined && id !== undefined) {
    const refusal = await isReadable({ type, id }, constraint, edge)
    if (refusal !== undefined) return refusal
  }
  const input = request.method === 'POST' ? await posted(request, headers, edge) : { parameters: request.parameters }
  if (isRefusal(input)) return input
  if (namesOtherPatient(input.parameters, constraint))
    return refuse('patient-mismatch', 'A parameter names another patient than the one that the token is for.')
  const chained = type !== undefined && id === undefined ? refuseChains(input, type, constraint) : undefined
  if (chained !== undefined) return chained
  const narrowed = SEARCHES.has(name) && type !== undefined ? narrowInput(input, type, constraint) : input
  if (isRefusal(narrowed)) return narrowed
  if (request.method !== 'POST') return { ...request, parameters: narrowed.parameters }
  return { ...request, bodyUse: 'none', body: narrowed.print?.() ?? '' }
}

/** Undefined when the resource may be read; the upstream is asked only where that cannot be told from the id. */
export async function isReadable(
  place: { readonly type: string; readonly id: string },
  constraint: Constraint,
  edge: Edge,
): Promise<Refusal | undefined> {
  const known = isReadableBy(place, constraint)
  if (typeof known === 'boolean') return known ? undefined : notFound()
  const answer = await edge.ask(`/${place.type}/${place.id}`)
  if (isRefusal(answer)) return answer
  return answer.status === 200 && known(answer.body.toString()) ? undefined : notFound()
}

async function posted(request: FhirRequest, headers: RequestHeaders, edge: Edge): Promise<OperationInput | Refusal> {
  const refusal = refuseUnlessJson(headers)
  if (refusal !== undefined) return refusal
  const text = await edge.body()
  if (isRefusal(text)) return text
  return readOperationBody(text, request.parameters)
}

/** What a chain in the URL asks about was decided with the request; one in a body comes too late for that. */
function refuseChains(input: OperationInput, type: string, constraint: Constraint): Refusal | undefined {
  if (input.print === undefined) return undefined
  const search = parseSearch(input.parameters, type, constraint.policy.definitions)
  if (isRefusal(search)) return search
  return search.reaches.some(({ kind }) => kind === 'probe' || kind === 'list')
    ? refuse('constraint-unenforceable', 'Within limits an operation takes no chained parameter in its body.')
    : undefined
}

function narrowInput(input: OperationInput, type: string, constraint: Constraint): OperationInput | Refusal {
  const { definitions, ownBases } = constraint.policy
  const limits = constraint.limitsOn(type, 's')
  if (limits === undefined) return input
  const narrowed = narrow(input.parameters, limits, { type, definitions, ownBases })
  if (isRefusal(narrowed)) return narrowed
  if (!narrowed.exact)
    return refuse('constraint-unenforceable', 'What this operation counts cannot be cut to what the scopes cover.')
  return input.with?.(narrowed.parameters) ?? { parameters: narrowed.parameters }
}
