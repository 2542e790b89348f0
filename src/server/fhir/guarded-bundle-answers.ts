// The answer to a batch or transaction, guarded: each answer by the constraint of its own entry, at the place of its own entry, with those
// of refused entries put in between (R4 http §transaction). INVARIANT: answers and entries are counted alike, so that no answer is
// judged by another entry's constraint.

import { refusedEntry } from '../../domain/answer-batch.ts'
import type { Constraint } from '../../domain/constraint/constraint.ts'
import type { BundleEntry } from '../../domain/fhir/bundle.ts'
import { type Interaction, isWrite, type Write } from '../../domain/fhir/interaction.ts'
import { isPlainOutcome } from '../../domain/fhir/operation-outcome.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import type { Grant } from '../../domain/grant.ts'
import type { Refusal } from '../../domain/refusal.ts'
import { bundleLinks } from '../../proxy/bundle-links.ts'
import type { EntryJudge } from '../../proxy/guard-editor.ts'
import { type GuardedBundleOptions, guardedBundle, guardInner } from '../../proxy/guarded-bundle.ts'
import { notFound, outcomeOnly, unreadable } from '../../proxy/guarded-resource.ts'
import { answerLinks, entryLinks } from './answer-links.ts'
import { isJson, type Transform } from './bundle-answers.ts'
import type { PlannedBundle } from './bundle-plan.ts'
import { type GuardRules, isOfInstance, judgeEntries, releasesAsked } from './guarded-answers.ts'
import { changedMeanwhile, isConflict, outcomeAs, type ReadBack, speechless, tellsWords } from './write-answers.ts'

/** An entry that was sent on, and the place that the client gave it. */
interface Sent {
  readonly entry: BundleEntry
  readonly constraint: Constraint | undefined
  readonly place: number
}

/** `back`: what the caller may read of what it wrote. */
export function guardBundleAnswers(
  request: FhirRequest,
  planned: PlannedBundle,
  back: ReadBack,
  rules: GuardRules,
): Transform {
  const { entries } = request.bundle!
  const sent = [...entries.entries()]
    .filter(([place]) => !planned.refused.has(place))
    .map(([place, entry]): Sent => ({ entry, constraint: planned.constraints[place], place }))
  return (grant, status, headers) => {
    if (status < 200 || (status >= 300 && status < 400) || status >= 500) return unreadable()
    if (!isJson(headers)) return unreadable()
    if (planned.conditional.size > 0 && isConflict(status)) return changedMeanwhile(status)
    const silent = silentWrites(planned, back)
    if (status >= 400) return sent.some(silent) ? outcomeAs((outcome) => speechless(outcome, 'patch')) : outcomeOnly()
    const links = answerLinks(request.interaction, [], grant, rules.links)
    const judge = judgeAnswers({ sent, planned, silent, places: entries.length, back }, grant, rules)
    return guardedBundle({ ...rules, links, judge, mayBeEmpty: true })
  }
}

/** Of a write of which the server's own words must not be told: what kind it is. Asked when all is planned, and planned anew. */
type Silent = (one: Sent) => Write['code'] | undefined

function silentWrites({ readable }: PlannedBundle, back: ReadBack): Silent {
  return ({ entry: { interaction }, constraint, place }) => {
    if (!isWrite(interaction) || back.all(interaction.type)) return undefined
    const tells = constraint === undefined ? tellsWords(interaction, back) : readable.has(place)
    return tells ? undefined : interaction.code
  }
}

interface Answered {
  readonly sent: readonly Sent[]
  readonly planned: PlannedBundle
  readonly silent: Silent
  /** How many entries the client sent. */
  readonly places: number
  readonly back: ReadBack
}

