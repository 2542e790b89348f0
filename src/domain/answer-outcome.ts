// An OperationOutcome for one refusal (https://hl7.org/fhir/R4/operationoutcome.html; the same shape in R4B and R5), and its
// XML print. The XML is made by hand because the shape is ours: element order is the specification's, every value escaped.

import { TITLES } from './answer-titles.ts'
import { type IssueType, REFUSALS, type Refusal, type RefusalCode } from './refusal.ts'

export interface OperationOutcome {
  readonly resourceType: 'OperationOutcome'
  /** The request id. */
  readonly id?: string
  readonly issue: readonly [
    {
      readonly severity: 'error'
      readonly code: IssueType
      readonly details: {
        readonly coding: readonly [{ readonly system: 'urn:scopegate:code'; readonly code: RefusalCode }]
        readonly text: string
      }
      readonly diagnostics: string
    },
  ]
}

const FHIR_ID = /^[A-Za-z0-9\-.]{1,64}$/

/** Also the `response.outcome` of one refused Bundle entry. A request id that is no FHIR id stays out: it is in the header too. */
export function operationOutcome(refusal: Refusal, requestId: string): OperationOutcome {
  const { code } = refusal
  const text = TITLES[code]
  return {
    resourceType: 'OperationOutcome',
    ...(FHIR_ID.test(requestId) ? { id: requestId } : {}),
    issue: [
      {
        severity: 'error',
        code: REFUSALS[code].issue,
        details: { coding: [{ system: 'urn:scopegate:code', code }], text },
        diagnostics: code === 'not-found' || refusal.detail === '' ? text : printable(refusal.detail),
      },
    ],
  }
}

export function printOutcomeXml(outcome: OperationOutcome): string {
  return XML_PROLOG + outcomeElement(outcome)
}

export const XML_PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'

export function outcomeElement(outcome: OperationOutcome): string {
  const [issue] = outcome.issue
  const [coding] = issue.details.coding
  const details =
    element('coding', value('system', coding.system) + value('code', coding.code)) + value('text', issue.details.text)
  const fields =
    value('severity', issue.severity) +
    value('code', issue.code) +
    element('details', details) +
    value('diagnostics', issue.diagnostics)
  const id = outcome.id === undefined ? '' : value('id', outcome.id)
  return `<OperationOutcome xmlns="http://hl7.org/fhir">${id}${element('issue', fields)}</OperationOutcome>`
}

/** Characters that a FHIR string may not hold, and that XML 1.0 cannot even name, become U+FFFD. */
function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, '\ufffd')
}

function element(name: string, content: string): string {
  return `<${name}>${content}</${name}>`
}

function value(name: string, text: string): string {
  return `<${name} value="${text.replaceAll(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`)}"/>`
}
