// A bulk export that was cleared, as it goes upstream: its kick-off, narrowed to what the scopes cover, the polling of its status, its
// cancellation, and its files, of which every line is checked unless everything is allowed (spec §8).

import type { Constraint } from '../../domain/constraint/constraint.ts'
import { exportJudge, exportLimits } from '../../domain/constraint/export.ts'
import type { Permit } from '../../domain/decision/decision.ts'
import { exportedTypes } from '../../domain/decision/export-access.ts'
import type { FhirPolicy } from '../../domain/decision/policy.ts'
import { readExport } from '../../domain/fhir/bulk-export.ts'
import { printRequestPath } from '../../domain/fhir/request-path.ts'
import type { FhirRequest } from '../../domain/fhir-request.ts'
import type { Grant } from '../../domain/grant.ts'
import { mediaType } from '../../domain/http/media-type.ts'
import type { RequestHeaders } from '../../domain/http/request-headers.ts'
import { isRefusal, type Refusal } from '../../domain/refusal.ts'
import type { AnswerHeaders, BodyTransform } from '../../proxy/forward.ts'
import { guardedLines } from '../../proxy/guarded-lines.ts'
import { notFound, outcomeOnly, unreadable } from '../../proxy/guarded-resource.ts'
import type { Edge, Plan } from '../endpoint.ts'
import { hasBody, isJson } from './bundle-answers.ts'
import { deletedJudge } from './deleted-lines.ts'
import type { ExportJob, ExportJobs } from './export-jobs.ts'
import { printKickOff } from './export-kick-off.ts'
import { exportManifest } from './export-manifest.ts'
import { type GuardRules, tooMany } from './guarded-answers.ts'
import { isReadable } from './operation-limits.ts'

/** What planning an export needs of a route. */
export interface ExportRules {
  readonly jobs: ExportJobs
  readonly guard: GuardRules
}

const LONGEST_REQUEST = 1_000

export async function planKickOff(
  decision: Permit,
  { method, segments, parameters, body }: FhirRequest,
  grant: Grant,
  { jobs, headers, policy }: ExportRules & { readonly headers: RequestHeaders; readonly policy: FhirPolicy },
  edge: Edge,
): Promise<Plan | Refusal> {
  const posted = method === 'POST'
  const query = readExport({ method, segments, parameters, body }, policy.definitions)
  if (isRefusal(query)) return query
  const constraint = constraintOf(decision)
  if (segments[0] === 'Group' && constraint !== undefined) {
    const refusal = await isReadable({ type: 'Group', id: segments[1]! }, constraint, edge)
    if (refusal !== undefined) return refusal
  }
  const types = exportedTypes(decision)
  const printed = printKickOff(query, types, constraint)
  const asked = printRequestPath(segments, parameters)
  const request = asked.length > LONGEST_REQUEST ? printRequestPath(segments, []) : asked
  const job = { part: 'status', segments, types, request } as const
  return {
    method: posted ? 'POST' : 'GET',
    path: printRequestPath(segments, posted ? [] : printed.parameters),
    bodyUse: 'none',
    body: posted ? printed.body : undefined,
    overrides: new Map([
      ...QUIET,
      ['accept', 'application/fhir+json'],
      ['prefer', preferOf(headers)],
      ...(posted ? [['content-type', 'application/fhir+json'] as const] : []),
    ]),
    answerHeaders: (status, given) => {
      const at = given['content-location']
      const url = status === 202 && typeof at === 'string' ? jobs.urlOf(at, job, grant) : undefined
      return url === undefined ? unplaced(given) : { ...unplaced(given), 'content-location': url }
    },
    transform(status, given) {
      if (status !== 202) return failed(status, given)
      return given['content-location'] === undefined ? unreadable() : withoutBody()
    },
    readsAnswer: true,
  }
}

/** `job` is what a seal of the same caller said; the decision is today's. */
export function planJob(method: string, job: ExportJob, decision: Permit, grant: Grant, rules: ExportRules): Plan {
  const { path, atOrigin, part } = job
  const constraint = constraintOf(decision)
  const isFile = part !== 'status'
  return {
    method: method === 'DELETE' ? 'DELETE' : 'GET',
    path,
    atOrigin,
    bodyUse: 'none',
    overrides: new Map([
      ...QUIET,
      ['prefer', undefined],
      ['accept', isFile ? 'application/fhir+ndjson' : 'application/json'],
    ]),
    answerHeaders: (_status, given) => unplaced(given),
    transform(status, headers) {
      if (method === 'DELETE') return status >= 200 && status < 300 ? withoutBody() : failed(status, headers)
      if (isFile) return status === 200 ? fileTransform(job, constraint, headers, rules) : failed(status, headers)
      if (status === 202) return withoutBody()
      return status === 200 && isJson(headers) ? manifest(job, constraint, grant, rules) : failed(status, headers)
    },
    readsAnswer: !isFile || constraint !== undefined,
  }
}

/** A 304 would tell of what nobody checked. */
const QUIET: readonly (readonly [string, undefined])[] = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-range',
  'range',
].map((name) => [name, undefined])

/** Where the upstream has something is for us to know. */
function unplaced(headers: AnswerHeaders): AnswerHeaders {
  const { location: _, 'content-location': __, ...others } = headers
  return others
}

function constraintOf(decision: Permit): Constraint | undefined {
  return decision.outcome === 'forward' ? undefined : decision.constraints[0]
}

function preferOf(headers: RequestHeaders): string {
  const handling = /\bhandling=(strict|lenient)\b/.exec(headers.get('prefer') ?? '')?.[0]
  return handling === undefined ? 'respond-async' : `respond-async, ${handling}`
}

function manifest(job: ExportJob, constraint: Constraint | undefined, grant: Grant, rules: ExportRules): BodyTransform {
  const { segments, types, request } = job
  return exportManifest({
    request: rules.guard.links.urls.publicBase + request,
    mostHeld: rules.guard.mostHeld,
    reach(type) {
      const limits = constraint && exportLimits(constraint, type)
      return limits === undefined ? 'all' : limits.length === 0 ? 'nothing' : 'part'
    },
    seal: (part, url) => rules.jobs.urlOf(url, { part, segments, types, request }, grant),
  })
}

function fileTransform(
  { part }: ExportJob,
  constraint: Constraint | undefined,
  headers: AnswerHeaders,
  { guard: { mostHeld, counted } }: ExportRules,
): BodyTransform | Refusal | undefined {
  if (constraint === undefined) return undefined
  const type = headers['content-type']
  if (!LINES.has(mediaType(typeof type === 'string' ? type : undefined)) || headers['content-encoding'] !== undefined)
    return unreadable()
  const releases = exportJudge(constraint)
  const judge =
    part === 'deleted'
      ? deletedJudge(constraint)
      : (resource: unknown) => (releases(resource) ? ('release' as const) : ('withhold' as const))
  return guardedLines({ judge, mostHeld, counted })
}

const LINES = new Set(['application/fhir+ndjson', 'application/ndjson', 'application/x-ndjson'])

/** What the upstream says about a job that went wrong: an OperationOutcome, and nothing about where it was. */
function failed(status: number, headers: AnswerHeaders): BodyTransform | Refusal {
  if (status === 429) return tooMany(headers)
  if (status === 404 || status === 410) return notFound()
  if (status < 400 || status === 401) return unreadable()
  return hasBody(status, headers) && isJson(headers) ? outcomeOnly() : unreadable()
}

function withoutBody(): BodyTransform {
  return { write: () => undefined, end: () => undefined }
}
