// Who asks: each credential holds only what its requests need, so that a request which gets further shows up as a failed check.

/** Minted once, in setup, by the demo's token issuer. */
export const CREDENTIALS = {
  reader: { scope: 'system/*.rs' },
  writer: { scope: 'system/*.crud' },
  clinician: { scope: 'user/Observation.rs', fhirUser: 'Practitioner/1' },
  app: { scope: 'patient/*.rs', patient: '3' },
  appUnlaunched: { scope: 'patient/*.rs' },
  laboratory: {
    scope: 'system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
  },
  observations: { scope: 'system/Observation.rs' },
  partner: { scope: 'cms.fhir.r4.read' },
  partnerR5: { scope: 'cms.fhir.r5.read' },
  pusher: { scope: 'cms.fhir.bundle.push' },
  horizon: { scope: 'horizon.query' },
  claimsReader: { scope: 'velocity.clearinghouse.claims.read' },
  claimsWriter: { scope: 'velocity.clearinghouse.claims.write' },
  prime: { scope: 'prime.ingest.read' },
  beacon: { scope: 'cms.shl.resolve' },
}

/** Keys come in the environment variable `secret`: `npm run k6` has them made. Without one, its requests are left out. */
export const KEYS = {
  apiKey: { secret: 'API_KEY', kind: 'api-key', scope: 'cms.fhir.r4.read prime.ingest.read' },
  serviceKey: { secret: 'SERVICE_KEY', kind: 'service-key', scope: 'identity.merge' },
}

/** The form of a token request (RFC 6749 §4.4.2). */
export function tokenForm({ scope, patient, fhirUser }) {
  return {
    grant_type: 'client_credentials',
    scope,
    ...(patient === undefined ? {} : { patient }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
  }
}
