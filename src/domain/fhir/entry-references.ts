// References between the entries of one Bundle, as the server will read them (R4 http §transaction, bundle §references): a reference
// that is the `fullUrl` of an entry means that entry, whatever else it looks like. What is decided about must be what is stored, so
// each resource is judged with such references replaced. INVARIANT: what cannot be told for certain names nobody.

import { isJsonObject, type Json, type JsonObject } from '../json/strict-json.ts'
import type { BundleEntry } from './bundle.ts'
import { parseReference } from './literal-reference.ts'

/** The resource that an entry writes; no id where the server gives it one, or where a search decides. */
interface Written {
  readonly type: string
  readonly id?: string | undefined
}

export class EntryReferences {
  /** By every text that may mean an entry. */
  readonly #written = new Map<string, Written>()
  readonly #places = new Map<string, number | undefined>()
  readonly #resolves: boolean

  /** Entries of a batch do not refer to each other (R4 http §batch): there a name that means an entry is only not trusted. */
  constructor(code: 'batch' | 'transaction', entries: readonly BundleEntry[]) {
    this.#resolves = code === 'transaction'
    for (const [place, entry] of entries.entries()) {
      const written = writtenBy(entry)
      if (written === undefined) continue
      for (const name of namesOf(entry, written)) {
        const other = this.#written.get(name)
        const same = other === undefined || (other.type === written.type && other.id === written.id)
        this.#written.set(name, same ? written : { type: 'Patient' })
      }
      const urn = urnOf(entry)
      if (urn !== undefined) this.#places.set(urn, this.#places.has(urn) ? undefined : place)
    }
  }

  /** The place of the entry of a transaction that a `urn:` means, and nothing else does. */
  entryOf(text: string): number | undefined {
    return this.#resolves ? this.#places.get(text) : undefined
  }

  /** `found`: what conditional references stand for, by their text. */
  resolve(resource: JsonObject, found: ReadonlyMap<string, string>): JsonObject {
    return this.#written.size === 0 && found.size === 0 ? resource : (this.#copy(resource, found) as JsonObject)
  }

  #copy(value: Json, found: ReadonlyMap<string, string>): Json {
    if (Array.isArray(value)) return value.map((item) => this.#copy(item, found))
    if (!isJsonObject(value)) return value
    const copy: JsonObject = Object.create(null)
    for (const [name, member] of Object.entries(value)) copy[name] = this.#copy(member, found)
    if (typeof copy['reference'] === 'string') this.#replace(copy, copy['reference'], found)
    return copy
  }

  #replace(copy: JsonObject, text: string, found: ReadonlyMap<string, string>): void {
    const match = found.get(text)
    const written = this.#written.get(text) ?? this.#written.get(text.replace(/\/_history\/[^/]*$/, ''))
    if (match !== undefined) copy['reference'] = match
    else if (written?.id !== undefined && this.#resolves) copy['reference'] = `${written.type}/${written.id}`
    else if (written !== undefined && !this.#isMeant(text, written)) {
      // A reference without an address still tells its type, and one to a Patient names nobody that we know.
      delete copy['reference']
      copy['type'] = written.type
    }
  }

  /** Whether the text by itself says which resource the entry writes. */
  #isMeant(text: string, { type, id }: Written): boolean {
    const literal = parseReference(text)
    return literal !== undefined && literal.type === type && literal.id === id
  }
}

/** The text of every reference in these resources, at any depth. */
export function referenceTexts(resources: readonly Json[]): ReadonlySet<string> {
  const texts = new Set<string>()
  const visit = (value: Json): void => {
    if (Array.isArray(value)) value.forEach(visit)
    if (!isJsonObject(value)) return
    if (typeof value['reference'] === 'string') texts.add(value['reference'])
    for (const member of Object.values(value)) if (typeof member === 'object') visit(member)
  }
  resources.forEach(visit)
  return texts
}

/** A name that no server reads as anything but the entry. */
export function urnOf({ fullUrl }: BundleEntry): string | undefined {
  return fullUrl?.startsWith('urn:') ? fullUrl : undefined
}

/** Whether a resource holds a reference of one of these texts, at any depth. */
export function refersTo(value: Json, names: ReadonlySet<string>): boolean {
  if (Array.isArray(value)) return value.some((item) => refersTo(item, names))
  if (!isJsonObject(value)) return false
  const { reference } = value
  if (typeof reference === 'string' && names.has(reference)) return true
  return Object.values(value).some((member) => typeof member === 'object' && refersTo(member, names))
}

function writtenBy({ interaction, resource }: BundleEntry): Written | undefined {
  const { code } = interaction
  if (code === 'create') return { type: interaction.type }
  if (code !== 'update' && code !== 'patch') return undefined
  // The match of a condition must have the id of the resource, if that has one (R4 http §cond-update).
  const id = interaction.id ?? (code === 'update' ? resource?.['id'] : undefined)
  return { type: interaction.type, id: typeof id === 'string' ? id : undefined }
}

/** Its address, the relative form of that, and the id that a new resource carries, which some servers take for a placeholder. */
function* namesOf({ fullUrl, interaction, resource }: BundleEntry, { type }: Written): Generator<string> {
  if (fullUrl !== undefined) {
    yield fullUrl
    const relative = /([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]*)?$/.exec(fullUrl)?.[1]
    if (relative !== undefined && relative !== fullUrl) yield relative
  }
  const id = resource?.['id']
  if (interaction.code === 'create' && typeof id === 'string') yield `${type}/${id}`
}
