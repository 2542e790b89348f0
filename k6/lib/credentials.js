// Who asks: each credential holds the one scope that its requests need, so that a request which gets further than its
// scope shows up as a failed check. Minted once, in setup, by the demo's token issuer.

export const CREDENTIALS = {
  reader: { scope: 'system/*.rs' },
  writer: { scope: 'system/*.crud' },
  clinician: { scope: 'user/Observation.rs', fhirUser: 'Practitioner/1' },
  app: { scope: 'patient/*.rs', patient: '3' },
  appUnlaunched: { scope: 'patient/*.rs' },
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

/** The form of a token request (RFC 6749 §4.4.2). */
export function tokenForm({ scope, patient, fhirUser }) {
  return {
    grant_type: 'client_credentials',
    scope,
    ...(patient === undefined ? {} : { patient }),
    ...(fhirUser === undefined ? {} : { fhirUser }),
  }
}
