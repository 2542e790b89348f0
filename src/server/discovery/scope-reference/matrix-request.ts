// What is asked of the access matrix, from the form of the page or as JSON: bounded in size and in work, and nothing of it is kept or logged.

import type { CredentialKind } from '../../../domain/grant.ts'
import { readForm } from '../../../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../../../domain/refusal.ts'

export interface MatrixForm {
  /** As pasted. */
  readonly text: string
  /** Each once, in order. */
  readonly scopes: readonly string[]
  readonly kind: CredentialKind
  readonly patient: boolean
  /** A row for each type instead of one for all with the same access. */
  readonly everyType: boolean
}

export const CREDENTIALS = ['bearer', 'api-key', 'service-key'] as const satisfies readonly CredentialKind[]
const MOST_SCOPES = 200
// Each of these is asked about for every type of resource; nobody holds as many.
const MOST_WILDCARDS = 20
export const LARGEST_BODY = 32 * 1024

export const EMPTY_FORM: MatrixForm = { text: '', scopes: [], kind: 'bearer', patient: true, everyType: false }

const FORM_FIELDS: readonly string[] = ['scope', 'credential', 'patient', 'every']

export function parseMatrixForm(body: string): MatrixForm | Refusal {
  const fields = readForm(body)
  if (fields === undefined || !fields.every(({ name }) => FORM_FIELDS.includes(name)))
    return invalid('The form is broken.')
  const field = (name: string): string | undefined => fields.find((one) => one.name === name)?.value
  return formOf(field('scope') ?? '', field('credential') ?? 'bearer', {
    patient: field('patient') !== undefined,
    everyType: field('every') !== undefined,
  })
}

/** `{"scope": "a b", "credential": "bearer", "patient": true}`. */
export function parseMatrixJson(body: string): MatrixForm | Refusal {
  const members = parseObject(body)
  if (isRefusal(members)) return members
  const { scope, credential = 'bearer', patient = false, ...others } = members
  const [unknown] = Object.keys(others)
  if (unknown !== undefined) return invalid('Known keys are scope, credential and patient.')
  if (typeof scope !== 'string') return invalid('"scope" must be a text: scopes separated by spaces.')
  if (typeof patient !== 'boolean') return invalid('"patient" says whether there is a launch patient: true or false.')
  return formOf(scope, credential, { patient, everyType: false })
}

function parseObject(body: string): Readonly<Record<string, unknown>> | Refusal {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  return invalid('The body must be a JSON object such as {"scope": "patient/Observation.rs", "patient": true}.')
}

function formOf(
  text: string,
  credential: unknown,
  rest: Pick<MatrixForm, 'patient' | 'everyType'>,
): MatrixForm | Refusal {
  const kind = CREDENTIALS.find((one) => one === credential)
  if (kind === undefined) return invalid(`"credential" must be one of ${CREDENTIALS.join(', ')}.`)
  const scopes = [...new Set(text.split(/\s+/).filter((scope) => scope !== ''))]
  if (scopes.length > MOST_SCOPES) return invalid(`Up to ${MOST_SCOPES} scopes can be looked at together.`)
  if (scopes.filter((scope) => scope.includes('/*.')).length > MOST_WILDCARDS) {
    return invalid(`Up to ${MOST_WILDCARDS} scopes for every type (/*.) can be looked at together.`)
  }
  return { text, scopes, kind, ...rest }
}

function invalid(detail: string): Refusal {
  return refuse('body-invalid', detail)
}
