// The Prefer header (RFC 7240) as FHIR uses it.

import type { FhirRequest } from './exchange.ts'

export interface Preferences {
  readonly returns: 'minimal' | 'representation' | 'OperationOutcome'
  readonly strict: boolean
  readonly async: boolean
}

export function preferencesOf(request: FhirRequest): Preferences {
  const items = (request.header('prefer') ?? '').split(/[,;]/).map((item) => item.trim())
  const returns = items.find((item) => item.startsWith('return='))?.slice('return='.length)
  return {
    returns: returns === 'minimal' || returns === 'OperationOutcome' ? returns : 'representation',
    strict: items.includes('handling=strict'),
    async: items.includes('respond-async'),
  }
}
