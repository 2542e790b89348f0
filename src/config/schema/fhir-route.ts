// A route that is a FHIR REST endpoint: which scopes count there and how far each rule of contract §5 goes.
import { endpointUrl } from './address.ts'
import { size } from './duration.ts'
import { Grants } from './grants.ts'
import { choice, count, defaulted, either, flag, list, optional, parsed, section, shorthand, text } from './keywords.ts'
import { Operations } from './operations.ts'
import { basePath } from './path.ts'
import { routeParts } from './route-parts.ts'
import { SCOPE_TOKEN } from './scope-catalogue.ts'
import { IdentityHeaders, STANDARD_IDENTITY_HEADERS } from './toward-upstream.ts'

const endpoints = section(
  {
    authorization: optional(endpointUrl('Authorization endpoint.')),
    token: optional(endpointUrl('Token endpoint.')),
    introspection: optional(endpointUrl('Introspection endpoint.')),
    revocation: optional(endpointUrl('Revocation endpoint.')),
    registration: optional(endpointUrl('Registration endpoint.')),
    management: optional(endpointUrl('Page where users manage their grants.')),
    jwks: optional(endpointUrl('Key set.')),
  },
  'Endpoints that smart-configuration names instead of those that discovery finds.',
)

const smartSection = section(
  {
    issuer: optional(text('Name of the issuer that discovery documents describe; default: the first of the route.')),
    endpoints: optional(endpoints),
    capabilities: optional(list(text('A SMART capability.'), 'Capabilities that smart-configuration lists.')),
    scopesSupported: optional(
      list(
        text('A scope, or us-core-7 for all of US Core.', SCOPE_TOKEN),
        'Scopes listed besides those of the catalogue.',
      ),
    ),
  },
  'SMART on FHIR in detail.',
)

const smart = shorthand(
  flag('SMART scopes count here.'),
  smartSection,
  (on) => (on ? {} : undefined),
  'Whether SMART scopes count here, and what smart-configuration says.',
  { '~expected': 'true, false, or a map with issuer, endpoints, capabilities, scopesSupported' },
)

const until = parsed(parseDate, 'Day on which enforcement begins (UTC).', {
  pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  '~expected': 'a date such as 2027-01-31',
})

const mode = either(
  [
    choice(['enforce'], 'Refusals are answered.'),
    section(
      {
        observe: section(
          {
            until,
            writes: defaulted(choice(['enforce', 'observe'], 'Whether writes are enforced all the same.'), 'enforce'),
          },
          'Refusals that follow from scopes are recorded only, until a date.',
        ),
      },
      'Staged roll-out.',
    ),
  ],
  'Whether refusals are answered, or for a time only recorded.',
  { '~expected': 'enforce or { observe: { until: 2027-01-31 } }' },
)

const REFERENCE_DATA = [
  'Practitioner',
  'PractitionerRole',
  'Organization',
  'Location',
  'Medication',
  'HealthcareService',
  'Endpoint',
  'Questionnaire',
]

const resourceType = text('A resource type.', {
  pattern: '^[A-Z][A-Za-z]+$',
  '~expected': 'a resource type such as Organization',
})

const patientScopes = section(
  {
    compartment: defaulted(
      choice(
        ['primary', 'full'],
        'primary: what is about the patient; full: also where the patient takes part in another role.',
      ),
      'primary',
    ),
    sharedTypes: defaulted(
      list(resourceType, 'Types without patients that patient/ scopes may read, never write.'),
      REFERENCE_DATA,
    ),
  },
  'How far patient/ scopes reach.',
)

const limits = section(
  {
    body: optional(size('Most bytes of a request body.')),
    searchParameters: optional(count('Most query parameters of one request.', 1)),
    bundleEntries: optional(count('Most entries of a Bundle that a client sends.', 1)),
    guardedBody: optional(size('Most bytes held in memory at once while an answer is checked.')),
  },
  'Limits of this route instead of those of the server.',
)

export const FhirRoute = section(
  {
    ...routeParts,
    fhir: choice(['R4', 'R4B', 'R5'], 'A FHIR REST endpoint of this version.'),
    path: basePath('Its base below publicUrl; replaced by the path of the upstream URL.'),
    smart: optional(smart),
    mode: defaulted(mode, 'enforce'),
    grants: defaulted(Grants, {}),
    operations: defaulted(Operations, {}),
    patientScopes: defaulted(patientScopes, {}),
    userScopes: defaulted(
      choice(
        ['delegate', 'fhirUser', 'refuse'],
        'user/ scopes: the FHIR server decides what a user sees, or only what names the user, or not at all.',
      ),
      'delegate',
    ),
    trustNarrowing: defaulted(flag('Release the matches of an exactly narrowed search unread.'), false),
    sealPages: defaulted(flag('Seal the page links of Bundles.'), true),
    identityHeaders: defaulted(IdentityHeaders, STANDARD_IDENTITY_HEADERS),
    criteriaWithoutSearch: defaulted(flag('SMART system/ scopes may write with search criteria without `s`.'), false),
    unversionedWrites: defaulted(
      choice(['refuse', 'allow'], 'Guarded writes to servers that give no versions.'),
      'refuse',
    ),
    updateCreate: defaulted(choice(['refuse', 'allow'], 'Guarded PUT to an id that does not exist yet.'), 'refuse'),
    limits: optional(limits),
  },
  'A FHIR REST endpoint.',
)

function parseDate(text: string): number | undefined {
  const time = Date.parse(`${text}T00:00:00Z`)
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(text) ? undefined : time
}
