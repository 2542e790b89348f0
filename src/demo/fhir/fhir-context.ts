// What every interaction of one embedded server shares.

import type { BulkExports } from './bulk-export.ts'
import type { FhirRequest } from './exchange.ts'
import type { Pages } from './pages.ts'
import type { ResourceStore } from './resource-store.ts'
import type { ClauseContext } from './search-clause.ts'

export interface FhirContext {
  readonly store: ResourceStore
  readonly pages: Pages
  readonly exports: BulkExports
  readonly now: () => Date
  readonly settings: FhirSettings
}

export interface FhirSettings {
  /** Entries on a page when the client names no `_count`. */
  readonly pageSize: number
  readonly largestPage: number
  /** Whether a conditional delete may delete several resources, or answers 412. */
  readonly conditionalDelete: 'single' | 'multiple'
}

export function clauseContext(context: FhirContext, request: FhirRequest): ClauseContext {
  return { store: context.store, base: request.base, now: context.now }
}
