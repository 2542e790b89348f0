// A Bundle as it goes on: the client's own text, in which only what was decided otherwise is replaced. Requests of entries are printed
// canonically, those that are changed anew; entries may be left out; references in resources may be replaced by what they stand for.

import { isJsonObject, type Json, type JsonDocument, type JsonObject, readStrictJson } from '../json/strict-json.ts'

/** What becomes of one entry. Members of the request replace the client's. */
export interface EntryChange {
  /** A GET of this url stands in for the whole request, so that no condition of the client's keeps back what must be checked. */
  readonly get?: string
  readonly method?: string
  readonly url?: string
  readonly ifNoneExist?: string
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
  /** Put into the resource, which has none. */
  readonly id?: string
  /** What conditional references in the resource stand for, by their text. */
  readonly references?: ReadonlyMap<string, string>
}

/** Members of an entry's request as they were parsed, by name. */
export type CanonicalRequest = Readonly<Record<string, string>>

/** Members whose places the document must know. */
export const PLACED: ReadonlySet<string> = new Set(['request', 'resource', 'url', 'ifNoneExist'])

type Span = readonly [number, number]
interface Replacement {
  readonly span: Span
  readonly text: string
}

export function printBundle(
  text: string,
  document: JsonDocument,
  canonical: readonly CanonicalRequest[],
  changes: ReadonlyMap<number, EntryChange>,
  without: ReadonlySet<number>,
): string {
  const list = (document.value as JsonObject)['entry'] as readonly JsonObject[]
  const replacements = list.flatMap((entry, index) => {
    if (without.has(index)) return []
    const change = changes.get(index)
    return change === undefined
      ? canonicalMembers(document, entry, canonical[index]!)
      : changedMembers(text, document, entry, canonical[index]!, change)
  })
  return splice(text, [...replacements, ...removals(document, list, without)])
}

function canonicalMembers(document: JsonDocument, entry: JsonObject, canonical: CanonicalRequest): Replacement[] {
  const request = entry['request'] as JsonObject
  return Object.entries(canonical).flatMap(([name, value]) => {
    const span = request[name] === value ? undefined : document.span(request, name)
    return span === undefined ? [] : [{ span, text: JSON.stringify(value) }]
  })
}

function changedMembers(
  text: string,
  document: JsonDocument,
  entry: JsonObject,
  canonical: CanonicalRequest,
  { get, id, references, ...members }: EntryChange,
): Replacement[] {
  const span = document.span(entry, 'request')!
  const request =
    get === undefined ? { ...(entry['request'] as JsonObject), ...canonical, ...members } : { method: 'GET', url: get }
  const changed: Replacement[] = [{ span, text: JSON.stringify(request) }]
  const resource = document.span(entry, 'resource')
  if (resource === undefined) return changed
  // Behind the brace that opens the resource, which always has members.
  if (id !== undefined) changed.push({ span: [resource[0] + 1, resource[0] + 1], text: `"id":${JSON.stringify(id)},` })
  if (references !== undefined && references.size > 0) changed.push(...referencesWithin(text, resource, references))
  return changed
}

function referencesWithin(
  text: string,
  [start, end]: Span,
  references: ReadonlyMap<string, string>,
): readonly Replacement[] {
  const document = readStrictJson(text.slice(start, end), { spansTo: Number.POSITIVE_INFINITY, members: REFERENCE })
  if ('reason' in document) return []
  const replacements: Replacement[] = []
  const visit = (value: Json): void => {
    if (Array.isArray(value)) for (const item of value) visit(item)
    if (!isJsonObject(value)) return
    const { reference } = value
    const found = typeof reference === 'string' ? references.get(reference) : undefined
    const span = found === undefined ? undefined : document.span(value, 'reference')
    if (span !== undefined) replacements.push({ span: [start + span[0], start + span[1]], text: JSON.stringify(found) })
    for (const member of Object.values(value)) if (typeof member === 'object') visit(member)
  }
  visit(document.value)
  return replacements
}

const REFERENCE: ReadonlySet<string> = new Set(['reference'])

/** Each entry goes with the comma behind it, or, when nothing is left behind it, with the one before it. */
function removals(document: JsonDocument, list: readonly Json[], without: ReadonlySet<number>): Replacement[] {
  const last = list.findLastIndex((_, index) => !without.has(index))
  return [...without].map((index): Replacement => {
    const [start, end] = document.elementSpan(list, index)!
    if (index < last) return { span: [start, document.elementSpan(list, index + 1)![0]], text: '' }
    return { span: [index === 0 ? start : document.elementSpan(list, index - 1)![1], end], text: '' }
  })
}

function splice(text: string, replacements: readonly Replacement[]): string {
  const ordered = [...replacements].sort((a, b) => a.span[0] - b.span[0])
  const pieces: string[] = []
  let from = 0
  for (const { span, text: value } of ordered) {
    pieces.push(text.slice(from, span[0]), value)
    from = span[1]
  }
  pieces.push(text.slice(from))
  return pieces.join('')
}
