// Pages and their files as open documents: read by GET or HEAD, with an ETag, under headers that let nothing foreign in and nobody
// frame them. Refusals on these paths go out under the same headers.

import type { Refusal } from '../../domain/refusal.ts'
import { refuse } from '../../domain/refusal.ts'
import type { Document } from '../../proxy/reply.ts'
import { etagOf, isMatch, type OpenAnswer, type OpenDocument, type OpenRequest } from './open-document.ts'

/** `connect-src` and `form-action` are for the access matrix, `img-src` for the icon. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const PAGE_HEADERS: readonly string[] = [
  'content-security-policy',
  CONTENT_SECURITY_POLICY,
  'x-frame-options',
  'DENY',
  'referrer-policy',
  'no-referrer',
  'cross-origin-opener-policy',
  'same-origin',
  'cross-origin-resource-policy',
  'same-origin',
]

export const HTML_TYPE = 'text/html; charset=utf-8'

/** A document whose bytes do not change while this configuration is in force; `print` runs when it is first asked for. */
export function keptDocument(contentType: string, print: () => Buffer): OpenDocument {
  let kept: { readonly body: Buffer; readonly etag: string } | undefined
  return pageDocument((request) => {
    if (kept === undefined) {
      const body = print()
      kept = { body, etag: etagOf(body) }
    }
    const headers = [...PAGE_HEADERS, 'etag', kept.etag, 'cache-control', 'no-cache']
    return isMatch(request.ifNoneMatch, kept.etag)
      ? { status: 304, contentType, body: '', headers }
      : { status: 200, contentType, body: kept.body, headers }
  })
}

/** `Location` relative to the path that was asked for. */
export function redirectTo(location: string): OpenDocument {
  const headers = [...PAGE_HEADERS, 'location', location, 'cache-control', 'no-cache']
  return pageDocument(() => ({ status: 308, contentType: 'text/plain', body: '', headers }))
}

/** `answer` is asked for GET and HEAD, `post` for POST. */
export function pageDocument(
  read: ((request: OpenRequest) => Document) | undefined,
  post?: (request: OpenRequest) => Promise<OpenAnswer>,
): OpenDocument {
  const allow = [...(read ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])]
  return {
    route: 'none',
    interaction: 'discovery',
    fhir: false,
    refusalHeaders: PAGE_HEADERS,
    answer: (request) => {
      const { method } = request
      if (read !== undefined && (method === 'GET' || method === 'HEAD')) return read(request)
      if (post !== undefined && method === 'POST') return post(request)
      return wrongMethod(allow)
    },
  }
}

function wrongMethod(allow: readonly string[]): Refusal {
  return refuse('interaction-unknown', `Use ${allow.join(' or ')} here.`, { allow })
}
