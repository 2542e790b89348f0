// A FHIR request that was cleared, as it goes upstream: as it was asked, or narrowed; and how its answer comes back: unread, with its
// links rewritten, or guarded (contract §1 step 6).

import { acceptedFormats } from '../domain/answer-format.ts'
import { constrainRequest } from '../domain/constraint/constrain-request.ts'
import type { Permit } from '../domain/decision/decision.ts'
import type { FhirRequest } from '../domain/fhir-request.ts'
import type { Grant } from '../domain/grant.ts'
import { refuseUnlessJson } from '../domain/http/media-type.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { inspectResource } from '../proxy/resource-inspection.ts'
import { answersWithBundle, rewriteLinks, type Transform } from './bundle-answers.ts'
import type { Plan } from './endpoint.ts'
import { type GuardRules, guardAnswers } from './guarded-answers.ts'

export interface FhirPlanning {
  readonly request: FhirRequest
  /** Segments below the base on which it was asked, without `_search`. */
  readonly asked: readonly string[]
  readonly headers: RequestHeaders
  /** Where the upstream put the page that was asked for. */
  readonly pagePath?: string | undefined
  /** Whether Bundles are read at all: not where the upstream writes our own base and pages are not sealed. */
  readonly rewrites: boolean
  readonly guard: GuardRules
}

export function planFhir(decision: Permit, grant: Grant, planning: FhirPlanning): Plan | Refusal {
  const { headers, pagePath, rewrites, guard, asked } = planning
  const guarded = decision.outcome !== 'forward'
  const request = guarded ? constrainRequest(planning.request, decision.constraints) : planning.request
  if (isRefusal(request)) return request
  const { interaction, bodyUse } = request
  const readsAnswer = guarded || (rewrites && answersWithBundle(interaction))
  const refusal =
    (bodyUse === 'resource' ? refuseUnlessJson(headers) : undefined) ??
    (readsAnswer ? refuseUnlessJsonWanted(planning) : undefined)
  if (refusal !== undefined) return refusal
  const transform = guarded
    ? guardAnswers(request, asked, decision.constraints, guard)
    : readsAnswer
      ? rewriteLinks(request, asked, guard.links)
      : undefined
  return {
    // A guarded HEAD needs to see what it tells about.
    method: guarded && request.method === 'HEAD' ? 'GET' : request.method,
    path: pagePath ?? request.path,
    bodyUse,
    body: request.body,
    overrides: overridesOf(request, readsAnswer, guarded),
    ...(bodyUse === 'resource' ? { inspect: () => inspectResource(expected(request)) } : {}),
    ...(transform === undefined ? {} : { transform: bind(transform, grant) }),
    readsAnswer,
  }
}

function bind(transform: Transform, grant: Grant): NonNullable<Plan['transform']> {
  return (status, headers) => transform(grant, status, headers)
}

/** Only JSON can be read on its way. */
function refuseUnlessJsonWanted({ request, headers }: FhirPlanning): Refusal | undefined {
  const format = request.parameters.find(({ name }) => name === '_format')?.value
  if (acceptedFormats(headers.get('accept'), format).json) return undefined
  const detail = 'What must be checked or rewritten on its way is given as JSON only. Ask for application/fhir+json.'
  return refuse('interaction-unknown', detail, { status: 406 })
}

function expected({ interaction }: FhirRequest): { type?: string; id?: string } {
  if (interaction.code !== 'create' && interaction.code !== 'update') return {}
  const { type } = interaction
  return 'id' in interaction && interaction.id !== undefined ? { type, id: interaction.id } : { type }
}

// A 304 tells that something is there, and an answer that comes later comes past the guard (spec §2.7).
const DROPPED_WHEN_GUARDED = ['if-none-match', 'if-modified-since', 'if-range', 'prefer']

function overridesOf(
  request: FhirRequest,
  readsAnswer: boolean,
  guarded: boolean,
): ReadonlyMap<string, string | undefined> | undefined {
  const overrides = new Map<string, string | undefined>()
  if (guarded) for (const name of DROPPED_WHEN_GUARDED) overrides.set(name, undefined)
  // A server that ignores what was added to a search had better say so; the guard does not rely on it.
  if (guarded && request.interaction.code.startsWith('search')) overrides.set('prefer', 'handling=strict')
  if (readsAnswer) overrides.set('accept', 'application/fhir+json')
  if (request.bodyUse === 'form') overrides.set('content-type', 'application/x-www-form-urlencoded')
  if (request.ifNoneExist !== undefined) overrides.set('if-none-exist', request.ifNoneExist)
  return overrides.size === 0 ? undefined : overrides
}
