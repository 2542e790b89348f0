// Grants and policies for tables and properties: plain defaults, and only what a test is about is named in it.

import { type Catalogue, compileCatalogue, type FhirPolicy, type Worth } from '../../src/domain/decision/policy.ts'
import type { Door } from '../../src/domain/decision/required-access.ts'
import { definitionsOf } from '../../src/domain/fhir/definitions.ts'
import { type Grant, type GrantFacts, grantOf } from '../../src/domain/grant.ts'
import { parseScope } from '../../src/domain/smart/scope.ts'
import type { ModelToken } from './model/sight.ts'

export function grantWith(scopes: string | readonly string[], facts: Partial<GrantFacts> = {}): Grant {
  const list = typeof scopes === 'string' ? scopes.split(' ').filter((scope) => scope !== '') : scopes
  return grantOf(
    { kind: 'bearer', issuer: 'ehr', audience: [], patients: [], expiresAt: 4_102_444_800, ...facts, scopes: list },
    (text) => text,
  )
}

/** The grant of a token of the reference model. */
export function grantOfToken({ scopes, patients, fhirUser }: ModelToken): Grant {
  return grantWith(scopes, { patients, ...(fhirUser === undefined ? {} : { fhirUser }) })
}

export function policyWith(changes: Partial<FhirPolicy> = {}): FhirPolicy {
  return {
    route: 'fhir',
    smart: true,
    worths: [],
    criteriaWithoutSearch: false,
    userScopes: 'delegate',
    catalogue: compileCatalogue([]),
    definitions: definitionsOf('R4'),
    operations: [],
    compartment: 'primary',
    sharedTypes: new Set(['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication']),
    ownBases: ['https://gateway.example/fhir', 'http://upstream.example/fhir'],
    ...changes,
  }
}

export function worth(scope: string, smart: string, via: readonly Door[] = [], criteria = false): Worth {
  return { scope, smart: parseScope(smart)!, via, criteria }
}

export function catalogueOf(entries: Readonly<Record<string, readonly string[]>>): Catalogue {
  return compileCatalogue(Object.entries(entries).map(([name, credentials]) => ({ name, credentials })))
}
