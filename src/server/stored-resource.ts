// What is stored under an id, as the gateway needs it before a write within constraints: the resource, and the version that was looked
// at, so that the write can be made conditional on it (RFC 9110 §13.1.1, R4 http §concurrency).

import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../domain/json/strict-json.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import type { UpstreamAnswer } from '../proxy/ask-upstream.ts'
import { unreadable } from '../proxy/guarded-resource.ts'

export interface StoredResource {
  readonly resource: JsonObject
  /** `W/"…"`; undefined where the upstream tells no version. */
  readonly etag: string | undefined
}

/** Asks for a path below the upstream's base. */
export type Ask = (path: string) => Promise<UpstreamAnswer | Refusal>

/** Undefined when there is nothing under the id. */
export async function readStored(ask: Ask, type: string, id: string): Promise<StoredResource | undefined | Refusal> {
  const answer = await ask(`/${type}/${id}`)
  if (isRefusal(answer)) return answer
  if (answer.status === 404 || answer.status === 410) return undefined
  const resource = answer.status === 200 ? readResource(answer.body) : undefined
  if (resource === undefined || resource['resourceType'] !== type || resource['id'] !== id) return unreadable()
  return { resource, etag: answer.etag ?? versionTag(resource) }
}

export interface Matches {
  readonly resources: readonly JsonObject[]
  /** Whether there is another page. */
  readonly hasMore: boolean
}

/** What a search found, on its first page, as the upstream says; a refusal where the answer cannot be read. */
export async function readMatches(ask: Ask, path: string): Promise<Matches | Refusal> {
  const answer = await ask(path)
  if (isRefusal(answer)) return answer
  const bundle = answer.status === 200 ? readResource(answer.body) : undefined
  if (bundle === undefined || bundle['resourceType'] !== 'Bundle') return unreadable()
  const { entry = [], link = [] } = bundle
  if (!Array.isArray(entry) || !Array.isArray(link)) return unreadable()
  const resources = entry.flatMap((one) => (isMatch(one) ? [one.resource] : []))
  return { resources, hasMore: link.some((one) => isJsonObject(one) && one['relation'] === 'next') }
}

function isMatch(entry: Json): entry is JsonObject & { resource: JsonObject } {
  if (!isJsonObject(entry) || !isJsonObject(entry['resource'])) return false
  const { search } = entry
  return !isJsonObject(search) || search['mode'] === undefined || search['mode'] === 'match'
}

/** Whether `If-Match` allows this version (RFC 9110 §13.1.1): `*`, or a list; FHIR's versions are weak tags, and compared as such. */
export function allowsVersion(ifMatch: string, etag: string | undefined): boolean {
  const opaque = (tag: string): string => tag.trim().replace(/^W\//, '')
  if (ifMatch.trim() === '*') return true
  return etag !== undefined && ifMatch.split(',').some((tag) => opaque(tag) === opaque(etag))
}

function readResource(body: Buffer): JsonObject | undefined {
  const document = readStrictJson(body.toString())
  return 'value' in document && isJsonObject(document.value) ? document.value : undefined
}

function versionTag({ meta }: JsonObject): string | undefined {
  const version = isJsonObject(meta) ? meta['versionId'] : undefined
  return typeof version === 'string' && /^[A-Za-z0-9\-.]{1,64}$/.test(version) ? `W/"${version}"` : undefined
}
