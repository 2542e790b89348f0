// References between the entries of a transaction: `urn:uuid:` addresses become Type/id, conditional references such as
// `Practitioner?identifier=…` become the one resource that they find (R4 http §3.1.0.11.2).

import { type BundleEntry, entryRequest } from './bundle-entry.ts'
import type { FhirRequest } from './exchange.ts'
import type { FhirContext } from './fhir-context.ts'
import { FhirError } from './fhir-error.ts'
import { isObject, type Resource } from './resource.ts'
import { RESOURCE_TYPES } from './resource-types.ts'
import { findConditional } from './write.ts'

const CONDITIONAL = /^([A-Z][A-Za-z]+)\?(.+)$/s
const URI_ELEMENTS = new Set(['reference', 'uri', 'url', 'valueUri', 'valueUrl', 'valueUuid', 'valueOid'])

export class BundleReferences {
  readonly #request: FhirRequest
  readonly #context: FhirContext
  /** fullUrl → Type/id. */
  readonly #addresses = new Map<string, string>()
  readonly #promised = new Map<number, string>()
  readonly #conditional = new Map<string, string>()

  constructor(entries: readonly BundleEntry[], request: FhirRequest, context: FhirContext) {
    this.#request = request
    this.#context = context
    for (const [i, entry] of entries.entries()) {
      const key = this.#addressOf(entry, i)
      if (entry.fullUrl === undefined || key === undefined) continue
      if (this.#addresses.has(entry.fullUrl))
        throw new FhirError(400, 'invalid', `two entries have the same fullUrl (entry ${i})`)
      this.#addresses.set(entry.fullUrl, key)
    }
  }

  /** The id that a POST entry's resource will get. */
  promisedId(index: number): string | undefined {
    return this.#promised.get(index)
  }

  resolve(entry: BundleEntry): BundleEntry {
    if (entry.resource === undefined) return entry
    return { ...entry, resource: this.#rewrite(entry.resource) as Resource }
  }

  #addressOf(entry: BundleEntry, index: number): string | undefined {
    if (entry.method !== 'POST' && entry.method !== 'PUT') return undefined
    const { segments, query } = entryRequest(entry, this.#request)
    const [type, id] = segments
    if (type === undefined || !RESOURCE_TYPES.has(type)) return undefined
    if (id !== undefined) return entry.method === 'PUT' ? `${type}/${id}` : undefined
    const match = this.#existing(type, entry, query)
    if (match !== undefined) return match
    if (entry.method === 'PUT' && entry.resource?.id !== undefined) return `${type}/${entry.resource.id}`
    const promised = this.#context.store.newId(type)
    this.#promised.set(index, promised)
    return `${type}/${promised}`
  }

  /** What a conditional create or update will find instead of creating. */
  #existing(type: string, entry: BundleEntry, query: FhirRequest['query']): string | undefined {
    const criteria = entry.method === 'PUT' ? query : [...new URLSearchParams(entry.header('if-none-exist') ?? '')]
    if (criteria.length === 0) return undefined
    return findConditional(type, criteria, this.#request, this.#context)[0]?.key
  }

  #rewrite(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#rewrite(item))
    if (!isObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        if (typeof item !== 'string') return [key, this.#rewrite(item)]
        if (key === 'div') return [key, this.#rewriteNarrative(item)]
        return [key, URI_ELEMENTS.has(key) ? this.#address(item, key === 'reference') : item]
      }),
    )
  }

  #address(text: string, isReference: boolean): string {
    const known = this.#addresses.get(text)
    if (known !== undefined || !isReference) return known ?? text
    if (text.startsWith('urn:uuid:')) throw new FhirError(400, 'invalid', `no entry has the fullUrl ${text}`)
    const match = CONDITIONAL.exec(text)
    return match === null ? text : this.#find(match[1]!, match[2]!, text)
  }

  #find(type: string, criteria: string, text: string): string {
    const known = this.#conditional.get(text)
    if (known !== undefined) return known
    const found = findConditional(type, [...new URLSearchParams(criteria)], this.#request, this.#context)
    if (found.length !== 1) {
      const status = found.length === 0 ? 404 : 412
      throw new FhirError(
        status,
        'not-found',
        `a conditional reference to ${type} finds ${found.length} resources, not one`,
      )
    }
    this.#conditional.set(text, found[0]!.key)
    return found[0]!.key
  }

  #rewriteNarrative(div: string): string {
    return div.replace(/(href|src)="([^"]+)"/g, (all, attribute: string, address: string) => {
      const known = this.#addresses.get(address)
      return known === undefined ? all : `${attribute}="${known}"`
    })
  }
}
