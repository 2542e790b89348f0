// A whole gateway in front of the demo's FHIR store, which really searches and writes; every request that arrives there is kept, and
// a test may step in before one is carried out.

import { rawBody } from '../../src/demo/fhir/exchange.ts'
import { createFhirStore, type FhirStore } from '../../src/demo/fhir/fhir-store.ts'
import type { Resource } from '../../src/demo/fhir/resource.ts'
import type { Arrived, Scripted } from './recording-upstream.ts'
import { fhirMap, type Rig, startRig } from './rig.ts'

export interface StoreRig extends Rig {
  readonly store: FhirStore
  /** Begins anew with these resources. */
  fill(resources: readonly Resource[]): void
  /** Answers instead of the store, or changes what the store sees, where it gives something. */
  before: ((arrived: Arrived) => Scripted | Arrived | undefined) | undefined
  /** The current resource, or undefined. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into resources of many shapes
  stored(type: string, id: string): any
  /** What arrived and may have changed something: `METHOD path`. */
  written(): readonly string[]
}

export async function startStoreRig(route = '', more = '', server = ''): Promise<StoreRig> {
  const rig = await startRig({ map: fhirMap({ route, more, server }) })
  let store = createFhirStore()
  const base = `${rig.upstream.url}/base`
  const started: StoreRig = {
    ...rig,
    get store() {
      return store
    },
    before: undefined,
    fill(resources) {
      store = createFhirStore({ resources })
      rig.upstream.reset()
      started.before = undefined
      rig.upstream.script = (arrived) => {
        const given = started.before?.(arrived)
        return given === undefined || 'rawHeaders' in given ? handle(store, base, given ?? arrived) : given
      }
    },
    stored: (type, id) => store.resources.current(type, id)?.resource,
    written: () =>
      rig.upstream.arrived
        .filter(({ method, url }) => method !== 'GET' && method !== 'HEAD' && !url.endsWith('/_search'))
        .map(({ method, url }) => `${method} ${url.replace('/base', '')}`),
  }
  started.fill([])
  return started
}

function handle(store: FhirStore, base: string, { method, url, headers, body }: Arrived): Scripted {
  const [path = '', query = ''] = url.split(/\?(.*)/s)
  const answer = store.handle({
    method,
    segments: path.split('/').slice(2).filter(Boolean).map(decodeURIComponent),
    query: [...new URLSearchParams(query)],
    header: (name) => headers[name],
    body: rawBody(body),
    base,
    fhirVersion: '4.0.1',
  })
  return { status: answer.status, headers: answer.headers, body: answer.body ?? '' }
}
