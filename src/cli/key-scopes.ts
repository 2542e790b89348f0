// The scopes that a new key asks for, held against the catalogue: a scope that this kind of credential cannot carry would make a
// key that looks right and opens nothing, so it is refused with the nearest one that can be carried.

import type { CatalogueScope } from '../config/schema/scope-catalogue.ts'
import { nearest } from '../config/source/nearest.ts'
import type { KeyKind } from '../credentials/api-keys/api-key.ts'
import { type Catalogue, compileCatalogue } from '../domain/decision/policy.ts'
import { parseScope } from '../domain/smart/scope.ts'

export interface AskedScopes {
  readonly scopes: readonly string[]
  readonly kind: KeyKind
  /** A partner makes the key: only scopes with `selfService` may be in it. */
  readonly selfService: boolean
}

/** What is wrong with them; empty when the key may be made. */
export function scopeProblems(asked: AskedScopes, entries: readonly CatalogueScope[]): readonly string[] {
  const { scopes, kind, selfService } = asked
  const offered = entries.filter((entry) => entry.selfService || !selfService)
  // A SMART scope that the catalogue lacks is carried by access tokens only, so it is never one for a key.
  const open = compileCatalogue(offered)
  const possible = offered.map(({ name }) => name).filter((name) => open.mayCarry(name, kind))
  const whole = compileCatalogue(entries)
  return scopes
    .filter((scope) => !open.mayCarry(scope, kind))
    .map((scope) => {
      const near = nearest(scope, possible)
      return `${reason(scope, kind, whole)}.${near === undefined ? listed(possible, kind) : ` Did you mean "${near}"?`}`
    })
}

function reason(scope: string, kind: KeyKind, catalogue: Catalogue): string {
  if (!catalogue.has(scope)) {
    return parseScope(scope) === undefined
      ? `the scope "${scope}" is not in the catalogue`
      : `"${scope}" is a SMART scope, which only access tokens carry`
  }
  return catalogue.mayCarry(scope, kind)
    ? `"${scope}" is not for self-service`
    : `${KIND_NAMES[kind]} cannot carry "${scope}"; these can: ${catalogue.carriers(scope).join(', ')}`
}

const KIND_NAMES: Readonly<Record<KeyKind, string>> = { 'api-key': 'an API key', 'service-key': 'a service key' }

function listed(possible: readonly string[], kind: KeyKind): string {
  if (possible.length === 0) return ` There is no scope that ${KIND_NAMES[kind]} could carry.`
  return possible.length > 20 ? '' : ` Possible: ${possible.join(', ')}.`
}
