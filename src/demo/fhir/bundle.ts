// batch and transaction (R4 http §3.1.0.11): the entries of a batch stand alone; those of a transaction are carried out
// in the order of the specification, see each other's resources, and succeed or fail together.

import { errorAnswer, jsonAnswer, operationOutcome } from './answers.ts'
import { type BundleEntry, entryRequest, METHODS, readEntry } from './bundle-entry.ts'
import { BundleReferences } from './bundle-references.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import { asArray, isResource } from './resource.ts'

/** What answers one request; given by the caller, because a request may be a Bundle again. */
export type Interact = (request: FhirRequest, context: FhirContext, id?: string) => FhirAnswer

export function processBundle(request: FhirRequest, context: FhirContext, interact: Interact): FhirAnswer {
  const bundle = request.body.json()
  if (!isResource(bundle) || bundle.resourceType !== 'Bundle')
    throw badRequest('POST to the base takes a Bundle', 'structure')
  const type = bundle['type']
  if (type !== 'batch' && type !== 'transaction') {
    throw badRequest(`POST to the base takes a batch or a transaction, not "${String(type)}"`, 'not-supported')
  }
  const entries = asArray(bundle['entry']).map((entry, i) => readEntry(entry, i, request))
  const responses =
    type === 'batch' ? batch(entries, request, context, interact) : transaction(entries, request, context, interact)
  return jsonAnswer(200, `{"resourceType":"Bundle","type":"${type}-response","entry":[${responses.join()}]}`)
}

function batch(
  entries: readonly BundleEntry[],
  request: FhirRequest,
  context: FhirContext,
  interact: Interact,
): string[] {
  return entries.map((entry) => {
    try {
      return printResponse(context.store.atomically(() => interact(entryRequest(entry, request), context)))
    } catch (error) {
      if (error instanceof FhirError) return printResponse(errorAnswer(error))
      throw error
    }
  })
}

function transaction(
  entries: readonly BundleEntry[],
  request: FhirRequest,
  context: FhirContext,
  interact: Interact,
): string[] {
  return context.store.atomically(() => {
    const references = new BundleReferences(entries, request, context)
    const order = entries.map((entry, i) => ({
      entry,
      i,
      rank: METHODS.indexOf(entry.method === 'HEAD' ? 'GET' : entry.method),
    }))
    order.sort((a, b) => a.rank - b.rank || a.i - b.i)
    const responses: string[] = []
    for (const { entry, i } of order) {
      try {
        const answer = interact(entryRequest(references.resolve(entry), request), context, references.promisedId(i))
        if (answer.status >= 400) throw new FhirError(answer.status, 'invalid', 'the entry failed')
        responses[i] = printResponse(answer)
      } catch (error) {
        if (!(error instanceof FhirError)) throw error
        throw new FhirError(
          error.status,
          error.code,
          `entry ${i} (${entry.method} ${entry.url.split('?')[0]}): ${error.message}`,
        )
      }
    }
    return responses
  })
}

const REASON: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 204: 'No Content', 304: 'Not Modified' }

function printResponse({ status, headers, body }: FhirAnswer): string {
  const reason = REASON[status]
  const response = {
    status: reason === undefined ? String(status) : `${status} ${reason}`,
    location: headers['location'] ?? headers['content-location'],
    etag: headers['etag'],
    lastModified: headers['last-modified'] === undefined ? undefined : new Date(headers['last-modified']).toISOString(),
  }
  const printed = JSON.stringify(response)
  if (body === undefined) return `{"response":${printed}}`
  if (Buffer.isBuffer(body)) {
    const diagnostics = 'raw content does not fit into a Bundle'
    const outcome = operationOutcome([{ severity: 'error', code: 'not-supported', diagnostics }])
    return `{"response":${JSON.stringify({ ...response, status: '406', outcome })}}`
  }
  if (!body.startsWith('{"resourceType":"OperationOutcome"')) return `{"resource":${body},"response":${printed}}`
  return `{"response":${printed.slice(0, -1)},"outcome":${body}}}`
}
