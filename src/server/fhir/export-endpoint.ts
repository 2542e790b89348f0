// `{base}/_export/{seal}`: the status and the files of an export that the same client started (contract §5). What it covers is decided
// anew by today's grant, as if the export were started now; whoever has a seal of somebody else is told that there is nothing.

import { operationAccess } from '../../domain/decision/operation-access.ts'
import { parseInteraction } from '../../domain/fhir/interaction.ts'
import type { FhirRequestLine } from '../../domain/fhir-request.ts'
import type { Grant } from '../../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { notFound } from '../../proxy/guarded-resource.ts'
import type { Asked } from '../endpoint.ts'
import type { ExportJob } from './export-jobs.ts'
import { planJob } from './export-plan.ts'
import type { FhirParts } from './fhir-endpoint.ts'

export function nameExportJob({ method, segments }: FhirRequestLine, grant: Grant, parts: FhirParts): Asked | Refusal {
  const job = segments.length === 2 ? parts.jobs.open(segments[1]!, grant) : undefined
  if (job === undefined) return notFound()
  const allow = job.part === 'status' ? ['GET', 'DELETE'] : ['GET']
  if (!allow.includes(method)) return refuse('interaction-unknown', `Use ${allow.join(' or ')} here.`, { allow })
  const { policy } = parts
  const access = accessOf(job, parts)
  return {
    interaction: 'operation',
    decide: (by) =>
      isRefusal(access) || 'scope' in access
        ? { outcome: 'deny', refusal: isRefusal(access) ? access : notFound(), covered: [], missing: [] }
        : parts.decide([access], by!, policy),
    plan: (decision, by) => planJob(method, job, decision, by!, parts),
  }
}

/** What starting an export of these types needs today. */
function accessOf({ segments, types }: ExportJob, { policy }: FhirParts): ReturnType<typeof operationAccess> {
  const parameters = types === '*' ? [] : [{ name: '_type', value: types.join(',') }]
  const line = { method: 'GET', segments, parameters }
  const interaction = parseInteraction(line, policy.definitions)
  if (isRefusal(interaction)) return interaction
  if (interaction.code !== 'operation') return notFound()
  return operationAccess({ ...line, interaction }, policy.operations, policy.definitions)
}
