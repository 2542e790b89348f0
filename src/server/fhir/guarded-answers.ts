// How an answer within constraints is passed on: a read is held and judged whole, a Bundle entry by entry, a Bundle of answers each by
// the constraint of its own entry. What cannot be judged is refused; what is not released looks as if it were not there (contract §4).

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { Guard } from '../../domain/constraint/guard.ts'
import { lettersOf } from '../../domain/constraint/letters.ts'
import type { Interaction } from '../../domain/fhir/interaction.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { BundleLinks } from '../../proxy/bundle-links.ts'
import { filledBundle } from '../../proxy/filled-bundle.ts'
import type { AnswerHeaders, BodyTransform } from '../../proxy/forward.ts'
import type { EntryJudge } from '../../proxy/guard-editor.ts'
import { guardedBundle } from '../../proxy/guarded-bundle.ts'
import { guardedResource, notFound, outcomeOnly, unreadable } from '../../proxy/guarded-resource.ts'
import { isUnchanged } from '../../proxy/not-modified.ts'
import type { Edge } from '../endpoint.ts'
import { answerLinks, type LinkRules, pathOf } from './answer-links.ts'
import { isJson, type Transform } from './bundle-answers.ts'
import { guardOperation } from './operation-answers.ts'

export interface GuardRules {
  readonly links: LinkRules
  /** `guardedBody`: the most that is held at once, in bytes. */
  readonly mostHeld: number
  counted(result: 'released' | 'withheld', count: number): void
  /** Set where the server finds more than may be seen, so that its pages have to be looked through. */
  readonly ask?: Edge['ask']
}

export function guardAnswers(
  request: FhirRequest,
  asked: readonly string[],
  conditions: RequestHeaders,
  constraint: Constraint,
  rules: GuardRules,
): Transform {
  const { interaction } = request
  if (isRead(interaction)) return guardRead(interaction, conditions, constraint, rules)
  return (grant, status, headers) => {
    if (status !== 200) return refused(interaction, status, headers)
    if (!isJson(headers)) return unreadable()
    const links = answerLinks(interaction, asked, grant, rules.links)
    if (rules.ask !== undefined) return fillPages(interaction, links, constraint, { ...rules, ask: rules.ask })
    const bundle = (): BodyTransform =>
      guardedBundle({
        ...rules,
        links,
        judge: judgeEntries(interaction, constraint),
        mayBeEmpty: !isOfInstance(interaction),
      })
    return interaction.code === 'operation' ? guardOperation(interaction, constraint, { ...rules, bundle }) : bundle()
  }
}

function fillPages(
  interaction: Interaction,
  links: BundleLinks,
  constraint: Constraint,
  { ask, mostHeld, counted, links: { urls } }: GuardRules & Required<Pick<GuardRules, 'ask'>>,
): BodyTransform {
  return filledBundle({
    type: interaction.code.startsWith('history') ? 'history' : 'searchset',
    links,
    judge: () => judgeEntries(interaction, constraint),
    mostHeld,
    counted,
    async fetch(url) {
      const path = pathOf(url, urls)
      const answer = path === undefined ? undefined : await ask(path)
      return answer === undefined || isRefusal(answer) || answer.status !== 200 ? undefined : answer.body
    },
  })
}

/** Interactions that are about one known resource. */
export type OfInstance = Extract<Interaction, { code: 'read' | 'vread' | 'history-instance' }>
type Read = OfInstance & { code: 'read' | 'vread' }

export function isOfInstance(interaction: Interaction): interaction is OfInstance {
  return isRead(interaction) || interaction.code === 'history-instance'
}

function isRead(interaction: Interaction): interaction is Read {
  return interaction.code === 'read' || interaction.code === 'vread'
}

function guardRead(
  interaction: Read,
  conditions: RequestHeaders,
  constraint: Constraint,
  { mostHeld, counted }: GuardRules,
): Transform {
  return (_grant, status, headers) => {
    if (status !== 200) return refused(interaction, status, headers)
    if (!isJson(headers)) return unreadable()
    const unchanged = isUnchanged(conditions, headers)
    return guardedResource({ releases: releasesAsked(interaction, constraint), counted, unchanged }, mostHeld)
  }
}

/** A read returns the requested resource or nothing. */
export function releasesAsked(interaction: OfInstance, constraint: Constraint): (resource: unknown) => boolean {
  const guard = new Guard(constraint, lettersOf(interaction))
  return (resource) => {
    const { resourceType, id } = (resource ?? {}) as { resourceType?: unknown; id?: unknown }
    return resourceType === interaction.type && id === interaction.id && guard.releases(resource)
  }
}

/** What the upstream says of one resource must not tell that it exists; of a search it may say what is wrong with it. */
function refused(interaction: Interaction, status: number, headers: AnswerHeaders): Refusal | BodyTransform {
  // Of the caller or of us, not of any resource.
  if (status === 429) return tooMany(headers)
  if (status < 400 || status >= 500 || status === 401) return unreadable()
  if (isOfInstance(interaction)) return notFound()
  return isJson(headers) ? outcomeOnly() : unreadable()
}

export function tooMany({ 'retry-after': after }: AnswerHeaders): Refusal {
  const seconds = typeof after === 'string' && /^\d{1,6}$/.test(after) ? { retryAfter: Number(after) } : {}
  return refuse(
    'rate-limited',
    'The server behind this route takes no more requests for now. Try again later.',
    seconds,
  )
}

export function judgeEntries(interaction: Interaction, constraint: Constraint): EntryJudge {
  if (interaction.code === 'history-instance') return judgeVersions(interaction, constraint)
  const guard = new Guard(constraint, lettersOf(interaction))
  const late = new Map<number, unknown>()
  return {
    looksAt: (type) => guard.looksAt(type),
    resource(_raw, index, read) {
      const resource = read()
      const judgement = guard.judge(resource)
      if (judgement === 'later') late.set(index, resource)
      return judgement
    },
    late: (index) => guard.releases(late.get(index)),
  }
}

/** Each version by its own content. A deletion has none: it passes beside the version before it, or not at all (spec §1.4). */
function judgeVersions(interaction: OfInstance, constraint: Constraint): EntryJudge {
  const releases = releasesAsked(interaction, constraint)
  let deletion: Buffer | undefined
  let released = false
  return {
    resource(raw) {
      released = releases(JSON.parse(raw.toString()))
      return released ? 'release' : 'withhold'
    },
    instead(_index, hadResource, raw) {
      released = false
      deletion = !hadResource && isDeletion(raw) ? Buffer.from(raw) : undefined
      return undefined
    },
    before() {
      const before = released ? deletion : undefined
      if (released) deletion = undefined
      return before ?? NOTHING
    },
  }
}

function isDeletion(raw: Buffer): boolean {
  const { request } = JSON.parse(raw.toString()) as { request?: { method?: unknown } }
  return request?.method === 'DELETE'
}

const NOTHING = Buffer.alloc(0)
