// The history of a resource, of a type, of all: newest first, deletions included, `_since` `_at` `_count`.

import { jsonAnswer } from './answers.ts'
import { dateRange } from './date-range.ts'
import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import type { StoredVersion } from './stored-version.ts'

export function history(
  target: { readonly type?: string; readonly id?: string },
  request: FhirRequest,
  context: FhirContext,
): FhirAnswer {
  const { type, id } = target
  const all = type !== undefined && id !== undefined ? context.store.versions(type, id) : context.store.journal
  if (id !== undefined && all.length === 0) throw new FhirError(404, 'not-found', `${type}/${id} is not known`)
  const keep = timeFilter(request)
  const versions = all.filter((version) => (type === undefined || version.type === type) && keep(version)).reverse()
  const path = [type, id].map((part) => (part === undefined ? '' : `/${part}`)).join('')
  const query = request.query.filter(([name]) => name === '_since' || name === '_at' || name === '_count')
  const text = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
  const set = {
    bundleType: 'history' as const,
    versions,
    self: `${path}/_history${text === '' ? '' : `?${text}`}`,
    total: versions.length,
    includes: { include: [], revinclude: [] },
    subset: { summary: undefined, elements: undefined },
  }
  const count = Number(parameter(request, '_count') ?? context.settings.pageSize)
  if (!Number.isSafeInteger(count) || count < 0) throw badRequest('_count takes a whole number', 'value')
  const size = Math.min(count || context.settings.pageSize, context.settings.largestPage)
  return jsonAnswer(200, context.pages.print(count === 0 ? { ...set, versions: [] } : set, 0, size, request.base))
}

function timeFilter(request: FhirRequest): (version: StoredVersion) => boolean {
  const since = instant(request, '_since')
  const at = instant(request, '_at')
  return (version) =>
    (since === undefined || version.updatedAt >= since.start) && (at === undefined || version.updatedAt < at.end)
}

function instant(request: FhirRequest, name: string): ReturnType<typeof dateRange> {
  const text = parameter(request, name)
  if (text === undefined) return undefined
  const range = dateRange(text.replace(' ', '+'))
  if (range === undefined) throw badRequest(`${name} takes a date or an instant`, 'value')
  return range
}

function parameter(request: FhirRequest, name: string): string | undefined {
  return request.query.find(([key, value]) => key === name && value !== '')?.[1]
}
