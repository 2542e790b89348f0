// A conditional reference in a resource that is written by itself. FHIR means them for transactions, some servers look them up everywhere;
// whether that succeeds tells what exists, so whoever writes one must be allowed to make the search (spec §2.6).

import { readQuery } from '../fhir/conditional-reference.ts'
import type { Interaction } from '../fhir/interaction.ts'
import type { Grant } from '../grant.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { decide } from './decide.ts'
import type { FhirPolicy } from './policy.ts'
import { lookupAccess } from './required-access.ts'

/** `text` is the reference, with its query. */
export function refuseLookup(text: string, within: Interaction, grant: Grant, policy: FhirPolicy): Refusal | undefined {
  const lookup = readQuery(text, policy.definitions)
  if (isRefusal(lookup)) return lookup
  const decision = decide([lookupAccess(lookup, within, 'rest')], grant, policy)
  if (decision.outcome === 'forward') return undefined
  if (decision.outcome === 'deny') return decision.refusal
  const detail = 'Within the limits of these scopes a conditional reference can only be looked up in a transaction.'
  return refuse('constraint-unenforceable', detail)
}
