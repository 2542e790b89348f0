// The members of a Bundle that a guarded answer may show. INVARIANT: of what is not listed here, or has another shape, nothing passes.

import { BUNDLE, ENTRY, EXCHANGE } from './bundle-links.ts'
import { OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.ts'
import { DROP, type Verdict } from './json-output.ts'

// Places besides those of the links.
export const META = 44
export const SEARCH = 45
export const MEMBER = 46

/**
 * What may be shown, and with which byte each value begins: of everything else nobody knows what it holds. `signature` would no longer
 * hold, and `total` counts what is withheld.
 */
export const MEMBERS: Readonly<Record<number, Readonly<Record<string, number>>>> = {
  [BUNDLE]: {
    resourceType: QUOTE,
    id: QUOTE,
    meta: OPEN_OBJECT,
    type: QUOTE,
    timestamp: QUOTE,
    language: QUOTE,
    link: OPEN_ARRAY,
    entry: OPEN_ARRAY,
  },
  [ENTRY]: {
    id: QUOTE,
    fullUrl: QUOTE,
    link: OPEN_ARRAY,
    resource: OPEN_OBJECT,
    search: OPEN_OBJECT,
    request: OPEN_OBJECT,
    response: OPEN_OBJECT,
  },
  [EXCHANGE]: {
    method: QUOTE,
    url: QUOTE,
    ifNoneMatch: QUOTE,
    ifModifiedSince: QUOTE,
    ifMatch: QUOTE,
    ifNoneExist: QUOTE,
    status: QUOTE,
    location: QUOTE,
    etag: QUOTE,
    lastModified: QUOTE,
    outcome: OPEN_OBJECT,
  },
  [META]: { lastUpdated: QUOTE },
  [SEARCH]: { mode: QUOTE },
}

/** Of a link nothing but its relation and its address. */
export function plainLink(link: Verdict): Verdict {
  if (typeof link !== 'string') return DROP
  const { relation, url } = JSON.parse(link) as { relation?: unknown; url: string }
  return typeof relation === 'string' ? JSON.stringify({ relation, url }) : DROP
}
