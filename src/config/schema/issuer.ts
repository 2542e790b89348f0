// `issuers:` whose tokens are believed, how they are verified and how their claims are read (contract §3, RFC 9068, RFC 8414).
import { endpointUrl, issuerUrl } from './address.ts'
import { duration } from './duration.ts'
import { choice, defaulted, flag, list, named, oneOrMany, optional, secret, section, text } from './keywords.ts'

const algorithm = choice(
  ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  'An asymmetric JWS algorithm.',
)

const claim = (what: string) =>
  oneOrMany(
    text('A claim name, or a JSON Pointer when it starts with "/".'),
    `Claims that hold ${what}; the first present counts.`,
  )

const claims = section(
  {
    scope: defaulted(claim('the scopes'), ['scope', 'scp']),
    patient: defaulted(claim('the launch patient, one or several'), ['patient']),
    fhirUser: defaulted(claim('the user as a FHIR reference'), ['fhirUser']),
    client: defaulted(claim('the OAuth client'), ['client_id', 'azp']),
  },
  'Where the facts of a token are found.',
)

const introspection = section(
  {
    url: endpointUrl('Introspection endpoint (RFC 7662).'),
    clientId: text('Client id of the gateway at that endpoint.'),
    clientSecret: secret('Client secret of the gateway at that endpoint.'),
    cache: defaulted(duration('How long an answer is believed.'), '30s'),
    always: defaulted(flag('Ask for JWTs too, not only for opaque tokens.'), false),
    opaque: defaulted(
      flag(
        "Ask about tokens that are no JWT; false where such tokens are never this issuer's, so that it never sees them.",
      ),
      true,
    ),
    requireAudience: defaulted(flag('Refuse answers that name no audience.'), false),
  },
  'Asks the issuer about tokens.',
)

export const Issuer = section(
  {
    name: optional(text('Short name for routes, logs and metrics; default: the issuer URL.')),
    issuer: issuerUrl('The `iss` of its tokens, character by character; http only on loopback.'),
    audience: oneOrMany(text('An audience.'), 'A token must carry one of these in `aud`.'),
    jwks: optional(endpointUrl('URL of its key set.')),
    discovery: defaulted(flag('Find the key set by its discovery document.'), false),
    jwksFile: optional(text('File with its key set.')),
    algorithms: defaulted(list(algorithm, 'Signature algorithms that are accepted.', { minItems: 1 }), [
      'RS384',
      'ES384',
      'RS256',
      'ES256',
    ]),
    typ: defaulted(list(text('A media type.'), 'Accepted `typ` headers of tokens.', { minItems: 1 }), [
      'at+jwt',
      'JWT',
    ]),
    clockSkew: defaulted(duration('Tolerated difference between clocks.'), '30s'),
    maxLifetime: defaulted(duration('Longest time from `iat` (or now) to `exp`.'), '24h'),
    mayGrant: optional(
      list(
        text('A scope, or a pattern such as patient/*.'),
        'Scopes that it may mint; default all; required with several issuers.',
      ),
    ),
    claims: defaulted(claims, {}),
    scopeMap: defaulted(named(text('SMART or product scopes.'), 'What its own scope names mean here.'), {}),
    dottedScopes: defaulted(flag('Accept patient.Observation.read and patient%2fObservation.read.'), false),
    usCoreMisprints: defaulted(flag('Accept the known misprints of US Core scopes as what they mean.'), true),
    introspection: optional(introspection),
  },
  'An issuer of tokens.',
)
