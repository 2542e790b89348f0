// What a route and the scope catalogue say about scopes, compiled once from the route map: decisions read nothing else of it.

import type { Definitions } from '../fhir/definitions.ts'
import type { CredentialKind } from '../grant.ts'
import { parseScope, printScope, type SmartScope } from '../smart/scope.ts'
import type { OperationRule } from './operation-access.ts'
import type { Door } from './required-access.ts'

/** What a product scope is worth on a FHIR route (contract §3 `grants`). */
export interface Worth {
  readonly scope: string
  readonly smart: SmartScope
  readonly via: readonly Door[]
  /** Whether entries written by it may carry search criteria without `s`. */
  readonly criteria: boolean
}

export interface FhirPolicy {
  /** The route's name. */
  readonly route: string
  /** Whether SMART scopes count on this route. */
  readonly smart: boolean
  readonly worths: readonly Worth[]
  /** The same as `Worth.criteria`, for SMART scopes. */
  readonly criteriaWithoutSearch: boolean
  readonly userScopes: 'delegate' | 'fhirUser' | 'refuse'
  readonly catalogue: Catalogue
  readonly definitions: Definitions
  readonly operations: readonly OperationRule[]
  /** Whether the secondary parameters of the Patient compartment count where a primary one names a patient (contract §5). */
  readonly compartment: 'primary' | 'full'
  /** Types without patients that patient/ scopes may read. */
  readonly sharedTypes: ReadonlySet<string>
  /** Our own base and the upstream's, without a slash at the end: absolute references below them are as good as relative ones. */
  readonly ownBases: readonly string[]
}

/** Which kinds of credential may carry a scope. */
export interface Catalogue {
  mayCarry(scope: string, kind: CredentialKind): boolean
  /** Names the kinds that may, in the words of the route map; empty for a scope that no one may carry. */
  carriers(scope: string): readonly string[]
  has(scope: string): boolean
  /** SMART scopes of the catalogue in canonical print, and product scopes as they are. */
  readonly scopes: readonly string[]
}

interface CatalogueEntry {
  readonly name: string
  readonly credentials: readonly string[]
}

/** A SMART scope is compared by meaning (`.read` is `.rs`); one that the catalogue lacks is for bearer tokens only (contract §5). */
export function compileCatalogue(entries: readonly CatalogueEntry[]): Catalogue {
  const credentials = new Map(entries.map(({ name, credentials }) => [meaningOf(name), credentials]))
  const carriers = (scope: string): readonly string[] => {
    const listed = credentials.get(meaningOf(scope))
    return listed ?? (parseScope(scope) === undefined ? [] : ['smart'])
  }
  return {
    carriers,
    mayCarry: (scope, kind) => carriers(scope).some((carrier) => KIND_OF[carrier] === kind),
    has: (scope) => credentials.has(meaningOf(scope)),
    scopes: entries.map(({ name }) => meaningOf(name)),
  }
}

/** A bearer token counts as `oauth2` and as `smart` (contract §5). */
const KIND_OF: Readonly<Record<string, CredentialKind>> = {
  'api-key': 'api-key',
  'service-key': 'service-key',
  oauth2: 'bearer',
  smart: 'bearer',
}

function meaningOf(scope: string): string {
  const smart = parseScope(scope)
  return smart === undefined ? scope : printScope(smart)
}
