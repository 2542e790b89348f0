// The optional sections beside routes: API keys, revocations, CORS, shared state, external authorisation, audit, telemetry.
import { address, endpointUrl } from './address.ts'
import { headerName } from './header-name.ts'
import { choice, defaulted, either, flag, list, optional, parsed, secret, section, text } from './keywords.ts'

export const ApiKeys = section(
  {
    header: defaulted(headerName('Header that carries a key; never sent upstream.'), 'X-API-Key'),
    file: defaulted(text('File with the hashes of the keys.'), 'keys.yaml'),
  },
  'API keys and service keys.',
)

export const Revocations = section(
  { file: text('File with what was revoked, one JSON object a line; must be there at the start, may be empty.') },
  'Where revoked tokens, subjects and clients are kept.',
)

const origin = parsed(parseOrigin, 'An origin as browsers write it, or * for all.', {
  pattern: '^(\\*|https?://[^\\s/?#]+)$',
  '~expected': 'an origin such as https://app.example.org',
})

/** Browsers write the host in lower case and leave a port out that goes without saying. */
function parseOrigin(written: string): string | undefined {
  if (written === '*') return written
  return URL.canParse(written) && !/[@*]/.test(written) ? new URL(written).origin : undefined
}

export const Cors = section(
  { origins: list(origin, 'Origins whose pages may call the gateway.') },
  'Cross-origin requests of browsers.',
)

export const Shared = section(
  { redis: optional(secret('Redis URL: rate limits, revocations and replay guards for all replicas.')) },
  'State that replicas share; absent: each process has its own.',
)

export const Authz = section(
  {
    http: optional(address('Decisions for nginx auth_request, Traefik and Caddy.')),
    grpc: optional(address('Decisions for Envoy ext_authz.')),
  },
  'Decisions for other proxies.',
)

export const Audit = section(
  {
    sink: either(
      [
        choice(['file', 'stdout'], 'A directory of files, or standard output.'),
        section({ fhir: text('Name of an upstream.') }, 'A FHIR server that stores AuditEvents.'),
      ],
      'Where AuditEvents go.',
      { '~expected': 'file, stdout or { fhir: upstream-name }' },
    ),
    path: defaulted(text('Directory of the file sink.'), 'audit/'),
    failClosed: defaulted(flag('Refuse requests while they cannot be audited.'), false),
  },
  'FHIR AuditEvents for permitted and refused requests.',
)

export const Telemetry = section({ otlp: optional(endpointUrl('OTLP endpoint for traces.')) }, 'OpenTelemetry.')
