// The body of a refusal (contract §4): an OperationOutcome on FHIR routes, problem details (RFC 9457) elsewhere. Both carry
// the request id and the one code that also labels the log line and the metric.
// INVARIANT: `not-found` says the same for every cause, so an absent resource and a foreign one cannot be told apart.

import { batchResponse, printBatchResponseXml } from './answer-batch.ts'
import { operationOutcome, printOutcomeXml } from './answer-outcome.ts'
import { TITLES } from './answer-titles.ts'
import { REFUSALS, type Refusal } from './refusal.ts'

export interface AnswerContext {
  /** The request came in on a FHIR route. */
  readonly fhir: boolean
  /** The client prefers XML (`answer-format.ts`); heeded on FHIR routes only. */
  readonly wantsXml: boolean
  readonly requestId: string
}

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export function answerOf(refusal: Refusal, context: AnswerContext): Answer {
  const status = statusOf(refusal)
  if (!context.fhir) {
    return {
      status,
      contentType: 'application/problem+json',
      body: JSON.stringify(problemOf(refusal, context.requestId)),
    }
  }
  const { entries } = refusal.extras
  if (context.wantsXml) {
    const body =
      entries === undefined
        ? printOutcomeXml(operationOutcome(refusal, context.requestId))
        : printBatchResponseXml(entries)
    return { status, contentType: 'application/fhir+xml; charset=utf-8', body }
  }
  const body = entries === undefined ? operationOutcome(refusal, context.requestId) : batchResponse(entries)
  return { status, contentType: 'application/fhir+json; charset=utf-8', body: JSON.stringify(body) }
}

/** Problem details as RFC 9457 names them; `code` and `requestId` are its extension members. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly requestId: string
}

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { code } = refusal
  return {
    type: `urn:scopegate:code:${code}`,
    title: TITLES[code],
    status: statusOf(refusal),
    detail: code === 'not-found' || refusal.detail === '' ? TITLES[code] : refusal.detail,
    code,
    requestId,
  }
}

/** The status that is sent: never one that would give the cause of a `not-found` away. */
export function statusOf(refusal: Refusal): number {
  // A batch succeeds as such, whatever becomes of its entries (R4 http §batch).
  if (refusal.extras.entries !== undefined) return 200
  return refusal.code === 'not-found' ? REFUSALS['not-found'].status : refusal.status
}
