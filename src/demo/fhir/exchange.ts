// A request to the embedded server and its answer, free of sockets, so that an entry of a batch is handled by the very
// functions that handle a request.

import { badRequest, FhirError } from './fhir-error.ts'
import { isResource, type Resource } from './resource.ts'
import type { QueryParameter } from './search-query.ts'

export type FhirVersion = '4.0.1' | '5.0.0'

export interface FhirRequest {
  readonly method: string
  /** Decoded path segments below the base. */
  readonly segments: readonly string[]
  readonly query: readonly QueryParameter[]
  /** Value of a header by its lower-case name. */
  readonly header: (name: string) => string | undefined
  readonly body: RequestBody
  /** Public base without a trailing slash; every address in an answer begins with it. */
  readonly base: string
  readonly fhirVersion: FhirVersion
}

export interface RequestBody {
  readonly raw: Buffer
  /** The body as JSON; a batch entry brings it parsed. */
  readonly json: () => unknown
}

export interface FhirAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export const NO_BODY: RequestBody = { raw: Buffer.alloc(0), json: () => undefined }

export function rawBody(raw: Buffer): RequestBody {
  return {
    raw,
    json: () => {
      if (raw.length === 0) return undefined
      try {
        return JSON.parse(raw.toString('utf8'))
      } catch {
        throw badRequest('the body is not JSON', 'structure')
      }
    },
  }
}

export function parsedBody(value: unknown): RequestBody {
  return { raw: NO_BODY.raw, json: () => value }
}

/** The resource in the body, of the type that the address names. */
export function resourceIn(request: FhirRequest, type: string): Resource {
  const resource = request.body.json()
  if (!isResource(resource)) throw badRequest('the body is not a FHIR resource: resourceType is missing', 'structure')
  if (resource.resourceType !== type)
    throw badRequest(`the body is a ${resource.resourceType}, the address says ${type}`)
  return resource
}

const FHIR_JSON = /^(application\/fhir\+json|application\/json|text\/json|json)\b/

/** FHIR JSON is all that this server speaks; asking for something else only is answered 406. */
export function checkFormat(request: FhirRequest): void {
  const format = request.query.find(([name]) => name === '_format')?.[1]
  const wanted = format ?? request.header('accept') ?? '*/*'
  const acceptable = wanted.split(',').some((item) => {
    const range = item.trim().replace(' ', '+')
    return range.startsWith('*/*') || range.startsWith('application/*') || FHIR_JSON.test(range)
  })
  if (!acceptable) throw new FhirError(406, 'not-supported', 'this server answers application/fhir+json only')
}

/** Parameters of a form body after those of the address: both count (R4 http §3.1.0.1.8). */
export function formAndQuery(request: FhirRequest): QueryParameter[] {
  const type = request.header('content-type') ?? ''
  if (request.body.raw.length === 0) return [...request.query]
  if (!type.startsWith('application/x-www-form-urlencoded')) {
    throw new FhirError(415, 'not-supported', '_search takes application/x-www-form-urlencoded')
  }
  return [...request.query, ...new URLSearchParams(request.body.raw.toString('utf8'))]
}
