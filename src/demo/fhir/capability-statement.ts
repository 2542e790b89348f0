// GET metadata: generated from the tables that the server works by, so that it claims what is there and nothing else.

import type { FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { OPERATIONS } from './operations.ts'
import { RESOURCE_TYPES, TRANSIENT_TYPES } from './resource-types.ts'
import { parametersOf } from './search-parameters.ts'

const INTERACTIONS = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'create',
  'search-type',
].map((code) => ({ code }))

const SYSTEM_INTERACTIONS = ['transaction', 'batch', 'search-system', 'history-system'].map((code) => ({ code }))

export function capabilityStatement(request: FhirRequest, context: FhirContext): object {
  const types = [...RESOURCE_TYPES].filter((type) => !TRANSIENT_TYPES.has(type))
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: context.now().toISOString(),
    kind: 'instance',
    software: { name: 'scopegate demo store' },
    implementation: { description: 'An in-memory FHIR server with synthetic patients', url: request.base },
    fhirVersion: request.fhirVersion,
    format: ['application/fhir+json', 'json'],
    patchFormat: ['application/json-patch+json'],
    rest: [
      {
        mode: 'server',
        resource: types.map((type) => describeType(type, context)),
        interaction: SYSTEM_INTERACTIONS,
        searchParam: ['_id', '_lastUpdated', '_tag', '_profile', '_security'].map(describeParameter('Resource')),
        operation: OPERATIONS.filter(({ shape }) => shape.startsWith('$')).map(({ shape }) => describeOperation(shape)),
      },
    ],
  }
}

function describeType(type: string, { settings }: FhirContext): object {
  const parameters = [...parametersOf(type).values()]
  const references = parameters.filter(({ kind }) => kind === 'reference').map(({ name }) => `${type}:${name}`)
  const operations = OPERATIONS.filter(({ shape }) => shape.startsWith(`${type}/`) || shape.startsWith('{type}/$'))
  return {
    type,
    interaction: INTERACTIONS,
    versioning: 'versioned-update',
    readHistory: true,
    updateCreate: true,
    conditionalCreate: true,
    conditionalRead: 'full-support',
    conditionalUpdate: true,
    conditionalDelete: settings.conditionalDelete,
    referencePolicy: ['literal', 'logical', 'local'],
    ...(references.length === 0 ? {} : { searchInclude: ['*', ...references] }),
    searchParam: parameters.map(({ name, kind }) => ({ name, type: kind })),
    ...(operations.length === 0 ? {} : { operation: operations.map(({ shape }) => describeOperation(shape)) }),
  }
}

function describeParameter(type: string): (name: string) => object {
  return (name) => ({ name, type: parametersOf(type).get(name)!.kind })
}

const BULK = 'http://hl7.org/fhir/uv/bulkdata/OperationDefinition'

function describeOperation(shape: string): object {
  const name = shape.slice(shape.lastIndexOf('$') + 1)
  if (name !== 'export') {
    const owner = name === 'validate' ? 'Resource' : shape.split('/')[0]
    return { name, definition: `http://hl7.org/fhir/OperationDefinition/${owner}-${name}` }
  }
  const level = shape.startsWith('$') ? 'export' : `${shape.split('/')[0]!.toLowerCase()}-export`
  return { name, definition: `${BULK}/${level}` }
}
