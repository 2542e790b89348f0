// A route of the running map together with what decisions read of it, so that what is told about scopes comes from the very values
// by which requests are decided.

import type { FhirRoute, PlainRoute } from '../../config/settings.ts'
import type { FhirPolicy } from '../decision/policy.ts'

export type MappedRoute = MappedFhirRoute | { readonly kind: 'plain'; readonly route: PlainRoute }

export interface MappedFhirRoute {
  readonly kind: 'fhir'
  readonly route: FhirRoute
  readonly policy: FhirPolicy
}
