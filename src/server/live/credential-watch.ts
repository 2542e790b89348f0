// What stays open is let in once, but meanwhile its credential may come to nothing: the issuer no longer calls it active, withdraws the
// key that signed it, or takes scopes from it. So it is looked into anew every now and then, as that of a request is; only a proof of
// possession is not asked for, because it was shown. INVARIANT: where nobody can say any more that it counts, it soon does not.

import type { Grant } from '../../domain/grant.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'

type Found = Grant | Refusal | Promise<Grant | Refusal>

const ASK_EVERY_MS = 10_000
/** For an issuer that is down: what it lets in by the request is refused at once, and what is open need not come again all at once. */
const PATIENCE_MS = 5 * 60_000

/** `ask` finds what the credential conveys now; false, once it is no longer what `grant` says. To be called each second or so. */
export function watchCredential(grant: Grant, ask: () => Found, now: () => number): () => boolean {
  let good = true
  let asking = false
  let askedAt = now()
  let knownAt = askedAt

  /** Undefined: there was no answer. */
  const hear = (found: Grant | Refusal | undefined): void => {
    asking = false
    if (found === undefined || (isRefusal(found) && found.status === 503)) {
      if (now() - knownAt > PATIENCE_MS) good = false
      return
    }
    knownAt = now()
    good = !isRefusal(found) && found.fingerprint === grant.fingerprint
  }

  return () => {
    const time = now()
    if (good && !asking && Math.abs(time - askedAt) >= ASK_EVERY_MS) {
      askedAt = time
      asking = true
      const found = ask()
      if (found instanceof Promise) void found.then(hear, () => hear(undefined))
      else hear(found)
    }
    return good
  }
}
