// What the upstream is told about the caller, scopes that do not count for this kind of credential left out. Values come from verified claims, so they are data: everything but visible ASCII,
// and `%` itself, is percent-encoded (UTF-8). That keeps two subjects two, whatever characters an issuer allows.

import type { CredentialKind, GrantFacts } from '../domain/grant.ts'

/** Header names by fact; a fact without one is not sent. */
export interface IdentityHeaderNames {
  readonly subject?: string | undefined
  readonly client?: string | undefined
  readonly user?: string | undefined
  readonly patient?: string | undefined
  readonly scope?: string | undefined
}

const PLAIN = /^[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?$/
/** Servers commonly take 8 KiB of headers in all: a longer scope list would have the whole request refused there. */
const LONGEST_SCOPE = 4096

/** Whether a scope counts when a credential of this kind carries it. */
export type ScopeCounts = (scope: string, kind: CredentialKind) => boolean

/** Flat name, value … list; remembered for as long as the Grant lives, because a token brings many requests. */
export function compileIdentityHeaders(
  names: IdentityHeaderNames,
  counts: ScopeCounts = () => true,
): (grant: GrantFacts) => readonly string[] {
  const known = new WeakMap<GrantFacts, readonly string[]>()
  return (grant) => {
    const found = known.get(grant)
    if (found !== undefined) return found
    const headers = identityHeaders(names, grant, counts)
    known.set(grant, headers)
    return headers
  }
}

function identityHeaders(names: IdentityHeaderNames, grant: GrantFacts, counts: ScopeCounts): readonly string[] {
  // INVARIANT: an upstream that trusts this header must not be told of more than the gateway itself would let count.
  const scopes = grant.scopes.filter((scope) => counts(scope, grant.kind))
  const facts: readonly (readonly [string | undefined, string | undefined])[] = [
    [names.subject, grant.subject],
    [names.client, grant.client],
    [names.user, grant.fhirUser],
    [names.patient, grant.patients.length === 0 ? undefined : grant.patients.join(',')],
    [names.scope, scopes.length === 0 ? undefined : scopes.join(' ')],
  ]
  const headers: string[] = []
  for (const [name, fact] of facts) {
    if (name === undefined || fact === undefined || fact === '') continue
    const value = encoded(fact)
    if (name !== names.scope || value.length <= LONGEST_SCOPE) headers.push(name.toLowerCase(), value)
  }
  return headers
}

function encoded(fact: string): string {
  if (PLAIN.test(fact)) return fact
  // A lone surrogate has no UTF-8 form; it becomes U+FFFD, as every encoder writes it.
  return fact
    .toWellFormed()
    .replaceAll(/[^\x20-\x24\x26-\x7e]|^ | $/gu, (one) =>
      one === ' ' ? '%20' : one === '%' ? '%25' : encodeURIComponent(one),
    )
}
