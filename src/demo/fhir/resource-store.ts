// The versions of all resources, in memory. Nothing is ever overwritten: a write appends a version to the journal, so
// history is the journal read backwards and a rollback is its tail cut off.

import { ReferenceIndex } from './reference-index.ts'
import type { Resource } from './resource.ts'
import { StoredVersion, type WriteMethod } from './stored-version.ts'

const PRINTED_HEAD = /^\{"resourceType":"([A-Za-z]+)","id":"([^"]+)","meta":\{"versionId":"1","lastUpdated":"([^"]+)"/

export class ResourceStore {
  readonly references = new ReferenceIndex()
  readonly journal: StoredVersion[] = []
  /** Grows with every write: what was computed for an older one is stale. */
  generation = 0
  readonly #now: () => Date
  readonly #versions = new Map<string, StoredVersion[]>()
  readonly #live = new Map<string, Map<string, StoredVersion>>()
  #nextId = 10_000

  constructor(now: () => Date) {
    this.#now = now
  }

  /** A resource printed by scripts/pack-demo-data.ts: kept as the text it is, parsed when somebody needs it. */
  load(line: string): void {
    const head = PRINTED_HEAD.exec(line)
    if (head === null) throw new Error(`not a packed resource: ${line.slice(0, 60)}…`)
    this.#append(
      new StoredVersion({
        type: head[1]!,
        id: head[2]!,
        versionId: 1,
        lastUpdated: head[3]!,
        method: 'PUT',
        order: this.journal.length,
        json: line,
      }),
    )
  }

  /** Writes the next version of `type/id`; the server's id, version and time replace what the resource says. */
  write(type: string, id: string, resource: Resource, method: WriteMethod): StoredVersion {
    const { resourceType: _type, id: _id, meta, ...elements } = resource
    const before = this.newest(type, id)
    const versionId = (before?.versionId ?? 0) + 1
    const lastUpdated = this.#now().toISOString()
    const { versionId: _version, lastUpdated: _updated, ...labels } = meta ?? {}
    const stamped = { versionId: String(versionId), lastUpdated, ...labels }
    const json = JSON.stringify({ resourceType: type, id, meta: stamped, ...elements })
    const order = before?.order ?? this.journal.length
    return this.#append(new StoredVersion({ type, id, versionId, lastUpdated, method, order, json }))
  }

  /** Appends a deletion; undefined when there is nothing to delete. */
  remove(type: string, id: string): StoredVersion | undefined {
    const before = this.current(type, id)
    if (before === undefined) return undefined
    const facts = { type, id, versionId: before.versionId + 1, method: 'DELETE' as const, order: before.order }
    return this.#append(new StoredVersion({ ...facts, lastUpdated: this.#now().toISOString(), json: undefined }))
  }

  /** The current version, unless the resource is absent or deleted. */
  current(type: string, id: string): StoredVersion | undefined {
    return this.#live.get(type)?.get(id)
  }

  /** The newest version, a deletion included. */
  newest(type: string, id: string): StoredVersion | undefined {
    return this.#versions.get(`${type}/${id}`)?.at(-1)
  }

  versions(type: string, id: string): readonly StoredVersion[] {
    return this.#versions.get(`${type}/${id}`) ?? []
  }

  /** Current resources of a type, in the order of their creation. */
  all(type: string): Iterable<StoredVersion> {
    return this.#live.get(type)?.values() ?? []
  }

  count(type: string): number {
    return this.#live.get(type)?.size ?? 0
  }

  types(): string[] {
    return [...this.#live.keys()].filter((type) => this.count(type) > 0).sort()
  }

  newId(type: string): string {
    let id: string
    do id = String(++this.#nextId)
    while (this.#versions.has(`${type}/${id}`))
    return id
  }

  /** All of `work` or nothing of it: when it throws, every version that it appended is taken back. */
  atomically<T>(work: () => T): T {
    const mark = this.journal.length
    try {
      return work()
    } catch (error) {
      while (this.journal.length > mark) this.#retract()
      throw error
    }
  }

  #append(version: StoredVersion): StoredVersion {
    const versions = this.#versions.get(version.key)
    const before = versions?.at(-1)
    if (before !== undefined && !before.deleted) this.references.remove(before)
    if (versions === undefined) this.#versions.set(version.key, [version])
    else versions.push(version)
    this.journal.push(version)
    this.#show(version)
    return version
  }

  #retract(): void {
    const version = this.journal.pop()!
    const versions = this.#versions.get(version.key)!
    versions.pop()
    if (!version.deleted) this.references.remove(version)
    const before = versions.at(-1)
    if (before === undefined) {
      this.#versions.delete(version.key)
      this.#live.get(version.type)?.delete(version.id)
      this.generation++
    } else this.#show(before)
  }

  /** Makes `version` the one that reads and searches see. */
  #show(version: StoredVersion): void {
    const live = this.#live.get(version.type) ?? new Map<string, StoredVersion>()
    this.#live.set(version.type, live)
    if (version.deleted) live.delete(version.id)
    else {
      live.set(version.id, version)
      this.references.add(version)
    }
    this.generation++
  }
}
