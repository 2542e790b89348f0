// A FHIR request that was cleared, as it goes upstream: as it was asked, or narrowed; and how its answer comes back: unread, with its
// links rewritten, or guarded (contract §1 step 6).

import { acceptedFormats } from '../../domain/answer-format.ts'
import { constrainRequest } from '../../domain/constraint/constrain-request.ts'
import type { Constraint } from '../../domain/constraint/constraint.ts'
import type { Permit } from '../../domain/decision/decision.ts'
import { refuseLookup } from '../../domain/decision/lookup.ts'
import type { FhirPolicy } from '../../domain/decision/policy.ts'
import type { BundleRequest } from '../../domain/fhir/bundle.ts'
import { isExport, isWrite } from '../../domain/fhir/interaction.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import type { Grant } from '../../domain/grant.ts'
import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { Edge, Plan } from '../endpoint.ts'
import { isBinaryRead, planBinary } from './binary-plan.ts'
import { answersWithBundle, rewriteLinks, type Transform } from './bundle-answers.ts'
import { planBundle } from './bundle-plan.ts'
import { mayNeedRetries, type Retries, withRetries } from './bundle-retries.ts'
import type { ExportJobs } from './export-jobs.ts'
import { planKickOff } from './export-plan.ts'
import { type GuardRules, guardAnswers } from './guarded-answers.ts'
import { guardBundleAnswers } from './guarded-bundle-answers.ts'
import { limitOperation } from './operation-limits.ts'
import { isConflict, preferredReturn, type ReadBack } from './write-answers.ts'
import type { WriteRules } from './write-check.ts'
import { planLimitedWrite, planOpenWrite, type SingleWrite } from './write-plan.ts'

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
  /** What the caller may read of what it writes. */
  readonly back: () => ReadBack
  readonly writes: Omit<WriteRules, 'ask'>
  readonly jobs: ExportJobs
  readonly policy: FhirPolicy
}

export function planFhir(
  decision: Permit,
  grant: Grant,
  planning: FhirPlanning,
  edge: Edge,
): Plan | Refusal | Promise<Plan | Refusal> {
  const { request } = planning
  const constraint = decision.outcome === 'forward' ? undefined : decision.constraints[0]
  if (request.bundle !== undefined) {
    const { entries } = request.bundle
    const strips = entries.some(({ interaction }) => isWrite(interaction) && !planning.back().all(interaction.type))
    return decision.outcome === 'forward' && !strips
      ? planOpen(request, grant, planning)
      : planGuardedBundle(decision, request.bundle, grant, planning, edge)
  }
  if (isSingleWrite(request)) {
    const { policy } = planning
    const refuseQuery = (text: string): Refusal | undefined => refuseLookup(text, request.interaction, grant, policy)
    return constraint === undefined
      ? planOpenWrite(request, { ...planning, refuseQuery })
      : planLimitedWrite(request, constraint, { ...planning, refuseQuery }, edge)
  }
  if (isExport(request.interaction)) return planKickOff(decision, request, grant, planning, edge)
  if (constraint === undefined) return planOpen(request, grant, planning)
  if (isBinaryRead(request.interaction)) return planBinary(request, constraint, edge)
  return request.interaction.code === 'operation'
    ? planLimitedOperation(request, constraint, grant, planning, edge)
    : planGuarded(request, constraint, grant, planning, edge)
}

async function planLimitedOperation(
  request: FhirRequest,
  constraint: Constraint,
  grant: Grant,
  planning: FhirPlanning,
  edge: Edge,
): Promise<Plan | Refusal> {
  const limited = await limitOperation(request, constraint, planning.headers, edge)
  return isRefusal(limited) ? limited : planGuarded(limited, constraint, grant, planning, edge)
}

function isSingleWrite(request: FhirRequest): request is SingleWrite {
  return isWrite(request.interaction)
}

/** Passes as it was asked; only the links of a Bundle are rewritten on its way back. */
function planOpen(request: FhirRequest, grant: Grant, planning: FhirPlanning): Plan | Refusal {
  const { pagePath, rewrites, guard, asked } = planning
  const { method, path, bodyUse, body } = request
  const readsAnswer = rewrites && answersWithBundle(request.interaction)
  const refusal = readsAnswer ? refuseUnlessJsonWanted(planning) : undefined
  if (refusal !== undefined) return refusal
  return {
    method,
    path: pagePath ?? path,
    bodyUse,
    body,
    overrides: overridesOf(request, readsAnswer, false),
    ...(readsAnswer
      ? { transform: bind(rewriteLinks(request, asked, { ...guard.links, page: pagePath ?? path }), grant) }
      : {}),
    readsAnswer,
  }
}

/** Narrowed where it is a search, and guarded. */
function planGuarded(
  given: FhirRequest,
  constraint: Constraint,
  grant: Grant,
  planning: FhirPlanning,
  edge: Edge,
): Plan | Refusal {
  const { pagePath, guard, asked } = planning
  const constrained = constrainRequest(given, constraint)
  const refusal = isRefusal(constrained) ? constrained : refuseUnlessJsonWanted(planning)
  if (isRefusal(constrained) || refusal !== undefined) return refusal!
  const { request, exact } = constrained
  const { method, path, bodyUse, body } = request
  const links = { ...guard.links, page: pagePath ?? path }
  const rules = exact ? { ...guard, links } : { ...guard, links, ask: edge.ask }
  return {
    // A guarded HEAD needs to see what it tells about.
    method: method === 'HEAD' ? 'GET' : method,
    path: pagePath ?? path,
    bodyUse,
    body,
    overrides: overridesOf(request, true, true),
    transform: bind(guardAnswers(request, asked, planning.headers, constraint, rules), grant),
    readsAnswer: true,
  }
}

async function planGuardedBundle(
  decision: Permit,
  bundle: BundleRequest,
  grant: Grant,
  planning: FhirPlanning,
  edge: Edge,
): Promise<Plan | Refusal> {
  const { request, guard, writes, back } = planning
  const refusal = refuseUnlessJsonWanted(planning)
  if (refusal !== undefined) return refusal
  const planned = await planBundle(bundle, decision, { ...writes, ask: edge.ask })
  if (isRefusal(planned)) return planned
  const written = bundle.entries.flatMap(({ interaction }) => (isWrite(interaction) ? [interaction.type] : []))
  const prefer = written.length === 0 ? undefined : preferredReturn(written, back(), planning.headers.get('prefer'))
  const overrides = new Map([...(overridesOf(request, true, true) ?? []), ['prefer', prefer] as const])
  const guarded = guardBundleAnswers(request, planned, back(), guard)
  const places = [...bundle.entries.keys()].filter((place) => !planned.refused.has(place))
  const send: Retries['send'] = (body) => edge.send(decision, { path: request.path, body, overrides })
  const again = bundle.code === 'batch' ? { send } : {}
  const look = (): Promise<Plan | Refusal> => planGuardedBundle(decision, bundle, grant, planning, edge)
  return {
    method: request.method,
    path: request.path,
    bodyUse: request.bodyUse,
    body: planned.body,
    overrides,
    transform: (status, headers) => {
      const inner = guarded(grant, status, headers)
      if (inner === undefined || isRefusal(inner) || status >= 400 || !mayNeedRetries(planned, bundle.code))
        return inner
      return withRetries(inner, { planned, places, ...again, mostHeld: guard.mostHeld })
    },
    readsAnswer: true,
    // A transaction that fails has done nothing.
    ...(bundle.code === 'transaction' && planned.conditional.size > 0 ? { again: { after: isConflict, look } } : {}),
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
  return overrides.size === 0 ? undefined : overrides
}
