// What is stored under an id, as the gateway needs it before a write within constraints: the resource, and the version that was looked
// at, so that the write can be made conditional on it (RFC 9110 §13.1.1, R4 http §concurrency).

import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { UpstreamAnswer } from '../../proxy/ask-upstream.ts'
import { notFound, unreadable } from '../../proxy/guarded-resource.ts'

export interface StoredResource {
  readonly resource: JsonObject
  /** `W/"…"`; undefined where the upstream tells no version. */
  readonly etag: string | undefined
}

/** Asks for a path below the upstream's base. */
export type Ask = (path: string) => Promise<UpstreamAnswer | Refusal>

/** Undefined when there is nothing under the id, or nothing that the server gives: it is told like a read (docs/decisions/0004). */
export async function readStored(ask: Ask, type: string, id: string): Promise<StoredResource | undefined | Refusal> {
  const answer = await ask(`/${type}/${id}`)
  if (isRefusal(answer)) return answer
  if (answer.status !== 200) return isAboutResource(answer.status) ? undefined : ofTheCaller(answer.status)
  const resource = readResource(answer.body)
  // What cannot be checked is not there: any other word would tell that it is.
  if (resource === undefined || resource['resourceType'] !== type || resource['id'] !== id) return notFound()
  return { resource, etag: answer.etag ?? versionTag(resource) }
}

function isAboutResource(status: number): boolean {
  return status >= 400 && status < 500 && status !== 401 && status !== 429
}

/** Of the caller or of us, not of any resource. */
function ofTheCaller(status: number): Refusal {
  if (status !== 429) return unreadable()
  return refuse('rate-limited', 'The server behind this route takes no more requests for now. Try again later.')
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
  if (answer.status !== 200) return ofTheCaller(answer.status)
  const bundle = readResource(answer.body)
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
