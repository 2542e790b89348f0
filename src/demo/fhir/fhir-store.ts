// An in-memory FHIR server without a socket: resources in, requests in, answers out.

import { errorAnswer } from './answers.ts'
import { BulkExports } from './bulk-export.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { FhirError } from './fhir-error.ts'
import { interact } from './interaction.ts'
import { Pages } from './pages.ts'
import type { Resource } from './resource.ts'
import { ResourceStore } from './resource-store.ts'
import { isId } from './resource-types.ts'

export interface FhirStoreOptions {
  /** Resources with ids, kept as version 1. */
  readonly resources?: readonly Resource[]
  /** Resources as printed by scripts/pack-demo-data.ts, one a line. */
  readonly packed?: readonly string[]
  readonly pageSize?: number
  readonly largestPage?: number
  readonly conditionalDelete?: 'single' | 'multiple'
  /** Milliseconds for which an export says that it is still running. */
  readonly exportDelay?: number
  readonly now?: () => Date
}

export interface FhirStore {
  readonly resources: ResourceStore
  handle(request: FhirRequest): FhirAnswer
}

export function createFhirStore(options: FhirStoreOptions = {}): FhirStore {
  const now = options.now ?? (() => new Date())
  const store = new ResourceStore(now)
  for (const line of options.packed ?? []) store.load(line)
  for (const resource of options.resources ?? []) {
    if (resource.id === undefined || !isId(resource.id))
      throw new Error(`a ${resource.resourceType} comes without an id`)
    store.write(resource.resourceType, resource.id, resource, 'PUT')
  }
  const context: FhirContext = {
    store,
    pages: new Pages(store, now),
    exports: new BulkExports(now, options.exportDelay ?? 500),
    now,
    settings: {
      pageSize: options.pageSize ?? 50,
      largestPage: options.largestPage ?? 1000,
      conditionalDelete: options.conditionalDelete ?? 'single',
    },
  }
  return { resources: store, handle: (request) => handle(request, context) }
}

function handle(request: FhirRequest, context: FhirContext): FhirAnswer {
  try {
    return interact(request, context)
  } catch (error) {
    if (error instanceof FhirError) return errorAnswer(error)
    const text = error instanceof Error ? error.message : String(error)
    return errorAnswer(new FhirError(500, 'exception', `the server failed: ${text}`))
  }
}
