// The endpoints of every other product, and paths beside them that no scope opens.

import type { Behind, Endpoint } from './endpoint.ts'

const CALL = { body: '{}', headers: { 'content-type': 'application/json' } }

/** One scope each. */
const PRODUCTS: Readonly<Partial<Record<Behind, Readonly<Record<string, string>>>>> = {
  'Beacon Ingest': {
    'POST /beacon/shc/verify': 'cms.shc.verify',
    'POST /beacon/shl/create': 'cms.shl.create',
    'GET /beacon/shl/7f3a': 'cms.shl.resolve',
  },
  'Identity & GPID': {
    'POST /api/identity/match': 'cms.identity.match',
    'POST /api/identity/resolve': 'cms.identity.resolve',
    'POST /api/identity/merge': 'identity.merge',
    'POST /api/identity/split': 'identity.split',
  },
  'Plexus IAM': {
    'POST /plexus/gpid/retire': 'plexus.gpid.admin',
    'POST /plexus/gpid/7f3a/aliases': 'plexus.gpid.admin',
  },
  'Prime Wearables': {
    'POST /prime/v1/wearables/events': 'prime.ingest.write',
    'GET /prime/v1/health': 'prime.ingest.read',
    'GET /prime/v1/alerts': 'prime.alerts.read',
  },
  'Horizon Analytics': {
    'POST /horizon/v1/query/nl': 'horizon.query',
    'POST /horizon/v1/query/execute': 'horizon.query',
    'POST /horizon/v1/horizon-score/compute': 'horizon.score',
  },
  'TEFCA Gateway': {
    'POST /tefca/xcpd/search': 'tefca.xcpd.read',
    'POST /tefca/xcpd/discover': 'tefca.xcpd.write',
    'POST /tefca/xca/search': 'tefca.xca.read',
    'POST /tefca/xca/query': 'tefca.xca.write',
  },
  'Velocity RCM': {
    'POST /velocity/v1/clearinghouse/eligibility': 'velocity.clearinghouse.eligibility',
    'POST /velocity/v1/clearinghouse/claims/status': 'velocity.clearinghouse.claims.read',
    'POST /velocity/v1/clearinghouse/claims/submit': 'velocity.clearinghouse.claims.write',
  },
  'CMS Ecosystem': {
    'GET /cms/partners/pipeline': 'cms.pipeline.read',
    'GET /cms/sdk/catalog': 'cms.sdk.read',
    'GET /cms/sdk/docs/quickstart': 'cms.sdk.read',
  },
}

export const PRODUCT_ENDPOINTS: readonly Endpoint[] = Object.entries(PRODUCTS).flatMap(([behind, lines]) =>
  Object.entries(lines).map(([line, scope]) => ({
    line,
    behind: behind as Behind,
    covers: [scope],
    ...(line.startsWith('POST') ? { ask: CALL } : {}),
  })),
)

/** Not on the route map: no scope whatever opens them. */
export const NO_ENDPOINTS: Readonly<Record<string, '404 route-unknown' | '405 interaction-unknown'>> = {
  'GET /horizon/v1/query/nl': '405 interaction-unknown',
  'POST /horizon/v1/query': '404 route-unknown',
  'POST /horizon/v1/query/nl/more': '404 route-unknown',
  'DELETE /prime/v1/alerts': '405 interaction-unknown',
  'GET /beacon/shl': '404 route-unknown',
  'GET /beacon/shl/7f3a/more': '404 route-unknown',
  'GET /plexus/gpid/retire': '405 interaction-unknown',
  'POST /cms/sdk/catalog': '405 interaction-unknown',
  'GET /cms/sdkx': '404 route-unknown',
  'GET /cms/partners': '404 route-unknown',
  'GET /fhir/R3/Patient': '404 route-unknown',
  'GET /': '404 route-unknown',
}
