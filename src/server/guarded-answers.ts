// How an answer within constraints is passed on: a read is held and judged whole, a Bundle entry by entry, a Bundle of answers each by
// the constraint of its own entry. What cannot be judged is refused; what is not released looks as if it were not there (contract §4).

import type { Constraint } from '../domain/constraint/constraint.ts'
import { Guard } from '../domain/constraint/guard.ts'
import { lettersOf } from '../domain/constraint/letters.ts'
import type { Interaction } from '../domain/fhir/interaction.ts'
import type { FhirRequest } from '../domain/fhir-request.ts'
import type { Refusal } from '../domain/refusal.ts'
import { type EntryJudge, guardedBundle } from '../proxy/guarded-bundle.ts'
import { guardedResource, notFound, outcomeOnly, unreadable } from '../proxy/guarded-resource.ts'
import { answerLinks, type LinkRules } from './answer-links.ts'
import { isJson, type Transform } from './bundle-answers.ts'

export interface GuardRules {
  readonly links: LinkRules
  /** `guardedBody`: the most that is held at once, in bytes. */
  readonly mostHeld: number
  counted(result: 'released' | 'withheld', count: number): void
}

export function guardAnswers(
  request: FhirRequest,
  asked: readonly string[],
  constraint: Constraint,
  rules: GuardRules,
): Transform {
  const { interaction } = request
  if (isRead(interaction)) return guardRead(interaction, constraint, rules)
  return (grant, status, headers) => {
    if (status !== 200) return refused(interaction, status, isJson(headers))
    if (!isJson(headers)) return unreadable()
    const links = answerLinks(interaction, asked, grant, rules.links)
    const judge = judgeEntries(interaction, constraint)
    return guardedBundle({ ...rules, links, judge, mayBeEmpty: !isOfInstance(interaction) })
  }
}

/** Interactions that are about one known resource. */
type OfInstance = Extract<Interaction, { code: 'read' | 'vread' | 'history-instance' }>
type Read = OfInstance & { code: 'read' | 'vread' }

function isOfInstance(interaction: Interaction): interaction is OfInstance {
  return isRead(interaction) || interaction.code === 'history-instance'
}

export function isRead(interaction: Interaction): interaction is Read {
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
export function releasesAsked(interaction: OfInstance, constraint: Constraint): (resource: unknown) => boolean {
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

export function judgeEntries(interaction: Interaction, constraint: Constraint): EntryJudge {
  const guard = new Guard(constraint, lettersOf(interaction))
  const releases = isOfInstance(interaction)
    ? releasesAsked(interaction, constraint)
    : (one: unknown) => guard.releases(one)
  return { resource: (raw) => (releases(JSON.parse(raw.toString())) ? 'release' : 'withhold') }
}
