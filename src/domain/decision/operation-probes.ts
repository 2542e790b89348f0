// What the search criteria among the parameters of an operation look at in other types: a chain asks about resources that the
// operation never shows, so only a scope without limits opens it (spec §2.4).

import type { Reach } from '../fhir/search-reach.ts'
import type { Need } from './required-access.ts'

export function searchProbes(reaches: readonly Reach[]): readonly Need[] {
  return reaches.map(
    ({ kind, type, parameter }): Need => ({ type, permissions: kind === 'list' ? 'r' : 's', role: 'probe', parameter }),
  )
}
