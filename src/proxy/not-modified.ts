// Conditional reads that the gateway answers by itself (RFC 9110 §13.1, R4 http §cread): where an answer is checked first, the upstream
// is asked without the client's conditions, and only what was released may turn out to be what the client has already. So a 304 tells
// nobody more than the resource itself would.

import type { RequestHeaders } from '../domain/http/request-headers.ts'
import type { Answer, AnswerHeaders } from './forward.ts'

/** Whether the client's conditions say that it has this very version; without a validator of the upstream it never has. */
export function isUnchanged(asked: RequestHeaders, answered: AnswerHeaders): boolean {
  const tags = asked.get('if-none-match')
  if (tags !== undefined) {
    const tag = answered['etag']
    return tags.trim() === '*' || (typeof tag === 'string' && opaqueTags(tags).includes(opaque(tag)))
  }
  const since = Date.parse(asked.get('if-modified-since') ?? '')
  const modified = Date.parse(String(answered['last-modified'] ?? ''))
  return modified <= since
}

/** Weak comparison: `W/` says nothing about whether a version is the same one. */
function opaqueTags(list: string): readonly string[] {
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).map(opaque)
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '')
}

/** It keeps what the answer says of the resource, and nothing of the body that is not there (RFC 9110 §15.4.5). */
export function notModified({ headers }: Answer): Answer {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== 'content-type' && headers[i] !== 'content-length') kept.push(headers[i]!, headers[i + 1]!)
  }
  return { status: 304, headers: kept }
}
