// What goes wrong inside the embedded server, with the HTTP status and the IssueType code that it is answered with.

/** A FHIR issue type (http://hl7.org/fhir/issue-type), as far as this server uses it. */
export type IssueCode =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'not-found'
  | 'deleted'
  | 'not-supported'
  | 'conflict'
  | 'multiple-matches'
  | 'too-long'
  | 'exception'

export class FhirError extends Error {
  readonly status: number
  readonly code: IssueCode

  constructor(status: number, code: IssueCode, text: string) {
    super(text)
    this.name = 'FhirError'
    this.status = status
    this.code = code
  }
}

export function badRequest(text: string, code: IssueCode = 'invalid'): FhirError {
  return new FhirError(400, code, text)
}
