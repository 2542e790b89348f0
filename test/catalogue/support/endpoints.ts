// Which scopes of the catalogue cover which endpoint: STATED in these tables, endpoint by endpoint, from the Scope Reference and the
// rules of what scopes mean; nothing of it is computed from src/. Whatever is not named in a row is refused there.

import type { Endpoint } from './endpoint.ts'
import { FHIR_ENDPOINTS } from './fhir-endpoints.ts'
import { PRODUCT_ENDPOINTS } from './product-endpoints.ts'

export const ENDPOINTS: readonly Endpoint[] = [...FHIR_ENDPOINTS, ...PRODUCT_ENDPOINTS]
