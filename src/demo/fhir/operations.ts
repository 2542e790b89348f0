// The operations of this server: name, where it may stand, and what carries it out. Anything else is refused.

import { exportGroup, exportPatients, exportSystem } from './bulk-export-interaction.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { FhirError } from './fhir-error.ts'
import { observationLastN } from './observation-lastn.ts'
import { patientEverything } from './patient-everything.ts'
import { patientMatch } from './patient-match.ts'
import { RESOURCE_TYPES } from './resource-types.ts'
import { validate } from './validate.ts'

type Run = (request: FhirRequest, context: FhirContext) => FhirAnswer

export interface Operation {
  /** `Patient/{id}/$everything`; `{type}` is any resource type. */
  readonly shape: string
  readonly methods: readonly string[]
  readonly run: Run
}

export const OPERATIONS: readonly Operation[] = [
  { shape: 'Patient/{id}/$everything', methods: ['GET', 'POST'], run: patientEverything },
  { shape: 'Patient/$match', methods: ['POST'], run: patientMatch },
  { shape: 'Observation/$lastn', methods: ['GET', 'POST'], run: observationLastN },
  { shape: '{type}/$validate', methods: ['POST'], run: validate },
  { shape: '{type}/{id}/$validate', methods: ['GET', 'POST'], run: validate },
  { shape: '$export', methods: ['GET', 'POST'], run: exportSystem },
  { shape: 'Patient/$export', methods: ['GET', 'POST'], run: exportPatients },
  { shape: 'Group/{id}/$export', methods: ['GET', 'POST'], run: exportGroup },
]

export function runOperation(
  method: string,
  segments: readonly string[],
  request: FhirRequest,
  context: FhirContext,
): FhirAnswer {
  const operation = OPERATIONS.find(({ shape }) => fits(shape.split('/'), segments))
  if (operation === undefined) {
    throw new FhirError(404, 'not-supported', `the operation ${segments.join('/')} is not known`)
  }
  if (!operation.methods.includes(method)) {
    throw new FhirError(405, 'not-supported', `${operation.shape} takes ${operation.methods.join(' or ')}`)
  }
  return operation.run(request, context)
}

function fits(shape: readonly string[], segments: readonly string[]): boolean {
  if (shape.length !== segments.length) return false
  return shape.every((part, i) => {
    const segment = segments[i]!
    if (part === '{type}') return RESOURCE_TYPES.has(segment)
    return part === '{id}' ? !segment.startsWith('$') : part === segment
  })
}
