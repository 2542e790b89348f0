// Everything that is revoked in this process: what was posted here, and what the revocations file says. It outlives every generation of
// the route map, and is asked on every request, for remembered tokens too. API keys are revoked in the key file.

import type { GrantFacts } from '../domain/grant.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { isOver, type Revocation, RevocationList } from './revocation-list.ts'

/** In each source. */
export const MOST_REVOCATIONS = 100_000

const REVOKED = refuse('token-revoked', 'This access token was revoked. Get a new one.')

export interface RevocationSource {
  /** All at once; what is not in it is no longer said by this source. */
  replace(list: RevocationList): void
  /** Says nothing any more. */
  close(): void
}

export class Revocations {
  readonly #now: () => number
  readonly #sources = new Map<RevocationSource, RevocationList>()
  readonly #listeners = new Set<() => void>()
  #posted = new RevocationList()

  /** `now` in milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Why a token does not count any more. Keys have no issuer, and are not met. */
  find(grant: GrantFacts): Refusal | undefined {
    if (this.#posted.size === 0 && this.#sources.size === 0) return undefined
    const seconds = this.#now() / 1000
    if (this.#posted.meets(grant, seconds)) return REVOKED
    for (const list of this.#sources.values()) if (list.meets(grant, seconds)) return REVOKED
    return undefined
  }

  /** Those that still count, each once, wherever they are said. */
  list(): readonly Revocation[] {
    const lists = [...this.#sources.values(), this.#posted]
    const seconds = this.#now() / 1000
    return lists.flatMap((list, at) => {
      const before = lists.slice(0, at)
      return [...list].filter((one) => !isOver(one, seconds) && !before.some((it) => it.covers(one)))
    })
  }

  /** What was posted and stands in no source: what a process that reads the same sources must be told. */
  posted(): readonly Revocation[] {
    const seconds = this.#now() / 1000
    return [...this.#posted].filter((one) => !isOver(one, seconds))
  }

  /** At once. False, and nothing is taken, when there would be too many: none is forgotten early to make room. */
  post(revocations: readonly Revocation[]): boolean {
    if (this.#posted.size + revocations.length > MOST_REVOCATIONS) this.#keep((one) => !isOver(one, this.#now() / 1000))
    if (this.#posted.size + revocations.length > MOST_REVOCATIONS) return false
    for (const revocation of revocations) this.#posted.add(revocation)
    this.#tell()
    return true
  }

  /** What the source says from now on counts beside the others. What was posted and stands there is its own until it is closed. */
  source(): RevocationSource {
    let taken: readonly Revocation[] = []
    let closed = false
    const source: RevocationSource = {
      replace: (list) => {
        // A file that was being read while it was closed.
        if (closed) return
        this.#sources.set(source, list)
        taken = [...taken, ...this.#posted].filter((posted) => list.covers(posted))
        this.#keep((posted) => !list.covers(posted))
        this.#tell()
      },
      close: () => {
        closed = true
        this.#sources.delete(source)
        // Whoever posted it was told that it counts, whichever file a route map names later.
        const others = [...this.#sources.values()]
        for (const posted of taken) if (!others.some((list) => list.covers(posted))) this.#posted.add(posted)
        taken = []
      },
    }
    return source
  }

  /** Hears that something was added or replaced: whoever serves an open connection asks `find` again. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #keep(isKept: (revocation: Revocation) => boolean): void {
    if (this.#posted.size > 0) this.#posted = new RevocationList([...this.#posted].filter(isKept))
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
