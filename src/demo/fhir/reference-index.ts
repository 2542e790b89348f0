// Which resources name which: "Patient/1" → type → the current versions with a reference to it. It only proposes
// candidates for a search; the search then looks at the elements.

import type { StoredVersion } from './stored-version.ts'

/** In printed JSON a quote inside a string is escaped, so this finds reference elements and nothing else. */
const REFERENCE = /"reference":"([^"#][^"]*)"/g
const LOCAL = /(?:^|\/)([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/

/** `Patient/1` of a relative or absolute, versioned or unversioned reference. */
export function referenceKey(reference: string): string | undefined {
  return LOCAL.exec(reference)?.[1]
}

export class ReferenceIndex {
  readonly #sources = new Map<string, Map<string, Set<StoredVersion>>>()

  add(version: StoredVersion): void {
    for (const key of targetsOf(version)) {
      const byType = this.#sources.get(key) ?? new Map<string, Set<StoredVersion>>()
      this.#sources.set(key, byType)
      const set = byType.get(version.type)
      if (set === undefined) byType.set(version.type, new Set([version]))
      else set.add(version)
    }
  }

  remove(version: StoredVersion): void {
    for (const key of targetsOf(version)) this.#sources.get(key)?.get(version.type)?.delete(version)
  }

  /** Current resources of `type` that somewhere hold a reference to `key`. */
  sources(key: string, type: string): ReadonlySet<StoredVersion> {
    return this.#sources.get(key)?.get(type) ?? NONE
  }

  /** Types that hold a reference to `key`. */
  sourceTypes(key: string): Iterable<string> {
    return this.#sources.get(key)?.keys() ?? []
  }
}

const NONE: ReadonlySet<StoredVersion> = new Set()

function targetsOf(version: StoredVersion): Set<string> {
  const keys = new Set<string>()
  if (version.json === undefined) return keys
  for (const match of version.json.matchAll(REFERENCE)) {
    const key = referenceKey(match[1]!)
    if (key !== undefined) keys.add(key)
  }
  return keys
}
