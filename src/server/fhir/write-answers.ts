// What comes back from a write (contract §5, spec §2.7): writing gives no reading. A body passes only where the scopes would let the
// caller read that resource; without it, status, version and Location still tell what became of the write.

import { Constraint } from '../../domain/constraint/constraint.ts'
import { Guard } from '../../domain/constraint/guard.ts'
import { authorityOf } from '../../domain/decision/authority.ts'
import type { FhirPolicy } from '../../domain/decision/policy.ts'
import type { Door } from '../../domain/decision/required-access.ts'
import type { Write } from '../../domain/fhir/interaction.ts'
import { isPlainOutcome, withoutWords } from '../../domain/fhir/operation-outcome.ts'
import type { Grant } from '../../domain/grant.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { AnswerHeaders, BodyTransform } from '../../proxy/forward.ts'
import { notFound, outcomeOnly, unreadable } from '../../proxy/guarded-resource.ts'
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

/** What may be told of a write besides that it was done. */
export interface Told {
  /** Cleared within constraints, so that an error must not tell what exists. */
  readonly limited: boolean
  /** The server's own words: they may repeat what is stored. */
  readonly words: boolean
}

/** Of a write without limits: a create says nothing of what is stored to a client that may read some of the type. */
export function tellsWords({ code, type }: Write, back: ReadBack): boolean {
  return back.all(type) || (code === 'create' && back.some(type))
}

export function writeAnswer({ code, type }: Write, back: ReadBack, { limited, words }: Told, mostHeld: number) {
  const worded = (outcome: unknown): Words => (words ? 'as it is' : speechless(outcome, code))
  return (status: number, headers: AnswerHeaders): BodyTransform | Refusal | undefined => {
    if (status >= 400 && limited) return refusedWrite(status, headers, words ? undefined : worded)
    if (back.all(type) || !hasBody(status, headers)) return undefined
    if (!isJson(headers)) return withoutBody()
    return bodyAs((resource) => {
      if (isPlainOutcome(resource)) return worded(resource)
      // With an error some servers send what is stored.
      return status < 400 && back.releases(resource) ? 'as it is' : undefined
    }, mostHeld)
  }
}

/** The body, another one, or none. */
type Words = 'as it is' | Buffer | undefined

/** What is sent whole names nothing but what the client sent. */
export function speechless(outcome: unknown, code: Write['code']): Buffer {
  return Buffer.from(JSON.stringify(withoutWords(outcome, { places: code === 'create' || code === 'update' })))
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

function refusedWrite(
  status: number,
  headers: AnswerHeaders,
  worded: ((outcome: unknown) => Words) | undefined,
): BodyTransform | Refusal {
  if (status === 404 || status === 410) return notFound()
  if (isConflict(status)) return changedMeanwhile(status)
  if (status >= 500 || !isJson(headers)) return unreadable()
  return worded === undefined ? outcomeOnly() : outcomeAs(worded)
}

/** An error of a server to whoever may not hear its words. */
export function outcomeAs(worded: (outcome: unknown) => Words): BodyTransform {
  return bodyAs((resource) => (isPlainOutcome(resource) ? worded(resource) : undefined), LARGEST_OUTCOME)
}

const LARGEST_OUTCOME = 64 * 1024

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

/** The write is done or refused: an answer that cannot be shown is left out, never turned into an error. */
function bodyAs(given: (resource: unknown) => Words, mostHeld: number): BodyTransform {
  const held: Buffer[] = []
  let bytes = 0
  return {
    write(chunk) {
      bytes += chunk.length
      if (bytes <= mostHeld) held.push(Buffer.from(chunk))
      else held.length = 0
      return undefined
    },
    end(out) {
      const body = Buffer.concat(held)
      const words = bytes > mostHeld ? undefined : given(parsed(body))
      if (words !== undefined) out.write(words === 'as it is' ? body : words)
      return undefined
    },
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function withoutBody(): BodyTransform {
  return { write: () => undefined, end: () => undefined }
}
