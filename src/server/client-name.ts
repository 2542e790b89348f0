// Who asks, for everything that is counted by client: a key's owner, a token's subject or client, the network where nobody is known.
// INVARIANT: names are digests; who reads one learns nothing.

import { hash } from 'node:crypto'
import type { Grant } from '../domain/grant.ts'
import { networkOf } from './port/client-network.ts'

export type CountedBy = 'client' | 'subject'

// A verified token conveys the same grant each time.
const names: Readonly<Record<CountedBy, WeakMap<Grant, string>>> = { client: new WeakMap(), subject: new WeakMap() }

/** `address` is the client's, asked for only where no credential tells who it is. */
export function clientName(grant: Grant | undefined, by: CountedBy, address: () => string | undefined): string {
  if (grant === undefined) return digest(['address', networkOf(address())])
  let name = names[by].get(grant)
  if (name === undefined) {
    name = digest(whose(grant, by))
    names[by].set(grant, name)
  }
  return name
}

/** A key counts for its owner, whichever of the owner's keys it is. A token that names no client, or no subject, counts by the other. */
function whose({ kind, issuerUrl, client, subject }: Grant, by: CountedBy): readonly (string | null)[] {
  if (kind !== 'bearer') return ['owner', client ?? null]
  const facts: readonly [string, string | undefined][] = [
    ['client', client],
    ['subject', subject],
  ]
  const [name, value] = (by === 'client' ? facts : facts.toReversed()).find(([, fact]) => fact !== undefined) ?? [
    'nobody',
  ]
  return [name, issuerUrl ?? null, value ?? null]
}

function digest(parts: readonly (string | null)[]): string {
  return hash('sha256', JSON.stringify(parts), 'base64url')
}
