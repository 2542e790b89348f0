// Page links (contract §5): what an upstream calls the next page is sealed together with the search that it belongs to, and opened for
// the caller for whom it was made.

import type { GrantFacts } from '../../domain/grant.ts'
import type { Parameter } from '../../domain/http/request-target.ts'
import type { Seals } from './seals.ts'

/** The search that a page belongs to, and where its bytes are. */
export interface Page {
  readonly segments: readonly string[]
  readonly parameters: readonly Parameter[]
  /** Below the upstream's base, with query. */
  readonly path: string
}

export interface Pages {
  seal(page: Page, route: string, grant: GrantFacts): string
  /** Undefined for whatever is not a seal of ours, too old, of another route, or made for somebody else. */
  open(seal: string, route: string, grant: GrantFacts): Page | undefined
}

const LIFETIME_MS = 3_600_000

export function createPages(seals: Seals): Pages {
  return {
    seal: ({ segments, parameters, path }, route, grant) =>
      seals.seal('page', { segments, parameters, path }, LIFETIME_MS, route, grant),
    open: (seal, route, grant) => seals.open('page', seal, route, grant) as Page | undefined,
  }
}
