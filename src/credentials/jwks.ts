// The key sets of all issuers of the process: by URL, by discovery, or from a file. They outlive a reload of the route map, so
// a reload neither fetches anew nor forgets a cooldown; an issuer whose source changed gets a new one.

import type { Issuer } from '../config/settings.ts'
import { createIssuerAgent, discoverIssuer, fetchJson, jwksUriOf, readJsonFile } from './issuer-documents.ts'
import { KeySet, type RefreshResult } from './key-set.ts'
import { readVerificationKeys, type VerificationKeys } from './verification-keys.ts'

const FRESH = 10 * 60_000
/** A file costs next to nothing to read, and operators expect a changed one to count soon. */
const FRESH_FILE = 30_000

export type KeySource = Pick<Issuer, 'name' | 'issuer' | 'jwks' | 'discovery' | 'jwksFile'>

export interface KeySets {
  of(issuer: KeySource): KeySet
  close(): Promise<void>
}

export interface KeySetsOptions {
  readonly now: () => number
  /** `problem` is for the log: what went wrong, without addresses. */
  readonly onRefresh?: (issuer: string, result: RefreshResult, problem?: string) => void
}

export function createKeySets({ now, onRefresh }: KeySetsOptions): KeySets {
  const agent = createIssuerAgent()
  const sets = new Map<string, KeySet>()

  const load = async (source: KeySource): Promise<VerificationKeys> => {
    if (source.jwksFile !== undefined) return readVerificationKeys(await readJsonFile(source.jwksFile))
    const url = source.jwks ?? jwksUriOf(await discoverIssuer(source.issuer, agent))
    return readVerificationKeys(await fetchJson(url, agent))
  }

  return {
    of(source) {
      const key = JSON.stringify([source.name, source.issuer, source.jwks, source.jwksFile])
      const known = sets.get(key)
      if (known !== undefined) return known
      const set = new KeySet({
        load: () => load(source),
        fresh: source.jwksFile === undefined ? FRESH : FRESH_FILE,
        now,
        onRefresh: (result, problem) => onRefresh?.(source.name, result, problem),
      })
      sets.set(key, set)
      return set
    },
    close: () => agent.destroy(),
  }
}
