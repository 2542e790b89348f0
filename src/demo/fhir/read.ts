// read and vread, with `If-None-Match`, `If-Modified-Since`, `_summary` and `_elements`; and the content of a Binary.

import { readAnswer, versionHeaders } from './answers.ts'
import { checkFormat, type FhirAnswer, type FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { FhirError } from './fhir-error.ts'
import { readSearchQuery } from './search-query.ts'
import type { StoredVersion } from './stored-version.ts'
import { printSubset } from './subset.ts'

export function read(type: string, id: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  return show(context.store.newest(type, id), `${type}/${id}`, request)
}

export function vread(type: string, id: string, vid: string, request: FhirRequest, context: FhirContext): FhirAnswer {
  const version = context.store.versions(type, id).find((candidate) => String(candidate.versionId) === vid)
  return show(version, `${type}/${id}/_history/${vid}`, request)
}

function show(version: StoredVersion | undefined, address: string, request: FhirRequest): FhirAnswer {
  if (version === undefined) throw new FhirError(404, 'not-found', `${address} is not known`)
  if (version.deleted) throw new FhirError(410, 'deleted', `${address} was deleted`)
  if (isUnchanged(version, request)) return { status: 304, headers: versionHeaders(version) }
  if (version.type === 'Binary' && wantsContent(request)) return binaryContent(version)
  checkFormat(request)
  const { summary, elements } = readSearchQuery(
    request.query.filter(([name]) => name === '_summary' || name === '_elements'),
  )
  const json =
    summary === undefined && elements === undefined ? version.json! : printSubset(version, { summary, elements })
  return readAnswer(version, request, json)
}

function isUnchanged(version: StoredVersion, request: FhirRequest): boolean {
  const tags = request.header('if-none-match')
  if (tags !== undefined) return tags === '*' || tags.split(',').some((tag) => tag.trim() === version.etag)
  const since = request.header('if-modified-since')
  return since !== undefined && Math.floor(version.updatedAt / 1000) * 1000 <= Date.parse(since)
}

/** A Binary is sent as what it contains, unless the client asks for FHIR (R4 binary.html). */
function wantsContent(request: FhirRequest): boolean {
  if (request.query.some(([name]) => name === '_format')) return false
  return !/fhir\+json|application\/json/.test(request.header('accept') ?? '*/*')
}

function binaryContent(version: StoredVersion): FhirAnswer {
  const { contentType, data } = version.resource
  const headers = { ...versionHeaders(version), 'content-type': String(contentType ?? 'application/octet-stream') }
  return { status: 200, headers, body: Buffer.from(typeof data === 'string' ? data : '', 'base64') }
}
