// How an answer within constraints is passed on: a read is held and judged whole, a Bundle entry by entry, a Bundle of answers each by
// the constraint of its own entry. What cannot be judged is refused; what is not released looks as if it were not there (contract §4).

import type { Constraint } from '../domain/constraint/constraint.ts'
import { Guard } from '../domain/constraint/guard.ts'
import { lettersOf } from '../domain/constraint/letters.ts'
import type { BundleEntry } from '../domain/fhir/bundle.ts'
import { type Interaction, isWrite } from '../domain/fhir/interaction.ts'
import type { FhirRequest } from '../domain/fhir-request.ts'
import type { Grant } from '../domain/grant.ts'
import type { Refusal } from '../domain/refusal.ts'
import { bundleLinks } from '../proxy/bundle-links.ts'
import { type EntryJudge, type GuardedBundleOptions, guardedBundle, guardInner } from '../proxy/guarded-bundle.ts'
import { guardedResource, notFound, outcomeOnly, unreadable } from '../proxy/guarded-resource.ts'
import { answerLinks, type LinkRules } from './answer-links.ts'
import { isJson, type Transform } from './bundle-answers.ts'
import type { ReadBack } from './write-answers.ts'

export interface GuardRules {
  readonly links: LinkRules
  /** `guardedBody`: the most that is held at once, in bytes. */
  readonly mostHeld: number
  counted(result: 'released' | 'withheld', count: number): void
}

type Constraints = readonly (Constraint | undefined)[]

/** `back`: what the caller may read of what it wrote, for the writes among the entries of a Bundle. */
export function guardAnswers(
  request: FhirRequest,
  asked: readonly string[],
  constraints: Constraints,
  back: ReadBack,
  rules: GuardRules,
): Transform {
  const { interaction } = request
  if (isRead(interaction)) return guardRead(interaction, constraints[0]!, rules)
  return (grant, status, headers) => {
    if (status !== 200) return refused(interaction, status, isJson(headers))
    if (!isJson(headers)) return unreadable()
    const links = answerLinks(interaction, asked, grant, rules.links)
    const judge = request.bundle
      ? judgeAnswers(request.bundle.entries, constraints, back, grant, rules)
      : judgeEntries(interaction, constraints[0]!)
    return guardedBundle({ ...rules, links, judge, mayBeEmpty: !isOfInstance(interaction) })
  }
}

/** Interactions that are about one known resource. */
type OfInstance = Extract<Interaction, { code: 'read' | 'vread' | 'history-instance' }>
type Read = OfInstance & { code: 'read' | 'vread' }

function isOfInstance(interaction: Interaction): interaction is OfInstance {
  return isRead(interaction) || interaction.code === 'history-instance'
}

function isRead(interaction: Interaction): interaction is Read {
  return interaction.code === 'read' || interaction.code === 'vread'
}

function guardRead(interaction: Read, constraint: Constraint, { mostHeld, counted }: GuardRules): Transform {
  return (_grant, status, headers) => {
    if (status !== 200) return refused(interaction, status, false)
    if (!isJson(headers)) return unreadable()
    return guardedResource({ releases: releasesAsked(interaction, constraint), counted }, mostHeld)
  }
}

/** A read returns the requested resource or nothing. */
function releasesAsked(interaction: OfInstance, constraint: Constraint): (resource: unknown) => boolean {
  const guard = new Guard(constraint, lettersOf(interaction))
  return (resource) => {
    const { resourceType, id } = (resource ?? {}) as { resourceType?: unknown; id?: unknown }
    return resourceType === interaction.type && id === interaction.id && guard.releases(resource)
  }
}

/** What the upstream says of one resource must not tell that it exists; of a search it may say what is wrong with it. */
function refused(interaction: Interaction, status: number, json: boolean): Refusal | ReturnType<typeof outcomeOnly> {
  if (status < 400 || status >= 500) return unreadable()
  if (isOfInstance(interaction)) return notFound()
  return json ? outcomeOnly() : unreadable()
}

function judgeEntries(interaction: Interaction, constraint: Constraint): EntryJudge {
  const guard = new Guard(constraint, lettersOf(interaction))
  const releases = isOfInstance(interaction)
    ? releasesAsked(interaction, constraint)
    : (one: unknown) => guard.releases(one)
  return { resource: (raw) => (releases(JSON.parse(raw.toString())) ? 'release' : 'withhold') }
}

/** Answers stand at the places of their requests (R4 http §transaction). */
function judgeAnswers(
  entries: readonly BundleEntry[],
  constraints: Constraints,
  back: ReadBack,
  grant: Grant,
  rules: GuardRules,
): EntryJudge {
  return {
    resource(raw, index) {
      const entry = entries[index]
      if (entry === undefined) return 'withhold'
      const { interaction } = entry
      const constraint = constraints[index]
      // Writing gives no reading, but what became of the write is told.
      if (isWrite(interaction)) return back.releases(JSON.parse(raw.toString())) ? 'release' : 'strip'
      if (constraint === undefined)
        return isBundleAnswer(interaction) ? (rewriteInner(raw, entry, grant, rules) ?? 'withhold') : 'release'
      if (isRead(interaction))
        return releasesAsked(interaction, constraint)(JSON.parse(raw.toString())) ? 'release' : 'withhold'
      const options = innerOptions(entry, constraint, grant, rules)
      return isOutcome(raw) ? 'release' : (guardInner(raw, options) ?? 'withhold')
    },
    instead(index, hadResource) {
      const entry = entries[index]
      if (entry === undefined) return undefined
      if (constraints[index] !== undefined && isRead(entry.interaction)) return NOT_FOUND_ENTRY
      return hadResource ? UNREADABLE_ENTRY : 'keep'
    },
  }
}

function innerOptions(
  { interaction, segments }: BundleEntry,
  constraint: Constraint,
  grant: Grant,
  rules: GuardRules,
): GuardedBundleOptions {
  return {
    ...rules,
    links: answerLinks(interaction, segments, grant, rules.links),
    judge: judgeEntries(interaction, constraint),
    mayBeEmpty: true,
  }
}

function rewriteInner(
  raw: Buffer,
  { interaction, segments }: BundleEntry,
  grant: Grant,
  rules: GuardRules,
): Buffer | undefined {
  const rewritten: Buffer[] = []
  const transform = bundleLinks(answerLinks(interaction, segments, grant, rules.links))
  const sink = { write: (bytes: Buffer) => void rewritten.push(Buffer.from(bytes)) }
  return transform.write(raw, sink) === undefined && transform.end(sink) === undefined
    ? Buffer.concat(rewritten)
    : undefined
}

function isBundleAnswer({ code }: Interaction): boolean {
  return code.startsWith('search') || code.startsWith('history')
}

function isOutcome(raw: Buffer): boolean {
  return (JSON.parse(raw.toString()) as { resourceType?: unknown } | null)?.resourceType === 'OperationOutcome'
}

const entryOf = (status: string, code: string, diagnostics: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      response: {
        status,
        outcome: { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code, diagnostics }] },
      },
    }),
  )
const NOT_FOUND_ENTRY = entryOf('404 Not Found', 'not-found', notFound().detail)
const UNREADABLE_ENTRY = entryOf('502 Bad Gateway', 'exception', unreadable().detail)
