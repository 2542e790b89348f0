// What the deciding functions know of a FHIR route: its worths, contexts, operations and bases, from the settings.

import type { FhirRoute, Settings } from '../config/settings.ts'
import type { Catalogue, FhirPolicy } from '../domain/decision/policy.ts'
import { definitionsOf } from '../domain/fhir/definitions.ts'
import type { MappedRoute } from '../domain/reference/mapped-route.ts'
import { parseScope } from '../domain/smart/scope.ts'

export function policyOf(route: FhirRoute, catalogue: Catalogue, { server, upstreams }: Settings): FhirPolicy {
  const bases = [server.publicUrl + route.path, ...upstreams[route.upstream]!.url]
  return {
    route: route.name,
    smart: route.smart !== undefined,
    worths: route.grants.map(({ name, scope, via, criteria }) => ({
      scope: name,
      smart: parseScope(scope)!,
      via,
      criteria,
    })),
    criteriaWithoutSearch: route.criteriaWithoutSearch,
    userScopes: route.userScopes,
    catalogue,
    definitions: definitionsOf(route.fhir),
    operations: route.operations,
    compartment: route.patientScopes.compartment,
    sharedTypes: new Set(route.patientScopes.sharedTypes),
    ownBases: bases.map((base) => base.replace(/\/+$/, '')),
  }
}

/** For the Scope Reference. */
export function mapRoutes(settings: Settings, catalogue: Catalogue): readonly MappedRoute[] {
  return settings.routes.map((route) =>
    route.kind === 'fhir'
      ? { kind: 'fhir', route, policy: policyOf(route, catalogue, settings) }
      : { kind: 'plain', route },
  )
}
