// Why a scope grants nothing, in words for whoever asked for it: malformed, unknown, carried by the wrong kind of credential, without
// a launch patient, or meant for something else than access. Every reason says what to do next.

import type { Authority, HeldScope } from '../decision/authority.ts'
import type { Catalogue } from '../decision/policy.ts'
import type { CredentialKind } from '../grant.ts'
import { parseScope } from '../smart/scope.ts'
import type { MappedFhirRoute } from './mapped-route.ts'
import { misspelling } from './misspelling.ts'

export interface SilentScope {
  readonly scope: string
  readonly reason: string
}

const LAUNCH_AND_IDENTITY = /^(?:openid|profile|fhirUser|online_access|offline_access|launch-ehr|launch(?:\/.*)?)$/
const CARRIERS: Readonly<Record<string, string>> = {
  'api-key': 'API keys',
  'service-key': 'service keys',
  oauth2: 'OAuth 2.0 tokens',
  smart: 'SMART on FHIR tokens',
}

export function silentScopes(
  scopes: readonly string[],
  asked: { readonly kind: CredentialKind; readonly patient: boolean },
  authorities: ReadonlyMap<MappedFhirRoute, Authority>,
  catalogue: Catalogue,
): readonly SilentScope[] {
  return [...new Set(scopes)].map((scope) => ({ scope, reason: reasonOf(scope, asked.kind, authorities, catalogue) }))
}

function reasonOf(
  scope: string,
  kind: CredentialKind,
  authorities: ReadonlyMap<MappedFhirRoute, Authority>,
  catalogue: Catalogue,
): string {
  if (LAUNCH_AND_IDENTITY.test(scope))
    return 'It is about the launch or about who the user is, and opens no data by itself.'
  if (parseScope(scope) === undefined && !catalogue.has(scope)) return misspelling(scope, catalogue)
  if (!catalogue.mayCarry(scope, kind))
    return `This kind of credential cannot carry it. These can: ${carriersOf(scope, catalogue)}.`
  const found = [...authorities.values()]
  if (found.some(({ lackPatient }) => names(lackPatient, scope)))
    return 'patient/ scopes count only with a launch patient. Ask for launch/patient too.'
  if (found.some(({ held }) => names(held, scope))) return unreached(scope, authorities)
  if (parseScope(scope)?.context === 'user') return 'No FHIR route of this gateway lets user/ scopes count.'
  return parseScope(scope) === undefined
    ? 'It is in the catalogue, but no route opens anything for it, or only together with another scope.'
    : 'No FHIR route of this gateway lets SMART scopes count.'
}

/** The scope counts, and still there is no type that it reaches. */
function unreached(scope: string, authorities: ReadonlyMap<MappedFhirRoute, Authority>): string {
  const smart = [...authorities.values()].flatMap(({ held }) => held).find(({ granted }) => granted === scope)!.smart
  const { type, filters, context } = smart
  if (type !== '*' && ![...authorities.keys()].some(({ policy }) => policy.definitions.isResourceType(type)))
    return `FHIR has no resource type ${type}. Names are case-sensitive.`
  if (filters.length > 0)
    return 'Its filter cannot be checked on these resources, so it grants nothing. Filters take token, reference, date, string and uri parameters of the type.'
  if (context !== 'system')
    return `${type} is not part of one patient’s record, so a scope for one patient never reaches it.`
  return 'No route opens anything for it.'
}

function names(held: readonly HeldScope[], scope: string): boolean {
  return held.some(({ granted }) => granted === scope)
}

function carriersOf(scope: string, catalogue: Catalogue): string {
  return catalogue
    .carriers(scope)
    .map((carrier) => CARRIERS[carrier] ?? carrier)
    .join(', ')
}
