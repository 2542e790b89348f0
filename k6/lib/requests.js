// Every kind of request, each with the credential it is sent with and the answer it must get. `kind` groups the measurements.
// The ids and categories are those of the demo's data: Patient/1 to Patient/9, of whom Patient/3 has most.

import { conformance, observationOf, outcome, problem, resource, searchset, standIn } from './expect.js'

const R4 = '/fhir/R4'
const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }
const JSON_BODY = { 'Content-Type': 'application/json' }
const FHIR_BODY = { 'Content-Type': 'application/fhir+json' }
const LABORATORY = `${R4}/Observation?patient=3&category=laboratory&_count=5`

/** `gateway` is its public base, which its own links and documents must name. */
export function requestsTo(gateway) {
  const read = (name, as, path, checks) => ({ kind: 'read', name, as, method: 'GET', path, status: 200, checks })
  const search = (name, as, path, checks) => ({ ...read(name, as, path, checks), kind: 'search' })
  const product = (name, as, method, path, owner) => ({
    kind: 'product',
    name,
    as,
    method,
    path,
    ...(method === 'POST' ? { headers: JSON_BODY, body: '{}' } : {}),
    status: 200,
    checks: standIn(owner, method, path),
  })
  const refusal = (name, as, path, status, checks, more = {}) => ({
    kind: 'refusal',
    name,
    as,
    method: 'GET',
    path,
    status,
    checks,
    ...more,
  })
  const document = (name, path, checks) => ({ kind: 'discovery', name, method: 'GET', path, status: 200, checks })
  const laboratory = searchset('Observation', gateway, observationOf('3', 'laboratory'))

  return [
    read('read', 'reader', `${R4}/Patient/3`, resource('Patient', '3')),
    read('read by a product scope', 'partner', `${R4}/Patient/3`, resource('Patient', '3')),
    read('read of the launch patient', 'app', `${R4}/Patient/3`, resource('Patient', '3')),
    read("read in the launch patient's compartment", 'app', `${R4}/Observation/2216`, resource('Observation', '2216')),
    read('read on R5', 'partnerR5', '/fhir/R5/Patient/3', resource('Patient', '3')),
    read('read by an API key', 'apiKey', `${R4}/Patient/3`, resource('Patient', '3')),
    read('vread', 'reader', `${R4}/Patient/3/_history/1`, resource('Patient', '3')),
    read('instance history', 'reader', `${R4}/Patient/3/_history`, {
      'is a history of Patient/3': ({ json }) =>
        json.type === 'history' && json.entry.every((entry) => entry.fullUrl === `${gateway}${R4}/Patient/3`),
    }),
    { ...read('absent', 'reader', `${R4}/Patient/no-such-patient`, notFound()), status: 404 },

    search('search by category', 'reader', LABORATORY, laboratory),
    search('search by category, as a clinician', 'clinician', LABORATORY, laboratory),
    search(
      'search narrowed to a category by the scope',
      'laboratory',
      `${R4}/Observation?patient=3&_count=5`,
      laboratory,
    ),
    search(
      'search narrowed to the launch patient',
      'app',
      `${R4}/Observation?category=laboratory&_count=5`,
      laboratory,
    ),
    {
      ...search(
        'search by POST',
        'reader',
        `${R4}/Observation/_search`,
        searchset('Observation', gateway, observationOf('3', 'vital-signs')),
      ),
      method: 'POST',
      headers: FORM,
      body: 'patient=3&category=vital-signs&_count=5',
    },
    search(
      'search of Conditions',
      'reader',
      `${R4}/Condition?patient=3&_count=5`,
      searchset('Condition', gateway, (condition) => condition.subject.reference === 'Patient/3'),
    ),

    search('everything of a patient', 'reader', `${R4}/Patient/3/$everything?_count=5`, {
      'is a Bundle of the record': ({ json }) =>
        json.type === 'searchset' && json.total > 100 && json.entry.length === 5,
    }),

    product('Horizon query', 'horizon', 'POST', '/horizon/v1/query/nl', 'Horizon Analytics'),
    product('claim status', 'claimsReader', 'POST', '/velocity/v1/clearinghouse/claims/status', 'Velocity RCM'),
    product('Prime health', 'prime', 'GET', '/prime/v1/health', 'Prime Wearables'),
    product('Prime health by an API key', 'apiKey', 'GET', '/prime/v1/health', 'Prime Wearables'),
    product('merge by a service key', 'serviceKey', 'POST', '/api/identity/merge', 'Identity & GPID'),
    product('health link', 'beacon', 'GET', '/beacon/shl/abc?part=1', 'Beacon Ingest'),

    refusal('no credential', undefined, `${R4}/Patient/3`, 401, {
      ...outcome('token-missing', 'resource_metadata='),
      'names no error': ({ header }) => !header('WWW-Authenticate').includes('error='),
    }),
    refusal(
      'no credential, product',
      undefined,
      '/prime/v1/health',
      401,
      problem('token-missing', 'resource_metadata='),
    ),
    refusal('forged token', 'forged', `${R4}/Patient/3`, 401, outcome('token-invalid', 'error="invalid_token"')),
    refusal('forged key', 'forgedKey', '/prime/v1/health', 401, problem('token-invalid', 'error="invalid_token"')),
    refusal(
      'two credentials',
      'both',
      `${R4}/Patient/3`,
      400,
      outcome('credential-ambiguous', 'error="invalid_request"'),
    ),
    refusal(
      'kind of credential',
      'apiKey',
      '/horizon/v1/query/nl',
      403,
      problem('credential-kind', 'error="insufficient_scope"'),
      {
        method: 'POST',
        headers: JSON_BODY,
        body: '{}',
      },
    ),
    refusal(
      'scope of another type',
      'observations',
      `${R4}/Condition?patient=3`,
      403,
      outcome('scope-insufficient', 'error="insufficient_scope"', 'scope="system/Condition.s"'),
    ),
    refusal(
      'read scope, written with',
      'reader',
      `${R4}/Patient`,
      403,
      outcome('scope-insufficient', 'scope="system/Patient.c"'),
      { method: 'POST', headers: FHIR_BODY, body: '{"resourceType":"Patient"}' },
    ),
    refusal(
      'bundle scope, outside a Bundle',
      'pusher',
      `${R4}/Patient`,
      403,
      outcome('scope-insufficient', 'scope="system/Patient.c"'),
      { method: 'POST', headers: FHIR_BODY, body: '{"resourceType":"Patient"}' },
    ),
    refusal('another patient', 'app', `${R4}/Patient/4`, 403, outcome('patient-mismatch')),
    refusal("another patient's Observation", 'app', `${R4}/Observation/2238`, 404, outcome('not-found')),
    refusal(
      'patient scope, no launch',
      'appUnlaunched',
      `${R4}/Patient/3`,
      403,
      outcome('launch-context-missing', 'error="insufficient_scope"'),
    ),
    refusal(
      'unenforceable',
      'app',
      `${R4}/Observation?_filter=code%20eq%20x`,
      403,
      outcome('constraint-unenforceable'),
    ),
    refusal(
      'unlisted operation',
      'reader',
      `${R4}/Observation/$stats?patient=3`,
      403,
      outcome('operation-not-listed', 'error="insufficient_scope"'),
    ),
    refusal(
      'claims read with the write scope',
      'claimsWriter',
      '/velocity/v1/clearinghouse/claims/status',
      403,
      problem('scope-insufficient', 'scope="velocity.clearinghouse.claims.read"'),
      { method: 'POST', headers: JSON_BODY, body: '{}' },
    ),
    refusal('no such interaction', 'reader', R4, 405, outcome('interaction-unknown'), { method: 'DELETE' }),
    refusal('no such route', 'reader', '/no/such/route', 404, problem('route-unknown')),
    refusal('ambiguous path', 'reader', `${R4}/Patient/..%2f3`, 400, problem('target-ambiguous')),

    document('CapabilityStatement', `${R4}/metadata`, conformance('4.0.1', `${gateway}${R4}`)),
    document('CapabilityStatement of R5', '/fhir/R5/metadata', conformance('5.0.0', `${gateway}/fhir/R5`)),
    document('SMART configuration', `${R4}/.well-known/smart-configuration`, {
      'names the token endpoint and scopes': ({ json }) =>
        json.token_endpoint.endsWith('/token') && json.scopes_supported.includes('patient/*.read'),
    }),
    document('Scope Reference', '/scopes/', {
      'is a page under a strict policy': ({ header }) =>
        header('Content-Type').startsWith('text/html') &&
        header('Content-Security-Policy').startsWith("default-src 'none'"),
    }),
    document('scopes as JSON', '/scopes.json', {
      'has the whole catalogue': ({ json }) => json.totals.scopes === 40 && json.totals.categories === 10,
    }),
    document('protected resource', `/.well-known/oauth-protected-resource${R4}`, {
      'names itself and an issuer': ({ json }) =>
        json.resource === `${gateway}${R4}` && json.authorization_servers.length === 1,
    }),
  ]
}

function notFound() {
  return {
    'is an OperationOutcome': ({ json }) => json.resourceType === 'OperationOutcome',
    'says not-found': ({ json }) => json.issue[0].code === 'not-found',
  }
}
