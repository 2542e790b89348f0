// Answers to entries of a batch that are refused, each at its place with a status and an OperationOutcome of its own (R4 http §batch).

import { operationOutcome, outcomeElement, XML_PROLOG } from './answer-outcome.ts'
import { REFUSALS, type Refusal, refuse } from './refusal.ts'

export function refusedEntry(refusal: Refusal): { readonly response: object } {
  return { response: { status: entryStatus(refusal), outcome: operationOutcome(withScopes(refusal), '') } }
}

/** Of a batch of which every entry is refused. */
export function batchResponse(refusals: readonly Refusal[]): object {
  return { resourceType: 'Bundle', type: 'batch-response', entry: refusals.map(refusedEntry) }
}

export function printBatchResponseXml(refusals: readonly Refusal[]): string {
  const entries = refusals.map(
    (refusal) =>
      `<entry><response><status value="${entryStatus(refusal)}"/><outcome>${outcomeElement(operationOutcome(withScopes(refusal), ''))}</outcome></response></entry>`,
  )
  return `${XML_PROLOG}<Bundle xmlns="http://hl7.org/fhir"><type value="batch-response"/>${entries.join('')}</Bundle>`
}

/** An entry has no header field in which a challenge could offer them. */
function withScopes({ code, detail, extras }: Refusal): Refusal {
  const { scopes = [] } = extras
  return refuse(code, scopes.length === 0 ? detail : `${detail} Scopes that would do: ${scopes.join(' ')}`, extras)
}

/** Never one that would give the cause of a `not-found` away. */
function entryStatus(refusal: Refusal): string {
  return String(refusal.code === 'not-found' ? REFUSALS['not-found'].status : refusal.status)
}
