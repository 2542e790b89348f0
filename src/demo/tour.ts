// What the demo prints: lines to paste, one that is let through, one that is refused, and what `explain` says to it.

export interface TourAddresses {
  readonly gateway: string
  readonly admin: string
  readonly issuer: string
}

const SCOPE = 'user/Observation.rs'
const ALLOWED = '/fhir/R4/Observation?patient=Patient/7&category=laboratory&_count=1'
const REFUSED = '/fhir/R4/Condition?patient=Patient/7'

export function printTour({ gateway, admin, issuer }: TourAddresses): string {
  return `
scopegate runs on ${gateway}, in front of a FHIR R4 server with nine synthetic patients. Ctrl-C stops everything.

1. A token that may read and search Observations (from the demo's own issuer):

   TOKEN=$(curl -s ${issuer}/token -d grant_type=client_credentials -d fhirUser=Practitioner/1 --data-urlencode 'scope=${SCOPE}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

2. Let through: one laboratory result of Patient/7.

   curl -si '${gateway}${ALLOWED}' -H "Authorization: Bearer $TOKEN"

3. Refused: the same patient's Conditions. The answer says which scope is missing.

   curl -si '${gateway}${REFUSED}' -H "Authorization: Bearer $TOKEN"

4. Why? The same engine, asked on the admin port:

   curl -s ${admin}/explain -H 'Content-Type: application/json' -d '{"method":"GET","target":"${REFUSED}","scope":"${SCOPE}","fhirUser":"Practitioner/1"}'

   or without a running gateway:

   npm run --silent scopegate -- explain --scope '${SCOPE}' --fhir-user Practitioner/1 GET '${REFUSED}'

Metrics: ${admin}/metrics   Discovery: ${gateway}/fhir/R4/.well-known/smart-configuration
`
}
