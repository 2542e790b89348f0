// The pages of long answers. A continuation link carries nothing but a random id and an offset, as HAPI FHIR's
// `_getpages` does: neither type, nor patient, nor filter can be read from it.

import { randomUUID } from 'node:crypto'
import { FhirError } from './fhir-error.ts'
import type { ResourceStore } from './resource-store.ts'
import type { Includes } from './search-includes.ts'
import { findIncluded } from './search-includes.ts'
import type { StoredVersion } from './stored-version.ts'
import { printSubset, type Subset } from './subset.ts'

export interface PagedSet {
  readonly bundleType: 'searchset' | 'history'
  readonly versions: readonly StoredVersion[]
  /** What the self link says, below the base. */
  readonly self: string
  readonly total: number | undefined
  readonly includes: Includes
  readonly subset: Subset
}

const MOST_KEPT = 1_000

export class Pages {
  readonly #store: ResourceStore
  readonly #now: () => Date
  readonly #sets = new Map<string, PagedSet>()
  /** The same search of the same data gets the same pages. */
  readonly #ids = new Map<string, string>()
  readonly #kept = new WeakMap<PagedSet, string>()
  #generation = -1

  constructor(store: ResourceStore, now: () => Date) {
    this.#store = store
    this.#now = now
  }

  find(id: string): PagedSet {
    const set = this.#sets.get(id)
    if (set === undefined) throw new FhirError(410, 'deleted', 'these pages are gone: search again')
    return set
  }

  /** Prints the page of `count` entries from `offset`. */
  print(set: PagedSet, offset: number, count: number, base: string): string {
    const { bundleType, total, versions } = set
    const page = versions.slice(offset, offset + count)
    const links = [printLink('self', base + set.self)]
    if (offset + count < versions.length || offset > 0) {
      const continuation = `${base}?_getpages=${this.#keep(set)}&_getpagesoffset=`
      const rest = `&_count=${count}&_bundletype=${bundleType}`
      if (offset + count < versions.length) links.push(printLink('next', `${continuation}${offset + count}${rest}`))
      if (offset > 0) links.push(printLink('previous', `${continuation}${Math.max(0, offset - count)}${rest}`))
    }
    const entries =
      bundleType === 'history' ? page.map((v) => printHistoryEntry(v, base)) : this.#printMatches(page, set, base)
    const meta = `"meta":{"lastUpdated":"${this.#now().toISOString()}"}`
    const head = `{"resourceType":"Bundle","id":"${randomUUID()}",${meta},"type":"${bundleType}"`
    const sum = total === undefined ? '' : `,"total":${total}`
    return `${head}${sum},"link":[${links.join()}]${entries.length === 0 ? '' : `,"entry":[${entries.join()}]`}}`
  }

  /** Later pages show the resources as they are now: what was deleted meanwhile is left out. */
  #printMatches(page: readonly StoredVersion[], set: PagedSet, base: string): string[] {
    const current = page.flatMap((version) => this.#store.current(version.type, version.id) ?? [])
    const whole = set.subset.elements === undefined && set.subset.summary === undefined
    const entries = current.map((v) => printEntry(v, whole ? v.json! : printSubset(v, set.subset), 'match', base))
    for (const v of findIncluded(current, set.includes, this.#store))
      entries.push(printEntry(v, v.json!, 'include', base))
    return entries
  }

  #keep(set: PagedSet): string {
    const kept = this.#kept.get(set)
    if (kept !== undefined && this.#sets.has(kept)) return kept
    if (this.#generation !== this.#store.generation) {
      this.#generation = this.#store.generation
      this.#ids.clear()
    }
    const same = this.#ids.get(set.self)
    if (same !== undefined && this.#sets.has(same)) return same
    const id = randomUUID()
    this.#ids.set(set.self, id)
    this.#kept.set(set, id)
    this.#sets.set(id, set)
    if (this.#sets.size > MOST_KEPT) this.#sets.delete(this.#sets.keys().next().value!)
    return id
  }
}

function printLink(relation: string, url: string): string {
  return `{"relation":"${relation}","url":${JSON.stringify(url)}}`
}

function printEntry(version: StoredVersion, json: string, mode: 'match' | 'include', base: string): string {
  return `{"fullUrl":"${base}/${version.key}","resource":${json},"search":{"mode":"${mode}"}}`
}

const CREATED = '201 Created'

function printHistoryEntry(version: StoredVersion, base: string): string {
  const { key, json, method, versionId, etag, lastUpdated } = version
  const resource = json === undefined ? '' : `"resource":${json},`
  const request = { method, url: method === 'POST' ? version.type : key }
  const status = json === undefined ? '204 No Content' : versionId === 1 ? CREATED : '200 OK'
  const response = { status, location: `${base}/${key}/_history/${versionId}`, etag, lastModified: lastUpdated }
  return `{"fullUrl":"${base}/${key}",${resource}"request":${JSON.stringify(request)},"response":${JSON.stringify(response)}}`
}
