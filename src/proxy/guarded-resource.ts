// The answer to a read within constraints: held whole, within bounds, and released byte for byte when it is what was asked for and
// the guard lets it go; otherwise the answer is the one for an id that does not exist (contract §4).

import { isPlainOutcome } from '../domain/fhir/operation-outcome.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { BodySink, BodyTransform } from './forward.ts'

export interface ResourceGuard {
  /** Whether this is the resource that was asked for, and may be released. */
  releases(resource: unknown): boolean
  /** Told once. */
  counted?(result: 'released' | 'withheld', count: number): void
  /** The client has this version already: it is told so, once the guard has let it go. */
  readonly unchanged?: boolean
}

export function guardedResource(guard: ResourceGuard, mostHeld: number): BodyTransform {
  const held: Buffer[] = []
  let bytes = 0
  return {
    guards: 'resource',
    write(chunk) {
      bytes += chunk.length
      // What cannot be checked is not there: any other word would tell that it is.
      if (bytes > mostHeld) return notFound()
      held.push(Buffer.from(chunk))
      return undefined
    },
    end(out: BodySink) {
      const body = Buffer.concat(held, bytes)
      // Not twice, for as long as the client takes.
      held.length = 0
      const resource = readJson(body)
      if (isRefusal(resource)) return resource
      const released = guard.releases(resource)
      guard.counted?.(released ? 'released' : 'withheld', 1)
      if (!released) return notFound()
      if (guard.unchanged) return 'not-modified'
      out.write(body)
      return undefined
    },
  }
}

/** A refusal of the upstream that may be shown: an OperationOutcome and nothing else. */
export function outcomeOnly(): BodyTransform {
  const inner = guardedResource({ releases: isPlainOutcome }, LARGEST_OUTCOME)
  return {
    write: inner.write,
    end: (out) => (isRefusal(inner.end(out)) ? unreadable() : undefined),
  }
}

const LARGEST_OUTCOME = 64 * 1024

/** Says the same whatever the reason. */
export function notFound(): Refusal {
  return refuse('not-found', 'There is nothing here that this credential may read.')
}

export function unreadable(): Refusal {
  return refuse(
    'upstream-broken',
    'The server behind this route answered with something that cannot be checked, so it is not passed on.',
  )
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return unreadable()
  }
}
