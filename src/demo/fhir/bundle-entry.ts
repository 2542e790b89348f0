// One entry of a batch or transaction, read, and turned into the request that it stands for.

import { type FhirRequest, parsedBody } from './exchange.ts'
import { badRequest } from './fhir-error.ts'
import { isObject, isResource, type Resource } from './resource.ts'

export interface BundleEntry {
  readonly fullUrl: string | undefined
  readonly resource: Resource | undefined
  readonly method: string
  readonly url: string
  readonly header: (name: string) => string | undefined
}

/** Methods in the order in which a transaction carries them out. */
export const METHODS = ['DELETE', 'POST', 'PUT', 'PATCH', 'GET', 'HEAD']

export function readEntry(entry: unknown, index: number, request: FhirRequest): BundleEntry {
  const demand = isObject(entry) ? entry['request'] : undefined
  if (!isObject(entry) || !isObject(demand)) throw badRequest(`entry ${index} has no request`, 'required')
  const { method, url } = demand
  if (typeof method !== 'string' || !METHODS.includes(method))
    throw badRequest(`entry ${index} has no known method`, 'value')
  if (typeof url !== 'string' || url === '') throw badRequest(`entry ${index} has no url`, 'required')
  const resource = isResource(entry['resource']) ? entry['resource'] : undefined
  if (
    (method === 'POST' || method === 'PUT') &&
    resource === undefined &&
    !url.includes('_search') &&
    !url.includes('$')
  ) {
    throw badRequest(`entry ${index} has no resource`, 'required')
  }
  const fullUrl = typeof entry['fullUrl'] === 'string' ? entry['fullUrl'] : undefined
  return { fullUrl, resource, method, url, header: entryHeaders(demand, request) }
}

const ENTRY_HEADERS: Readonly<Record<string, string>> = {
  'if-none-match': 'ifNoneMatch',
  'if-modified-since': 'ifModifiedSince',
  'if-match': 'ifMatch',
  'if-none-exist': 'ifNoneExist',
}

function entryHeaders(demand: Record<string, unknown>, request: FhirRequest): (name: string) => string | undefined {
  return (name) => {
    if (name === 'prefer') return request.header('prefer')
    const value = demand[ENTRY_HEADERS[name] ?? '']
    return typeof value === 'string' ? value : undefined
  }
}

/** The entry as the request that it stands for. An absolute address must be below this server's own base. */
export function entryRequest(entry: BundleEntry, request: FhirRequest): FhirRequest {
  const { base } = request
  const url = entry.url.startsWith(`${base}/`) ? entry.url.slice(base.length + 1) : entry.url
  const cut = url.indexOf('?')
  const path = cut < 0 ? url : url.slice(0, cut)
  if (/^[a-z][a-z0-9+.-]*:/i.test(path)) throw badRequest('the url of an entry is relative to the base')
  const segments = path.split('/').filter((segment) => segment !== '')
  if (segments.length === 0 && entry.method === 'POST')
    throw badRequest('a Bundle does not hold Bundles to be processed')
  return {
    method: entry.method,
    segments: segments.map(decodeSegment),
    query: cut < 0 ? [] : [...new URLSearchParams(url.slice(cut + 1))],
    header: entry.header,
    body: parsedBody(entry.resource),
    base,
    fhirVersion: request.fhirVersion,
  }
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw badRequest('the url of an entry is not correctly encoded')
  }
}
