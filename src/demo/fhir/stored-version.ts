// One version of one resource as the store keeps it: the printed JSON (what is sent), and, parsed at the first need,
// the resource and the values of its search parameters (what is searched).

import { isResource, type Resource } from './resource.ts'

export type WriteMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface VersionFacts {
  readonly type: string
  readonly id: string
  readonly versionId: number
  readonly lastUpdated: string
  readonly method: WriteMethod
  /** Place of the first version of this resource among all; the order of a search without `_sort`. */
  readonly order: number
  /** The printed resource; undefined for a deletion. */
  readonly json: string | undefined
}

export class StoredVersion {
  readonly type: string
  readonly id: string
  readonly key: string
  readonly versionId: number
  readonly lastUpdated: string
  readonly method: WriteMethod
  readonly order: number
  readonly json: string | undefined
  readonly etag: string
  /** Values of search parameters, by parameter; filled by search-values. */
  readonly values = new Map<object, readonly unknown[]>()
  #resource: Resource | undefined
  #updated: number | undefined

  constructor(facts: VersionFacts) {
    this.type = facts.type
    this.id = facts.id
    this.key = `${facts.type}/${facts.id}`
    this.versionId = facts.versionId
    this.lastUpdated = facts.lastUpdated
    this.method = facts.method
    this.order = facts.order
    this.json = facts.json
    this.etag = `W/"${facts.versionId}"`
  }

  get deleted(): boolean {
    return this.json === undefined
  }

  get updatedAt(): number {
    this.#updated ??= Date.parse(this.lastUpdated)
    return this.#updated
  }

  /** The parsed resource. It is shared: nobody may change it. */
  get resource(): Resource {
    if (this.#resource === undefined) {
      const parsed: unknown = JSON.parse(this.json ?? 'null')
      if (!isResource(parsed)) throw new Error(`${this.key} is deleted or is not a resource`)
      this.#resource = parsed
    }
    return this.#resource
  }
}
