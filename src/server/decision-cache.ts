// `decide`, remembered: the same signature, the same answers (property test). The key is a structured encoding of everything that
// a decision looks at and nothing else; whether a Patient id is the caller's own stands for the id, so no patient data is kept.
// An entry counts no longer than the grant for which it was made, and a new configuration starts with an empty cache.

import { LRUCache } from 'lru-cache'
import type { decide } from '../domain/decision/decide.ts'
import type { Decision } from '../domain/decision/decision.ts'
import type { FhirPolicy } from '../domain/decision/policy.ts'
import type { Need, RequiredAccess } from '../domain/decision/required-access.ts'
import type { Grant } from '../domain/grant.ts'

export type Decide = typeof decide

export interface DecisionCacheOptions {
  /** Number of the configuration: part of every key. */
  readonly generation: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly onLookup?: (result: 'hit' | 'miss') => void
  readonly maximumEntries?: number
}

interface Remembered {
  readonly decision: Decision
  readonly expiresAt: number
}

// A Bundle of many entries is decided afresh: its key would be as long as deciding takes.
const LONGEST_KEY = 1024

export function rememberDecisions(decideAfresh: Decide, options: DecisionCacheOptions): Decide {
  const cache = new LRUCache<string, Remembered>({ max: options.maximumEntries ?? 20_000 })
  return (required, grant, policy) => {
    const key = required.length === 1 ? keyOf(options.generation, required[0]!, grant, policy) : ''
    if (key === '' || key.length > LONGEST_KEY) return decideAfresh(required, grant, policy)
    const found = cache.get(key)
    if (found !== undefined && found.expiresAt > options.now()) {
      options.onLookup?.('hit')
      return found.decision
    }
    options.onLookup?.('miss')
    const decision = decideAfresh(required, grant, policy)
    cache.set(key, { decision, expiresAt: Math.min(grant.expiresAt * 1000, Number.MAX_SAFE_INTEGER) })
    return decision
  }
}

/** Structured, so that no two different inputs can print alike; exported for the property test. */
export function keyOf(generation: number, access: RequiredAccess, grant: Grant, policy: FhirPolicy): string {
  // All but what is named here counts with every field that it has or will have.
  const { interaction, needs, ...manner } = access
  const compartment = 'compartment' in interaction ? interaction.compartment : undefined
  return JSON.stringify([
    generation,
    policy.route,
    grant.fingerprint,
    manner,
    interaction.code,
    operationKey(interaction, grant),
    compartment === undefined ? null : [compartment.type, relation(compartment.type, compartment.id, grant)],
    needs.map((need) => needKey(need, grant)),
  ])
}

/** Of an operation a decision asks what it is called on, and whose record that is. */
function operationKey(interaction: RequiredAccess['interaction'], grant: Grant): unknown {
  if (interaction.code !== 'operation') return null
  const { type = null, id } = interaction
  return [type, id === undefined ? null : relation(type ?? '', id, grant)]
}

function needKey(need: Need, grant: Grant): unknown[] {
  const { id, ...question } = need
  return [question, id === undefined ? null : relation(need.type, id, grant)]
}

/**
 * Decisions ask only whether an id is one of the launch patients, and whether it is the user's own. Both answers are needed: a
 * user who is one of several launch patients reaches all of them with `patient/` scopes, and only one with `user/` scopes.
 */
function relation(type: string, id: string, grant: Grant): readonly [launch: boolean, own: boolean] {
  return [type === 'Patient' && grant.patients.includes(id), type === 'Patient' && grant.fhirUser === `Patient/${id}`]
}
