// The whole of routes.yaml (contract §3). `routes.schema.json`, the raw type and the effective type all come from here.
import Type, { type Static } from 'typebox'
import type { Effective } from './effective.ts'
import { FhirRoute } from './fhir-route.ts'
import { Issuer } from './issuer.ts'
import { defaulted, either, list, named, optional, section } from './keywords.ts'
import { PlainRoute } from './plain-route.ts'
import { ScopeCatalogue } from './scope-catalogue.ts'
import { Server } from './server.ts'
import { ApiKeys, Audit, Authz, Cors, Revocations, Shared, Telemetry } from './surroundings.ts'
import { Upstream } from './upstream.ts'

const NAME = { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', '~expected': 'a name of letters, digits, dots, hyphens' }

export const RouteMap = section(
  {
    version: Type.Literal(1, { description: 'Version of this format, written `version: 1`.', type: 'integer' }),
    server: Server,
    issuers: defaulted(list(Issuer, 'Issuers whose tokens are believed.'), []),
    apiKeys: optional(ApiKeys),
    revocations: optional(Revocations),
    upstreams: named(Upstream, 'Servers behind the gateway, by name.', NAME),
    cors: optional(Cors),
    shared: optional(Shared),
    authz: optional(Authz),
    audit: optional(Audit),
    telemetry: optional(Telemetry),
    scopes: defaulted(ScopeCatalogue, {}),
    routes: list(
      either([FhirRoute, PlainRoute], 'A route.', { '~expected': 'a route with `fhir` and `path`, or with `match`' }),
      'Everything that the gateway serves; all else is refused.',
      { minItems: 1 },
    ),
  },
  'Route map of scopegate.',
)

/** As written, after substitution. */
export type WrittenRouteMap = Static<typeof RouteMap>

export type EffectiveRouteMap = Effective<typeof RouteMap>
