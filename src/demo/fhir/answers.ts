// The answers that carry one resource or an OperationOutcome, with the headers that FHIR wants on them.

import type { FhirAnswer, FhirRequest } from './exchange.ts'
import type { FhirError, IssueCode } from './fhir-error.ts'
import { preferencesOf } from './preferences.ts'
import type { StoredVersion } from './stored-version.ts'

export const FHIR_JSON_TYPE = 'application/fhir+json;charset=utf-8'
const JSON_HEADERS = { 'content-type': FHIR_JSON_TYPE }

export interface Issue {
  readonly severity: 'error' | 'warning' | 'information'
  readonly code: IssueCode | 'informational'
  readonly diagnostics: string
  readonly expression?: readonly string[]
}

export function operationOutcome(issues: readonly Issue[]): object {
  return { resourceType: 'OperationOutcome', issue: issues }
}

export function jsonAnswer(status: number, body: object | string): FhirAnswer {
  return { status, headers: JSON_HEADERS, body: typeof body === 'string' ? body : JSON.stringify(body) }
}

export function errorAnswer(error: FhirError): FhirAnswer {
  return jsonAnswer(
    error.status,
    operationOutcome([{ severity: 'error', code: error.code, diagnostics: error.message }]),
  )
}

export function versionHeaders(version: StoredVersion): Record<string, string> {
  return { etag: version.etag, 'last-modified': new Date(version.updatedAt).toUTCString() }
}

export function versionUrl(version: StoredVersion, base: string): string {
  return `${base}/${version.key}/_history/${version.versionId}`
}

/** A resource that was read. */
export function readAnswer(version: StoredVersion, request: FhirRequest, json = version.json!): FhirAnswer {
  const headers = { ...JSON_HEADERS, ...versionHeaders(version), 'content-location': versionUrl(version, request.base) }
  return { status: 200, headers, body: json }
}

/** A resource that was written: the body is what `Prefer: return=` asks for. */
export function writeAnswer(status: 200 | 201, version: StoredVersion, request: FhirRequest): FhirAnswer {
  const address = versionUrl(version, request.base)
  const headers = {
    ...versionHeaders(version),
    ...(status === 201 ? { location: address } : { 'content-location': address }),
  }
  const { returns } = preferencesOf(request)
  if (returns === 'minimal') return { status, headers }
  const body = returns === 'representation' ? version.json! : JSON.stringify(successOutcome(version))
  return { status, headers: { ...JSON_HEADERS, ...headers }, body }
}

export function deleteAnswer(deleted: readonly StoredVersion[], request: FhirRequest): FhirAnswer {
  const headers = deleted.length === 1 ? { etag: deleted[0]!.etag } : {}
  if (preferencesOf(request).returns !== 'OperationOutcome') return { status: 204, headers }
  const diagnostics = `deleted ${deleted.length} resource(s)`
  const outcome = operationOutcome([{ severity: 'information', code: 'informational', diagnostics }])
  return { status: 200, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(outcome) }
}

function successOutcome(version: StoredVersion): object {
  const diagnostics = `stored ${version.key} as version ${version.versionId}`
  return operationOutcome([{ severity: 'information', code: 'informational', diagnostics }])
}
