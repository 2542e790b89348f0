// The demo's FHIR store, which really searches, as an upstream without sockets; and its answers read page by page.

import { rawBody } from '../../src/demo/fhir/exchange.ts'
import { createFhirStore, type FhirStore } from '../../src/demo/fhir/fhir-store.ts'
import { type Store, type StoreAnswer, type StoreRequest, UPSTREAM_BASE } from './in-process-gateway.ts'
import type { Loose } from './model/elements.ts'

export interface HonestStore {
  readonly resources: readonly Loose[]
  readonly store: Store
  /** What is stored now, and was. */
  readonly versions: FhirStore['resources']
  /** All entries of all pages of a search; undefined when the store refuses it. */
  search(path: string): readonly { readonly resource: Loose; readonly mode: string }[] | undefined
}

export function honestStore(resources: readonly Loose[], pageSize: number): HonestStore {
  const kept = [...new Map(resources.map((one) => [`${one.resourceType}/${one.id}`, one])).values()]
  const inner = createFhirStore({ resources: kept, pageSize })
  const store: Store = (request) => answer(inner, request)
  return {
    resources: kept,
    store,
    versions: inner.resources,
    search(path) {
      const found: { resource: Loose; mode: string }[] = []
      for (let next: string | undefined = path; next !== undefined; ) {
        const { status, body = '' } = store({ method: 'GET', path: next, headers: new Map(), body: undefined })
        if (status !== 200) return undefined
        const bundle = JSON.parse(body)
        for (const { resource, search } of bundle.entry ?? []) found.push({ resource, mode: search.mode })
        next = bundle.link.find(({ relation }: Loose) => relation === 'next')?.url.slice(UPSTREAM_BASE.length)
      }
      return found
    },
  }
}

function answer(store: FhirStore, { method, path, headers, body }: StoreRequest): StoreAnswer {
  const [before = '', query = ''] = path.split(/\?(.*)/s)
  const segments = before.split('/').filter(Boolean).map(decodeURIComponent)
  const given = store.handle({
    method,
    segments,
    query: [...new URLSearchParams(query)],
    header: (name) => headers.get(name),
    body: rawBody(Buffer.from(body ?? '')),
    base: UPSTREAM_BASE,
    fhirVersion: '4.0.1',
  })
  return {
    status: given.status,
    headers: given.headers,
    ...(given.body === undefined ? {} : { body: given.body.toString() }),
  }
}
