// The catalogue as the product's Scope Reference has it: forty scopes, what may carry each, which products use it. Copied by hand
// from that document, never from routes.yaml, so that the two can disagree.

export type Carrier = 'API Key' | 'Service Key' | 'OAuth 2.0' | 'SMART on FHIR'
export type Kind = 'bearer' | 'api-key' | 'service-key'

export interface SeedScope {
  readonly name: string
  readonly category: string
  readonly carriers: readonly Carrier[]
  readonly products: readonly string[]
}

const KEY: readonly Carrier[] = ['API Key', 'OAuth 2.0']
const SERVICE: readonly Carrier[] = ['Service Key', 'OAuth 2.0']
const OAUTH: readonly Carrier[] = ['OAuth 2.0']
const SMART: readonly Carrier[] = ['SMART on FHIR']
const BACKEND: readonly Carrier[] = ['SMART on FHIR', 'OAuth 2.0']

type Row = readonly [name: string, carriers: readonly Carrier[], products: string]

const BY_CATEGORY: Readonly<Record<string, readonly Row[]>> = {
  'FHIR Platform': [
    ['cms.fhir.r4.read', KEY, 'APEX Nexus, FHIR Data Lake'],
    ['cms.fhir.r5.read', KEY, 'APEX Nexus'],
    ['cms.fhir.bundle.push', KEY, 'APEX Nexus, Beacon Ingest'],
    ['cms.fhir.rest.write', KEY, 'APEX Nexus, Sightline, Odonto'],
    ['cms.shc.verify', KEY, 'Beacon Ingest'],
    ['cms.shl.create', KEY, 'Beacon Ingest'],
    ['cms.shl.resolve', KEY, 'Beacon Ingest'],
  ],
  'SMART on FHIR': [
    ['patient/Patient.read', SMART, 'APEX Nexus'],
    ['patient/Observation.read', SMART, 'APEX Nexus, Prime'],
    ['patient/*.read', SMART, 'APEX Nexus'],
    ['user/Patient.read', SMART, 'APEX Nexus'],
    ['user/*.write', SMART, 'APEX Nexus'],
    ['launch/patient', SMART, 'APEX Nexus'],
    ['launch-ehr', SMART, 'APEX Nexus'],
    ['fhirUser', SMART, 'APEX Nexus'],
    ['offline_access', SMART, 'APEX Nexus'],
  ],
  'Identity & GPID': [
    ['cms.identity.match', KEY, 'Identity & GPID'],
    ['cms.identity.resolve', KEY, 'Identity & GPID'],
    ['identity.merge', SERVICE, 'Identity & GPID'],
    ['identity.split', SERVICE, 'Identity & GPID'],
  ],
  'Plexus IAM': [['plexus.gpid.admin', OAUTH, 'Plexus IAM']],
  'Prime Wearables': [
    ['prime.ingest.write', KEY, 'Prime Wearables'],
    ['prime.ingest.read', KEY, 'Prime Wearables'],
    ['prime.fhir.observation.write', KEY, 'Prime Wearables'],
    ['prime.fhir.device.write', KEY, 'Prime Wearables'],
    ['prime.alerts.read', KEY, 'Prime Wearables'],
  ],
  'Horizon Analytics': [
    ['horizon.query', OAUTH, 'Horizon Analytics'],
    ['horizon.score', OAUTH, 'Horizon Analytics'],
  ],
  'TEFCA Exchange': [
    ['tefca.xcpd.read', OAUTH, 'TEFCA Gateway'],
    ['tefca.xcpd.write', OAUTH, 'TEFCA Gateway'],
    ['tefca.xca.read', OAUTH, 'TEFCA Gateway'],
    ['tefca.xca.write', OAUTH, 'TEFCA Gateway'],
  ],
  'Velocity RCM': [
    ['velocity.clearinghouse.eligibility', OAUTH, 'Velocity RCM'],
    ['velocity.clearinghouse.claims.read', OAUTH, 'Velocity RCM'],
    ['velocity.clearinghouse.claims.write', OAUTH, 'Velocity RCM'],
  ],
  'CMS & Partners': [
    ['cms.pipeline.read', KEY, 'CMS Ecosystem'],
    ['cms.sdk.read', KEY, 'CMS Ecosystem'],
  ],
  'System & Bulk': [
    ['system/*.read', BACKEND, 'APEX Nexus, FHIR Data Lake'],
    ['system/Patient.read', BACKEND, 'APEX Nexus'],
    ['system/*.write', BACKEND, 'APEX Nexus'],
  ],
}

export const SEED_SCOPES: readonly SeedScope[] = Object.entries(BY_CATEGORY).flatMap(([category, rows]) =>
  rows.map(([name, carriers, products]) => ({ name, category, carriers, products: products.split(', ') })),
)

/** About the launch or the user; they open nothing. */
export const CONTEXT_SCOPES: readonly string[] = ['launch/patient', 'launch-ehr', 'fhirUser', 'offline_access']

const KIND_OF: Readonly<Record<Carrier, Kind>> = {
  'API Key': 'api-key',
  'Service Key': 'service-key',
  'OAuth 2.0': 'bearer',
  'SMART on FHIR': 'bearer',
}

/** The kinds of credential that the document gives a scope. */
export function kindsOf(name: string): readonly Kind[] {
  const scope = SEED_SCOPES.find((one) => one.name === name)
  if (scope === undefined) throw new Error(`${name} is not in the catalogue`)
  return [...new Set(scope.carriers.map((carrier) => KIND_OF[carrier]))]
}
