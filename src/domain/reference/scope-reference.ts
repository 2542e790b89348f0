// The Scope Reference as a value: the whole catalogue with what each scope means and opens under the route map in force. Behind the
// page and behind `/scopes.json`; product facts come from the catalogue, everything about access from the routes.

import type { CatalogueScope } from '../../config/schema/scope-catalogue.ts'
import type { Catalogue } from '../decision/policy.ts'
import type { Door } from '../decision/required-access.ts'
import { parseScope, printScope } from '../smart/scope.ts'
import type { MappedRoute } from './mapped-route.ts'
import { type ScopeEndpoint, scopeEndpoints } from './scope-endpoints.ts'

export interface ScopeReference {
  /** What clients put before every path. */
  readonly publicUrl: string
  readonly principle: string
  readonly totals: {
    readonly scopes: number
    readonly categories: number
    /** Those that SMART on FHIR credentials may carry. */
    readonly smart: number
    readonly selfService: number
  }
  readonly categories: readonly { readonly name: string; readonly scopes: readonly DescribedScope[] }[]
}

export interface DescribedScope {
  readonly name: string
  readonly description: string
  readonly credentials: CatalogueScope['credentials']
  readonly products: readonly string[]
  readonly selfService: boolean
  /** A SMART scope in letters (`patient/Patient.rs`). */
  readonly meaning?: string
  /** What a product scope is worth on FHIR routes. */
  readonly worth: readonly { readonly path: string; readonly scope: string; readonly via: readonly Door[] }[]
  readonly endpoints: readonly ScopeEndpoint[]
}

export interface ReferenceSources {
  readonly publicUrl: string
  readonly scopes: readonly CatalogueScope[]
  readonly routes: readonly MappedRoute[]
  readonly catalogue: Catalogue
}

export const LEAST_PRIVILEGE =
  'Ask for what your integration does today, and for nothing else. A scope that reads never writes, a patient/ scope ends where the ' +
  'record of its patient ends, and what one product grants opens nothing in another. Give every credential an end date, and ' +
  'replace it before that day comes.'

export function scopeReference({ publicUrl, scopes, routes, catalogue }: ReferenceSources): ScopeReference {
  const categories = [...Map.groupBy(scopes, ({ category }) => category)]
  return {
    publicUrl,
    principle: LEAST_PRIVILEGE,
    totals: {
      scopes: scopes.length,
      categories: categories.length,
      smart: scopes.filter(({ credentials }) => credentials.includes('smart')).length,
      selfService: scopes.filter(({ selfService }) => selfService).length,
    },
    categories: categories.map(([name, members]) => ({
      name,
      scopes: members.map((scope) => describe(scope, routes, catalogue)),
    })),
  }
}

function describe(scope: CatalogueScope, routes: readonly MappedRoute[], catalogue: Catalogue): DescribedScope {
  const { name, description, credentials, products, selfService } = scope
  const smart = parseScope(name)
  return {
    name,
    description,
    credentials,
    products,
    selfService,
    ...(smart === undefined ? {} : { meaning: printScope(smart) }),
    worth: routes.flatMap((mapped) =>
      mapped.kind === 'plain'
        ? []
        : mapped.route.grants
            .filter((grant) => grant.name === name)
            .map((grant) => ({ path: mapped.route.path || '/', scope: grant.scope, via: grant.via })),
    ),
    endpoints: scopeEndpoints(scope, routes, catalogue),
  }
}
