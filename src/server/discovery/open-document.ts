// The documents that are open to everyone, as answers: GET and HEAD with an ETag, preflights of any origin (spec §5.3: discovery
// is for every web page), everything else refused. Printed once for each change of what they are made of.

import { createHash } from 'node:crypto'
import { acceptedFormats } from '../../domain/answer-format.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'
import type { Document } from '../../proxy/reply.ts'

/** What an answer depends on; `format` is the `_format` parameter. */
export interface OpenRequest {
  readonly method: string
  readonly accept?: string | undefined
  readonly format?: string | undefined
  readonly ifNoneMatch?: string | undefined
  /** The body and where it comes from; nothing of it is read before somebody asks. */
  readonly sent?: SentBody | undefined
}

export interface SentBody {
  readonly contentType: string | undefined
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`. */
  readonly fetchSite: string | undefined
  read(limit: number): Promise<Buffer | Refusal>
}

export type OpenAnswer = Document | Refusal

export interface OpenDocument {
  /** For the log and the metrics. */
  readonly route: string
  readonly interaction: 'capabilities' | 'discovery' | 'preflight'
  /** Refusals are OperationOutcomes there. */
  readonly fhir: boolean
  /** Go with every refusal of it, flat. */
  readonly refusalHeaders: readonly string[]
  /** A promise only while the document's first sources are being fetched. */
  answer(request: OpenRequest): OpenAnswer | Promise<OpenAnswer>
}

export interface Printed {
  readonly body: Buffer
  readonly etag: string
}

/** Goes with every answer on these paths, refusals included. */
export const OPEN_TO_EVERY_ORIGIN: readonly string[] = [
  'access-control-allow-origin',
  '*',
  'access-control-expose-headers',
  'ETag, Retry-After, X-Request-Id',
]

const PREFLIGHT = [
  'access-control-allow-methods',
  'GET, HEAD',
  'access-control-allow-headers',
  'Accept, Authorization, Content-Type, If-None-Match, X-Request-Id',
  'access-control-max-age',
  '86400',
]

export function printDocument(value: unknown): Printed {
  const body = Buffer.from(JSON.stringify(value))
  return { body, etag: etagOf(body) }
}

export function etagOf(body: Buffer): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`
}

/** What can be said without the document itself. */
export function answerWithoutDocument({ method }: OpenRequest): OpenAnswer | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined
  if (method !== 'OPTIONS') {
    const allow = ['GET', 'HEAD', 'OPTIONS']
    return refuse('interaction-unknown', 'This document can only be read. Use GET or HEAD.', { allow })
  }
  return { status: 204, contentType: '', body: '', headers: [...OPEN_TO_EVERY_ORIGIN, ...PREFLIGHT] }
}

export function refuseOtherFormats({ accept, format }: OpenRequest): Refusal | undefined {
  if (acceptedFormats(accept, format).json) return undefined
  const detail = 'The CapabilityStatement is given as JSON only. Ask for application/fhir+json.'
  return refuse('interaction-unknown', detail, { status: 406 })
}

export function answerWith({ body, etag }: Printed, contentType: string, { ifNoneMatch }: OpenRequest): Document {
  const headers = [...OPEN_TO_EVERY_ORIGIN, 'etag', etag, 'cache-control', 'no-cache']
  return isMatch(ifNoneMatch, etag)
    ? { status: 304, contentType, body: '', headers }
    : { status: 200, contentType, body, headers }
}

/** Weak comparison (RFC 9110 §13.1.2). */
export function isMatch(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  return ifNoneMatch.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)
}
