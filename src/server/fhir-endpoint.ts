// A FHIR REST endpoint: every interaction below its base is named, its required access stated, and decided by SMART and product
// scopes through the remembered `decide`.

import type { FhirRoute } from '../config/settings.ts'
import { acceptedFormats } from '../domain/answer-format.ts'
import type { Decision } from '../domain/decision/decision.ts'
import type { FhirPolicy } from '../domain/decision/policy.ts'
import type { Definitions } from '../domain/fhir/definitions.ts'
import { isSearchByPost } from '../domain/fhir/interaction.ts'
import { bodyUseOf, type FhirRequest, type FhirRequestLine, readFhirRequest } from '../domain/fhir-request.ts'
import type { Grant } from '../domain/grant.ts'
import { refuseUnlessJson } from '../domain/http/media-type.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { inspectResource } from '../proxy/resource-inspection.ts'
import { answersWithBundle, type BundleAnswers } from './bundle-answers.ts'
import type { Decide } from './decision-cache.ts'
import type { Asked, AskedLine, Endpoint } from './endpoint.ts'
import type { Page, Pages } from './pages.ts'
import type { SharedParts } from './plain-endpoint.ts'

export interface FhirParts extends SharedParts {
  readonly definitions: Definitions
  readonly policy: FhirPolicy
  readonly decide: Decide
  readonly limits: { readonly bundleEntries: number; readonly searchParameters: number }
  readonly bundleAnswers: BundleAnswers
  readonly pages: Pages
}

export function fhirEndpoint(route: FhirRoute, parts: FhirParts): Endpoint {
  const depth = route.path.split('/').filter(Boolean).length
  const { definitions, limits } = parts
  const lineOf = ({ method, target, headers }: AskedLine): FhirRequestLine => ({
    method,
    segments: target.segments.slice(depth),
    parameters: target.parameters,
    ifNoneExist: headers.get('if-none-exist'),
  })
  return {
    ...parts,
    route,
    isPublic: false,
    bodyUse: (line) => bodyUseOf(lineOf(line)),
    name(line, body, grant) {
      const below = lineOf(line)
      const page = below.segments[0] === '_page' ? openPage(below, route.name, grant!, parts.pages) : undefined
      if (isRefusal(page)) return page
      const asked = page === undefined ? below : { ...below, segments: page.segments, parameters: page.parameters }
      const request = readFhirRequest(asked, body, limits, definitions)
      if (isRefusal(request)) return request
      return askedOf(page === undefined ? request : { ...request, path: page.path }, asked, line.headers, parts)
    },
  }
}

/** A page is the search that it belongs to, decided by today's grant, at the place that the upstream gave (contract §5). */
function openPage({ method, segments }: FhirRequestLine, route: string, grant: Grant, pages: Pages): Page | Refusal {
  if (method !== 'GET' && method !== 'HEAD')
    return refuse('interaction-unknown', 'A page is read by GET.', { allow: ['GET', 'HEAD'] })
  const page = segments.length === 2 ? pages.open(segments[1]!, route, grant) : undefined
  return page ?? refuse('not-found', NOT_FOUND)
}

const NOT_FOUND = 'There is nothing here that this credential may read.'

function askedOf(
  request: FhirRequest,
  line: FhirRequestLine,
  headers: RequestHeaders,
  parts: FhirParts,
): Asked | Refusal {
  const { interaction, bodyUse } = request
  const readsAnswer = parts.bundleAnswers.active && answersWithBundle(interaction)
  const refusal =
    (bodyUse === 'resource' ? refuseUnlessJson(headers) : undefined) ??
    (readsAnswer ? refuseUnlessJsonWanted(line, headers) : undefined)
  if (refusal !== undefined) return refusal
  const searched = isSearchByPost(line.method, line.segments) ? line.segments.slice(0, -1) : line.segments
  const transform = readsAnswer ? parts.bundleAnswers.of(request, searched) : undefined
  return {
    interaction: interaction.code,
    method: request.method,
    path: request.path,
    bodyUse,
    body: request.body,
    overrides: overridesOf(request, readsAnswer),
    decide: (grant) => decide(request, grant!, parts),
    ...(bodyUse === 'resource' ? { inspect: () => inspectResource(expected(request)) } : {}),
    ...(transform === undefined ? {} : { transform: (grant, status, answered) => transform(grant!, status, answered) }),
    readsAnswer,
  }
}

/** Links can be rewritten in JSON only. */
function refuseUnlessJsonWanted({ parameters }: FhirRequestLine, headers: RequestHeaders): Refusal | undefined {
  const format = parameters.find(({ name }) => name === '_format')?.value
  if (acceptedFormats(headers.get('accept'), format).json) return undefined
  return refuse('interaction-unknown', 'Bundles are given as JSON only. Ask for application/fhir+json.', {
    status: 406,
  })
}

function decide(request: FhirRequest, grant: Grant, { decide: remembered, policy }: FhirParts): Decision {
  if (request.interaction.code === 'operation') {
    const refusal = refuse(
      'operation-not-listed',
      'This operation is not opened on this route. An operation must be listed under its `operations`.',
    )
    return { outcome: 'deny', refusal, covered: [], missing: [] }
  }
  return remembered(request.required, grant, policy)
}

function expected({ interaction }: FhirRequest): { type?: string; id?: string } {
  if (interaction.code !== 'create' && interaction.code !== 'update') return {}
  return 'id' in interaction && interaction.id !== undefined
    ? { type: interaction.type, id: interaction.id }
    : { type: interaction.type }
}

function overridesOf(request: FhirRequest, readsAnswer: boolean): ReadonlyMap<string, string | undefined> | undefined {
  const overrides: [string, string][] = []
  if (readsAnswer) overrides.push(['accept', 'application/fhir+json'])
  if (request.bodyUse === 'form') overrides.push(['content-type', 'application/x-www-form-urlencoded'])
  if (request.ifNoneExist !== undefined) overrides.push(['if-none-exist', request.ifNoneExist])
  return overrides.length === 0 ? undefined : new Map(overrides)
}
