// `_sort`: by the smallest value of a parameter (the largest when descending); resources without one come last.
// Ties, and searches without `_sort`, keep the order of creation.

import type { DateRange } from './date-range.ts'
import { findParameter } from './search-parameters.ts'
import { type SearchValue, valuesOf } from './search-values.ts'
import type { StoredVersion } from './stored-version.ts'

export function sortMatches(matches: StoredVersion[], keys: readonly { name: string; descending: boolean }[]): void {
  if (keys.length === 0) {
    for (let i = 1; i < matches.length; i++) {
      if (matches[i - 1]!.order > matches[i]!.order) return void matches.sort((a, b) => a.order - b.order)
    }
    return
  }
  const rows = matches.map((version) => ({ version, keys: keys.map((key) => sortKey(version, key)) }))
  rows.sort((a, b) => {
    for (let i = 0; i < keys.length; i++) {
      const difference = compare(a.keys[i], b.keys[i], keys[i]!.descending)
      if (difference !== 0) return difference
    }
    return a.version.order - b.version.order
  })
  for (const [i, row] of rows.entries()) matches[i] = row.version
}

type SortKey = number | string | undefined

function sortKey(version: StoredVersion, { name, descending }: { name: string; descending: boolean }): SortKey {
  const parameter = findParameter(version.type, name)
  if (parameter === undefined || parameter.kind === 'composite') return undefined
  let best: SortKey
  for (const value of valuesOf(version, parameter)) {
    const key = comparable(value, descending)
    if (key === undefined) continue
    if (best === undefined || (descending ? key > best : key < best)) best = key
  }
  return best
}

function comparable(value: SearchValue, descending: boolean): SortKey {
  if (typeof value === 'number') return value
  if (typeof value === 'string') return value
  if ('start' in value) return descending ? (value as DateRange).end : (value as DateRange).start
  if ('folded' in value) return value.folded
  if ('value' in value) return value.value
  if ('reference' in value) return value.reference
  return 'code' in value ? (value.code ?? value.text) : undefined
}

function compare(a: SortKey, b: SortKey, descending: boolean): number {
  if (a === b) return 0
  if (a === undefined) return 1
  if (b === undefined) return -1
  return a < b === descending ? 1 : -1
}
