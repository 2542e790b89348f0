// A batch is decided entry by entry, because its entries do not depend on each other (R4 http §batch): one that is refused does not
// take the others with it. When all are refused nothing is cleared, and each is told at its place.

import type { Constraint } from '../constraint/constraint.ts'
import { refuseEach } from '../refusal.ts'
import { type Constrained, clear, clearWithin, type Decision, type Deny, type Permit } from './decision.ts'
import type { RequiredAccess } from './required-access.ts'

/** `entries`: what each entry requires, its own access first. */
export function decideBatch(
  entries: readonly (readonly RequiredAccess[])[],
  decideEntry: (required: readonly RequiredAccess[], index: number) => Decision,
): Decision {
  const decisions = entries.map((required, index) => decideEntry(required, index))
  const permits = decisions.filter((one): one is Permit => one.outcome !== 'deny')
  const [denied, ...others] = decisions.filter((one): one is Deny => one.outcome === 'deny')
  const covered = permits.flatMap((one) => one.covered)
  if (denied !== undefined && permits.length === 0) {
    return { ...denied, refusal: refuseEach([denied.refusal, ...others.map(({ refusal }) => refusal)]) }
  }
  if (denied === undefined && permits.every(({ outcome }) => outcome === 'forward')) return clear(covered)
  const constraintOf = (index: number, place: number): Constraint | undefined => {
    const one = decisions[index]!
    return isConstrained(one) ? one.constraints[place] : undefined
  }
  // The entries' own first, then those of their conditional references, as in a transaction.
  const constraints = [
    ...entries.map((_, index) => constraintOf(index, 0)),
    ...entries.flatMap(([, ...lookups], index) => lookups.map((_, at) => constraintOf(index, at + 1))),
  ]
  const refused = new Map(
    decisions.flatMap((one, index) => (one.outcome === 'deny' ? [[index, one.refusal] as const] : [])),
  )
  const outcome = permits.some((one) => one.outcome === 'narrow-guard') ? 'narrow-guard' : 'guard'
  return clearWithin(outcome, covered, constraints, refused)
}

function isConstrained(decision: Decision): decision is Constrained {
  return decision.outcome === 'guard' || decision.outcome === 'narrow-guard'
}
