// What the demo prints: lines to paste, one that is let through, one that is refused, and what `explain` says to it.

import type { DemoKey } from './demo-keys.ts'

export interface TourFacts {
  readonly gateway: string
  readonly admin: string
  readonly issuer: string
  /** Header that carries keys, and the demo's own; absent where the route map takes no keys. */
  readonly keyHeader: string | undefined
  readonly keys: readonly DemoKey[]
}

const SCOPE = 'user/Observation.rs'
/** Has laboratory results, as not every demo patient has. */
const PATIENT = 'Patient/5'
const ALLOWED = `/fhir/R4/Observation?patient=${PATIENT}&category=laboratory&_count=1`
const REFUSED = `/fhir/R4/Condition?patient=${PATIENT}`

/** The product call that is shown, and the scope that it needs. */
const HEALTH = { scope: 'prime.ingest.read', path: '/prime/v1/health' }

export function printTour(facts: TourFacts): string {
  const { gateway, admin, issuer } = facts
  return `
scopegate runs on ${gateway}, in front of a FHIR R4 server with nine synthetic patients. Ctrl-C stops everything.

1. A token that may read and search Observations (from the demo's own issuer):

   TOKEN=$(curl -s ${issuer}/token -d grant_type=client_credentials -d fhirUser=Practitioner/1 --data-urlencode 'scope=${SCOPE}' | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

2. Let through: one laboratory result of ${PATIENT}.

   curl -si '${gateway}${ALLOWED}' -H "Authorization: Bearer $TOKEN"

3. Refused: the same patient's Conditions. The answer says which scope is missing.

   curl -si '${gateway}${REFUSED}' -H "Authorization: Bearer $TOKEN"

4. Why? The same engine, asked on the admin port:

   curl -s ${admin}/explain -H 'Content-Type: application/json' -d '{"method":"GET","target":"${REFUSED}","scope":"${SCOPE}","fhirUser":"Practitioner/1"}'

   or without a running gateway:

   npm run --silent scopegate -- explain --scope '${SCOPE}' --fhir-user Practitioner/1 GET '${REFUSED}'
${printKeys(facts)}
Every scope, and what it opens: ${gateway}/scopes/
Metrics: ${admin}/metrics   Discovery: ${gateway}/fhir/R4/.well-known/smart-configuration
`
}

function printKeys({ gateway, keyHeader, keys }: TourFacts): string {
  const shown = keys.find(({ key }) => key.scopes.includes(HEALTH.scope))
  if (keyHeader === undefined || shown === undefined) return ''
  const width = Math.max(...keys.map(({ category }) => category.length))
  const lines = keys.map(({ category, secret, key }) => `   ${category.padEnd(width)}  ${secret}  (${key.kind})`)
  return `
5. Other products, by a key instead of a token:

   curl -si '${gateway}${HEALTH.path}' -H '${keyHeader}: ${shown.secret}'

   Keys of the demo, each with every scope of its category that such a key may carry:

${lines.join('\n')}

   One of your own counts within a second: npm run --silent scopegate -- keys create --kind api-key --owner me --scope ${HEALTH.scope}
`
}