function judgeAnswers({ sent, planned, silent, places, back }: Answered, grant: Grant, rules: GuardRules): EntryJudge {
  const { refused, late } = planned
  const refusedBetween = (from: number, to: number): Buffer => {
    const entries: string[] = []
    for (let place = from; place < to; place++) if (refused.has(place)) entries.push(printRefused(refused.get(place)!))
    return Buffer.from(entries.join(','))
  }
  return {
    // With answers missing, those of refused entries could not stand at their places.
    ...(refused.size === 0 ? {} : { count: sent.length }),
    before: (index) => refusedBetween((sent[index - 1]?.place ?? -1) + 1, sent[index]?.place ?? 0),
    behind: () => refusedBetween((sent.at(-1)?.place ?? -1) + 1, places),
    resource(raw, index) {
      const { entry, constraint } = sent[index] ?? {}
      if (entry === undefined) return 'withhold'
      const { interaction } = entry
      // Writing gives no reading, but what became of the write is told.
      if (isWrite(interaction)) return judgeWritten(JSON.parse(raw.toString()), silent(sent[index]!), back)
      if (constraint === undefined) {
        const hasLinks = isBundleAnswer(interaction) || isPaged(raw)
        return hasLinks ? (rewriteInner(raw, entry, grant, rules) ?? 'withhold') : 'release'
      }
      const judged = judgeRead(raw, entry, constraint, grant, rules)
      return entry.method === 'HEAD' && judged !== 'withhold' ? 'strip' : judged
    },
    outcome(outcome, index) {
      const one = sent[index]
      const code = one && silent(one)
      return code && speechless(outcome, code)
    },
    instead(index, hadResource, raw) {
      const { entry, constraint, place } = sent[index] ?? {}
      if (entry === undefined) return undefined
      const refusal = late.get(place!)
      if (refusal !== undefined) return Buffer.from(printRefused(refusal))
      if (constraint !== undefined && isOfInstance(entry.interaction)) return NOT_FOUND_ENTRY
      if (constraint !== undefined && isWrite(entry.interaction)) return refusedWriteEntry(raw) ?? 'keep'
      return hadResource ? UNREADABLE_ENTRY : 'keep'
    },
  }
}

function printRefused(refusal: Refusal): string {
  return JSON.stringify(refusedEntry(refusal))
}

/** Some servers say what they have to say here instead of in the outcome. */
function judgeWritten(
  resource: unknown,
  silent: Write['code'] | undefined,
  back: ReadBack,
): 'release' | 'strip' | Buffer {
  if (silent !== undefined && isPlainOutcome(resource)) return speechless(resource, silent)
  return back.releases(resource) ? 'release' : 'strip'
}

/** An error of a write within limits, told in the gateway's own words where the server's would tell of others. */
function refusedWriteEntry(raw: Buffer): Buffer | undefined {
  const status = entryStatus(raw)
  if (status === 404 || status === 410) return NOT_FOUND_ENTRY
  return isConflict(status) ? Buffer.from(printRefused(changedMeanwhile(status))) : undefined
}

function judgeRead(
  raw: Buffer,
  entry: BundleEntry,
  constraint: Constraint,
  grant: Grant,
  rules: GuardRules,
): 'release' | 'withhold' | Buffer {
  const { interaction } = entry
  if (interaction.code === 'read' || interaction.code === 'vread') {
    return releasesAsked(interaction, constraint)(JSON.parse(raw.toString())) ? 'release' : 'withhold'
  }
  if (!isOfInstance(interaction) && isPlainOutcome(JSON.parse(raw.toString()))) return 'release'
  return guardInner(raw, innerOptions(entry, constraint, grant, rules)) ?? 'withhold'
}

function innerOptions(
  entry: BundleEntry,
  constraint: Constraint,
  grant: Grant,
  rules: GuardRules,
): GuardedBundleOptions {
  const { interaction } = entry
  return {
    ...rules,
    links: entryLinks(entry, grant, rules.links),
    judge: judgeEntries(interaction, constraint),
    mayBeEmpty: !isOfInstance(interaction),
  }
}

function rewriteInner(raw: Buffer, entry: BundleEntry, grant: Grant, rules: GuardRules): Buffer | undefined {
  const rewritten: Buffer[] = []
  const transform = bundleLinks(entryLinks(entry, grant, rules.links))
  const sink = { write: (bytes: Buffer) => void rewritten.push(Buffer.from(bytes)) }
  return transform.write(raw, sink) === undefined && transform.end(sink) === undefined
    ? Buffer.concat(rewritten)
    : undefined
}

function isBundleAnswer({ code }: Interaction): boolean {
  return code.startsWith('search') || code.startsWith('history')
}

/** Whatever was asked for: links of such a Bundle name the upstream. */
function isPaged(raw: Buffer): boolean {
  if (!raw.includes('"Bundle"')) return false
  const { resourceType, type } = JSON.parse(raw.toString()) as { resourceType?: unknown; type?: unknown }
  return resourceType === 'Bundle' && (type === 'searchset' || type === 'history')
}

function entryStatus(raw: Buffer): number {
  const { response } = JSON.parse(raw.toString()) as { response?: { status?: unknown } }
  return typeof response?.status === 'string' ? Number.parseInt(response.status, 10) : 0
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
