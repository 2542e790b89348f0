// From an issuer's scope claim to the scopes that a Grant carries: split, translated, and cut to what the issuer may mint.
// INVARIANT: nothing here widens a scope but what the route map says in `scopeMap` and `dottedScopes`; malformed ones are dropped.

import type { Issuer } from '../config/settings.ts'
import { mendMisprint } from '../domain/smart/us-core-misprints.ts'

type ScopeRules = Pick<Issuer, 'mayGrant' | 'scopeMap' | 'dottedScopes' | 'usCoreMisprints'>

/** RFC 6749 §3.3. Anything else, a space inside an array element included, is no scope and grants nothing. */
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/
// Entra and others cannot mint "/" or "*": `patient.Observation.read`, `user$all.rs`, `system%2fPatient.rs` (spec §6.4).
const DOTTED = /^(patient|user|system)(?:[./$]|%2[fF])(\*|all|[A-Z]\w+)\.(read|write|all|\*|c?r?u?d?s?)$/

/** A space-delimited string or an array of scopes; split only on 0x20 and never decoded, so `%20` makes no new scope. */
export function readScopes(claim: unknown): readonly string[] {
  const scopes = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : []
  return scopes.filter((scope) => typeof scope === 'string' && SCOPE_TOKEN.test(scope))
}

export function grantedScopes(minted: readonly string[], issuer: ScopeRules): readonly string[] {
  const granted = new Set<string>()
  for (const scope of minted) {
    // Naming either spelling in `mayGrant` is the operator's word that the issuer may grant it.
    for (const meant of translate(scope, issuer)) {
      if (mayGrant(scope, issuer) || mayGrant(meant, issuer)) granted.add(meant)
    }
  }
  return [...granted]
}

function translate(scope: string, issuer: ScopeRules): readonly string[] {
  if (Object.hasOwn(issuer.scopeMap, scope)) return readScopes(issuer.scopeMap[scope])
  const plain = issuer.usCoreMisprints ? mendMisprint(scope) : scope
  return [issuer.dottedScopes ? plain.replace(DOTTED, readDotted) : plain]
}

function readDotted(scope: string, context: string, type: string, permissions: string): string {
  if (permissions === '') return scope
  return `${context}/${type === 'all' ? '*' : type}.${permissions === 'all' ? '*' : permissions}`
}

/** A pattern is a whole scope, or ends in `*` and means every scope that starts with what stands before it. */
function mayGrant(scope: string, { mayGrant }: ScopeRules): boolean {
  return mayGrant?.some((it) => it === scope || (it.endsWith('*') && scope.startsWith(it.slice(0, -1)))) ?? true
}
