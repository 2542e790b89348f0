// What the upstream of a route is told about the caller: identity headers, and what it gets in `Authorization`.
import { endpointUrl } from './address.ts'
import { headerName } from './header-name.ts'
import { choice, either, flag, optional, secret, section, shorthand, text } from './keywords.ts'

export const STANDARD_IDENTITY_HEADERS = {
  subject: 'X-Auth-Subject',
  client: 'X-Auth-Client',
  user: 'X-Auth-FhirUser',
  patient: 'X-Auth-Patient',
  scope: 'X-Auth-Scope',
}

const headers = section(
  {
    subject: optional(headerName('Header for the subject of the token.')),
    client: optional(headerName('Header for the OAuth client or key owner.')),
    user: optional(headerName('Header for the FHIR user.')),
    patient: optional(headerName('Header for the launch patient.')),
    scope: optional(headerName('Header for the granted scopes.')),
  },
  'Header names, by fact; a fact without one is not sent.',
)

export const IdentityHeaders = shorthand(
  flag('The standard set of headers, or none.'),
  headers,
  (on) => (on ? STANDARD_IDENTITY_HEADERS : {}),
  'Headers that tell the upstream who calls; the client can never send them itself.',
  { '~expected': 'true, false, or a map of header names' },
)

const clientCredentials = section(
  {
    url: endpointUrl('Token endpoint.'),
    clientId: text('Client id of the gateway.'),
    clientSecret: secret('Client secret of the gateway.'),
    scope: optional(text('Scopes to ask for.')),
  },
  'A token that the gateway gets for itself (RFC 6749 §4.4).',
)

export const Authorization = either(
  [
    choice(['none', 'passthrough'], 'Nothing, or the token of the client as it came.'),
    section({ bearer: secret('A fixed token.') }, 'A fixed token.'),
    section({ clientCredentials }, 'A token of the gateway itself.'),
  ],
  'What the upstream gets in Authorization.',
  { '~expected': 'none, passthrough, { bearer: … } or { clientCredentials: … }' },
)
