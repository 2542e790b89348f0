// The body of `POST /explain`, read strictly: a key that is misspelt would explain another request than was meant.

import type { CredentialKind } from '../../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { ExplainRequest } from './explain.ts'

const KEYS = [
  'method',
  'target',
  'scope',
  'patient',
  'fhirUser',
  'credential',
  'issuer',
  'token',
  'headers',
  'body',
  'stored',
] as const
const CREDENTIALS = ['bearer', 'api-key', 'service-key'] as const satisfies readonly CredentialKind[]

type Members = Readonly<Record<string, unknown>>

export function parseExplainRequest(text: string): ExplainRequest | Refusal {
  const members = parseObject(text)
  if (isRefusal(members)) return members
  const unknown = Object.keys(members).find((key) => !KEYS.some((known) => known === key))
  if (unknown !== undefined)
    return invalid(`There is no key ${JSON.stringify(unknown)}. Known keys: ${KEYS.join(', ')}.`)
  const { method, target, headers, body, stored, credential } = members
  if (typeof method !== 'string' || typeof target !== 'string') {
    return invalid('"method" and "target" are needed, as in {"method": "GET", "target": "/fhir/R4/Patient/1"}.')
  }
  const wrong = (['scope', 'patient', 'fhirUser', 'issuer', 'token'] as const).find(
    (key) => members[key] !== undefined && typeof members[key] !== 'string',
  )
  if (wrong !== undefined) return invalid(`"${wrong}" must be a text.`)
  if (credential !== undefined && !CREDENTIALS.some((kind) => kind === credential)) {
    return invalid(`"credential" must be one of ${CREDENTIALS.join(', ')}.`)
  }
  const fields = headers === undefined ? undefined : flatHeaders(headers)
  if (headers !== undefined && fields === undefined) {
    return invalid('"headers" must be a map of names to texts, as in {"if-none-exist": "identifier=1"}.')
  }
  return {
    ...(members as Partial<ExplainRequest>),
    method: method.toUpperCase(),
    target,
    headers: fields,
    body: textOf(body),
    stored: textOf(stored),
  }
}

/** A resource or Bundle may stand in the request as it is. */
function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
}

function parseObject(text: string): Members | Refusal {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members
  } catch {
    return invalid('The body is not JSON.')
  }
  return invalid('The body must be a JSON object.')
}

function flatHeaders(headers: unknown): readonly string[] | undefined {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return undefined
  const fields = Object.entries(headers)
  return fields.every(([, value]) => typeof value === 'string') ? (fields.flat() as string[]) : undefined
}

function invalid(detail: string): Refusal {
  return refuse('body-invalid', detail)
}
