// The routes of a route map with the policies by which their requests are decided, as the gateway composes them.

import type { Settings } from '../../src/config/settings.ts'
import { type Catalogue, compileCatalogue } from '../../src/domain/decision/policy.ts'
import type { MappedRoute } from '../../src/domain/reference/mapped-route.ts'
import { mapRoutes } from '../../src/server/policy-of.ts'

export interface Mapped {
  readonly settings: Settings
  readonly routes: readonly MappedRoute[]
  readonly catalogue: Catalogue
}

export function mappedOf(settings: Settings): Mapped {
  const catalogue = compileCatalogue(settings.scopes)
  return { settings, catalogue, routes: mapRoutes(settings, catalogue) }
}
