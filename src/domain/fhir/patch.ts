// What a patch asks (R4 http §patch; docs/decisions/0015). Its outcome answers questions where it tests or carries around what is stored,
// and a conditional reference that it puts in is a search. INVARIANT: what cannot be told for certain asks, and looks anything up.

import { foldName } from '../json/fold-name.ts'
import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { queriesOf, readQuery } from './conditional-reference.ts'
import type { Definitions } from './definitions.ts'
import { onlyPutsAtPlaces } from './fhirpath-patch.ts'
import type { TypeSearch } from './interaction.ts'

export interface PatchContent {
  /** Of a JSON Patch; undefined for every other kind. */
  readonly operations?: readonly Json[]
  /** What in it makes its outcome an answer about what is stored; undefined when nothing does. */
  readonly asks?: string
  /** The searches of the conditional references that it puts in; undefined stands for one that cannot be told. */
  readonly lookups: readonly (TypeSearch | undefined)[]
}

export const JSON_PATCH = 'application/json-patch+json'

/** `type` is the media type without parameters. What the content is counts, not only what it is called. */
export function readPatch(body: string, type: string, definitions: Definitions): PatchContent | Refusal {
  if (/xml/.test(type)) return { asks: 'an XML patch', lookups: holdsNoQuery(body) ? [] : [undefined] }
  const document = readStrictJson(body, { caseless: true })
  if ('reason' in document) {
    return refuse('body-invalid', `The patch cannot be read: ${document.reason} at character ${document.at}.`)
  }
  return patchOf(document.value, type, definitions)
}

/** In a Bundle it comes as a Binary (R4 http §transaction), or, where it is a FHIRPath Patch, as it is. */
export function readEntryPatch(resource: JsonObject, definitions: Definitions): PatchContent | Refusal {
  const { resourceType, contentType, data } = resource
  if (resourceType !== 'Binary') return patchOf(resource, '', definitions)
  if (typeof contentType !== 'string' || typeof data !== 'string') return untold(UNKNOWN)
  const text = decodeBase64(data)
  if (text === undefined) return refuse('body-invalid', 'the patch is not in plain base64 of UTF-8.')
  return readPatch(text, contentType.split(';', 1)[0]!.trim().toLowerCase(), definitions)
}

const UNKNOWN = 'a patch of this kind'

function untold(asks: string): PatchContent {
  return { asks, lookups: [undefined] }
}

function patchOf(value: Json, type: string, definitions: Definitions): PatchContent | Refusal {
  if (Array.isArray(value)) return jsonPatch(value, type, definitions)
  if (!isJsonObject(value) || value['resourceType'] !== 'Parameters' || type === JSON_PATCH) return untold(UNKNOWN)
  const lookups = [...textsIn(value)].filter(mayBeQuery).map(readable(definitions))
  return onlyPutsAtPlaces(value) ? { lookups } : { asks: 'a FHIRPath patch', lookups }
}

/** No `?` but those of the declaration, and nothing that could stand for one. */
function holdsNoQuery(xml: string): boolean {
  return XML_WITHOUT_QUERY.test(xml) && !/&(?!(?:amp|lt|gt|quot|apos);)|<!/.test(xml)
}

const XML_WITHOUT_QUERY = /^\ufeff?(?:<\?xml version="1\.0"(?: encoding="utf-8")? *\?>)?[^?]*$/i

/** A query as far as we can read one; what else looks like one may be one to the server. */
function readable(definitions: Definitions): (text: string) => TypeSearch | undefined {
  return (text) => {
    const search = readQuery(text, definitions)
    return isRefusal(search) ? undefined : search
  }
}

function mayBeQuery(text: string): boolean {
  return /^[^\s?]*[A-Za-z]\/?\?[^?]*=/.test(text)
}

function* textsIn(value: Json): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const item of value) yield* textsIn(item)
  else if (isJsonObject(value)) for (const member of Object.values(value)) yield* textsIn(member)
}

function jsonPatch(operations: readonly Json[], type: string, definitions: Definitions): PatchContent | Refusal {
  const lookups: (TypeSearch | undefined)[] = []
  for (const text of new Set(operations.flatMap((operation) => [...queriesPutIn(operation)]))) {
    const search = readQuery(text, definitions)
    if (isRefusal(search)) return search
    lookups.push(search)
  }
  if (operations.some(makesReference)) lookups.push(undefined)
  // Called something else, a server may read it as something else.
  if (type !== JSON_PATCH) return { operations, asks: UNKNOWN, lookups: [...lookups, undefined] }
  return operations.every(onlyWrites) ? { operations, lookups } : { operations, asks: ASKING, lookups }
}

const ASKING = 'a patch with test, copy or move'

/** `copy` and `move` write nothing that the client knows: whether it could be done, and whether the result is valid, tells of it. */
function onlyWrites(operation: Json): boolean {
  return isJsonObject(operation) && ['add', 'remove', 'replace'].includes(operation['op'] as string)
}

function* queriesPutIn(operation: Json): Generator<string> {
  if (!isJsonObject(operation)) return
  const { value = null, path } = operation
  yield* queriesOf(value)
  if (typeof value === 'string' && value.includes('?') && namesReference(path)) yield value
}

/** Text from elsewhere in the resource becomes a reference: nobody knows here what it says. */
function makesReference(operation: Json): boolean {
  if (!isJsonObject(operation) || operation['from'] === undefined) return false
  return namesReference(operation['path']) && !namesReference(operation['from'])
}

function namesReference(path: Json | undefined): boolean {
  return typeof path === 'string' && foldName(path.slice(path.lastIndexOf('/') + 1)) === 'reference'
}

// Decoders differ in what else they skip or accept.
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

function decodeBase64(data: string): string | undefined {
  if (!BASE64.test(data)) return undefined
  try {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
