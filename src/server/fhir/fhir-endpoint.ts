// A FHIR REST endpoint: every interaction below its base is named, its required access stated, and decided by SMART and product
// scopes through the remembered `decide`.

import type { FhirRoute } from '../../config/settings.ts'
import { decideBatch } from '../../domain/decision/decide-batch.ts'
import { decidePlain } from '../../domain/decision/decide-plain.ts'
import type { Decision, Deny } from '../../domain/decision/decision.ts'
import { narrowExport } from '../../domain/decision/export-access.ts'
import { operationAccess } from '../../domain/decision/operation-access.ts'
import type { FhirPolicy } from '../../domain/decision/policy.ts'
import type { BundleLimits } from '../../domain/fhir/bundle.ts'
import { isSearchByPost } from '../../domain/fhir/interaction.ts'
import { bodyUseOf, type FhirRequest, type FhirRequestLine, readFhirRequest } from '../../domain/fhir-request.ts'
import type { Grant } from '../../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { notFound } from '../../proxy/guarded-resource.ts'
import type { Decide } from '../decision-cache.ts'
import type { Asked, AskedLine, Endpoint } from '../endpoint.ts'
import type { SharedParts } from '../plain-endpoint.ts'
import { nameExportJob } from './export-endpoint.ts'
import { EXPORT_SEGMENT, type ExportJobs } from './export-jobs.ts'
import { planFhir } from './fhir-plan.ts'
import type { GuardRules } from './guarded-answers.ts'
import type { Page } from './pages.ts'
import { readBack } from './write-answers.ts'

export interface FhirParts extends SharedParts {
  readonly policy: FhirPolicy
  readonly decide: Decide
  readonly limits: BundleLimits
  readonly rewrites: boolean
  readonly guard: GuardRules
  readonly jobs: ExportJobs
}

export function fhirEndpoint(route: FhirRoute, parts: FhirParts): Endpoint {
  const depth = route.path.split('/').filter(Boolean).length
  const { limits, policy, guard, rewrites } = parts
  const lineOf = ({ method, target, headers }: AskedLine): FhirRequestLine => ({
    method,
    segments: target.segments.slice(depth),
    parameters: target.parameters,
    ifNoneExist: headers.get('if-none-exist'),
    contentType: headers.get('content-type'),
  })
  return {
    ...parts,
    route,
    isPublic: false,
    bodyUse: (line) => bodyUseOf(lineOf(line)),
    name(line, body, grant): Asked | Refusal {
      const below = lineOf(line)
      if (below.segments[0] === EXPORT_SEGMENT) return nameExportJob(below, grant!, parts)
      const page = below.segments[0] === '_page' ? openPage(below, route.name, grant!, parts) : undefined
      if (isRefusal(page)) return page
      const asked = page === undefined ? below : { ...below, segments: page.segments, parameters: page.parameters }
      const request = readFhirRequest(asked, body, limits, policy.definitions)
      if (isRefusal(request)) return request
      const planning = {
        request,
        asked: withoutSearch(asked),
        headers: line.headers,
        pagePath: page?.path,
        rewrites,
        guard,
        writes: route,
        jobs: parts.jobs,
        policy,
      }
      return {
        interaction: request.interaction.code,
        decide: (by) => decide(request, by!, parts),
        plan: (decision, by, edge) => {
          const door = request.bundle === undefined ? 'rest' : 'bundle'
          return planFhir(decision, by!, { ...planning, back: () => readBack(by!, policy, door) }, edge)
        },
      }
    },
  }
}

/** A page is the search that it belongs to, decided by today's grant, at the place that the upstream gave (contract §5). */
function openPage(
  { method, segments }: FhirRequestLine,
  route: string,
  grant: Grant,
  { guard }: FhirParts,
): Page | Refusal {
  if (method !== 'GET' && method !== 'HEAD') {
    return refuse('interaction-unknown', 'A page is read by GET.', { allow: ['GET', 'HEAD'] })
  }
  const page = segments.length === 2 ? guard.links.pages.open(segments[1]!, route, grant) : undefined
  return page ?? notFound()
}

function withoutSearch({ method, segments }: FhirRequestLine): readonly string[] {
  return isSearchByPost(method, segments) ? segments.slice(0, -1) : segments
}

function decide(request: FhirRequest, grant: Grant, { decide: remembered, policy }: FhirParts): Decision {
  const { interaction, required, method, parameters, segments, body } = request
  if (interaction.code === 'batch') {
    const faultOf = (index: number): Refusal | undefined => request.bundle!.entries[index]!.fault
    return decideBatch(
      request.entries!,
      (entry, index) => deniedFor(faultOf(index)) ?? remembered(entry, grant, policy),
    )
  }
  if (interaction.code !== 'operation') return remembered(required, grant, policy)
  const asked = { interaction, method, parameters, segments, body }
  const access = operationAccess(asked, policy.operations, policy.definitions)
  if (isRefusal(access)) return deniedFor(access)
  if ('scope' in access) return decidePlain({ anyOf: [access.scope] }, grant, policy.catalogue)
  const decision = remembered([access], grant, policy)
  const part = decision.outcome === 'deny' && access.door === 'bulk' ? narrowExport(access, grant, policy) : undefined
  return part === undefined ? decision : remembered([part], grant, policy)
}

/** What cannot be understood is not asked about any further. */
function deniedFor<Fault extends Refusal | undefined>(refusal: Fault): Deny | (Fault & undefined)
function deniedFor(refusal: Refusal | undefined): Deny | undefined {
  return refusal && { outcome: 'deny', refusal, covered: [], missing: [] }
}
