// What comes back from a write (contract §5, spec §2.7): writing gives no reading. A body passes only where the scopes would let the
// caller read that resource; without it, status, version and Location still tell what became of the write.

import { Constraint } from '../domain/constraint/constraint.ts'
import { Guard } from '../domain/constraint/guard.ts'
import { authorityOf } from '../domain/decision/authority.ts'
import type { FhirPolicy } from '../domain/decision/policy.ts'
import type { Door } from '../domain/decision/required-access.ts'
import { isPlainOutcome } from '../domain/fhir/operation-outcome.ts'
import type { Grant } from '../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import type { AnswerHeaders, BodyTransform } from '../proxy/forward.ts'
import { guardedResource, notFound, outcomeOnly, unreadable } from '../proxy/guarded-resource.ts'
import { hasBody, isJson } from './bundle-answers.ts'

/** What a caller may read of what it wrote. */
export interface ReadBack {
  /** Everything of this type. */
  all(type: string): boolean
  /** Something of this type, at least. */
  some(type: string): boolean
  releases(resource: unknown): boolean
}

export function readBack(grant: Grant, policy: FhirPolicy, door: Door): ReadBack {
  const constraint = new Constraint(authorityOf(grant, policy).held, door, policy)
  return {
    all: (type) => constraint.limitsOn(type, 'r') === undefined,
    some: (type) => constraint.limitsOn(type, 'r')?.length !== 0,
    // A guard of its own each time: what was written here proves nothing about the next one.
    releases: (resource) => new Guard(constraint, () => 'r').releases(resource),
  }
}

/** `limited`: the write itself was cleared within constraints, so that an error must not tell what exists. */
export function writeAnswer(type: string, back: ReadBack, limited: boolean, mostHeld: number) {
  return (status: number, headers: AnswerHeaders): BodyTransform | Refusal | undefined => {
    if (status >= 400 && limited) return refusedWrite(status, headers)
    if (back.all(type) || !hasBody(status, headers)) return undefined
    if (!isJson(headers)) return withoutBody()
    // With an error some servers send what is stored.
    return bodyIf(status >= 400 ? isPlainOutcome : (resource) => back.releases(resource), mostHeld)
  }
}

/** What the upstream is asked to answer with: nothing where nothing of it could be shown; never later, past the guard. */
export function preferredReturn(
  types: readonly string[],
  back: ReadBack,
  prefer: string | undefined,
): string | undefined {
  return types.some((type) => back.some(type))
    ? /\breturn=(?:minimal|representation|OperationOutcome)\b/.exec(prefer ?? '')?.[0]
    : 'return=minimal'
}

function refusedWrite(status: number, headers: AnswerHeaders): BodyTransform | Refusal {
  if (status === 404 || status === 410) return notFound()
  if (isConflict(status)) return changedMeanwhile(status)
  return status < 500 && isJson(headers) ? outcomeOnly() : unreadable()
}

export function isConflict(status: number): boolean {
  return status === 412 || status === 409
}

/** Said instead of the server: what a write conflicts with may be somebody else's. */
export function changedMeanwhile(status: number): Refusal {
  const detail =
    status === 412
      ? 'What is stored changed while it was checked. Try again.'
      : 'What is stored changed meanwhile, or others refer to it, so the server did not write it.'
  return refuse('version-conflict', detail, { status })
}

function bodyIf(releases: (resource: unknown) => boolean, mostHeld: number): BodyTransform {
  const inner = guardedResource({ releases }, mostHeld)
  let tooLarge = false
  return {
    // The write is done: an answer that cannot be shown is left out, never turned into an error.
    write(chunk, out) {
      tooLarge ||= isRefusal(inner.write(chunk, out))
      return undefined
    },
    end(out) {
      if (!tooLarge) inner.end(out)
      return undefined
    },
  }
}

function withoutBody(): BodyTransform {
  return { write: () => undefined, end: () => undefined }
}
