// A batch or transaction as the requests it stands for: every entry goes through the same parser as a request of its own
// (R4 http §transaction, spec §2.6). The text that goes upstream is the client's own, with each `request.url` and `ifNoneExist`
// replaced by the canonical print of what was parsed.

import { type Parameter, parseRequestTarget, printQuery, type RequestTarget } from '../http/request-target.ts'
import { isJsonObject, type Json, type JsonDocument, type JsonObject, readStrictJson } from '../json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { conditionalReferences } from './conditional-reference.ts'
import type { Definitions } from './definitions.ts'
import { type Interaction, parseInteraction, type TypeSearch } from './interaction.ts'
import { printRequestPath, sentParameters } from './request-path.ts'

export interface BundleEntry {
  readonly method: string
  readonly interaction: Interaction
  /** The searches that conditional references in the resource stand for. */
  readonly lookups: readonly TypeSearch[]
  readonly resource?: JsonObject
  /** Decoded segments of `request.url`, and its parameters that are sent on. */
  readonly segments: readonly string[]
  readonly parameters: readonly Parameter[]
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
}

export interface BundleRequest {
  readonly code: 'batch' | 'transaction'
  readonly entries: readonly BundleEntry[]
  /** What goes upstream, with changes to the requests of entries by their place, and without the entries at some places. */
  print(changes?: ReadonlyMap<number, EntryChange>, without?: ReadonlySet<number>): string
}

export interface EntryChange {
  /** A GET of this url stands in for the whole request, so that no condition of the client's keeps back what must be checked. */
  readonly get?: string
  readonly url?: string
  readonly ifNoneExist?: string
  /** Added where the client has none. */
  readonly ifMatch?: string
  readonly ifNoneMatch?: string
}

// Members that are read here. One that differs in case only is refused: a server that ignores case would read that one instead.
const MEMBERS = new Map(
  [
    'resourceType',
    'type',
    'entry',
    'request',
    'resource',
    'method',
    'url',
    'ifNoneExist',
    'ifMatch',
    'ifNoneMatch',
    'id',
  ].map((name) => [name.toLowerCase(), name]),
)
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'])
// Bundle (1), the entry array (2), an entry (3), its request (4).
const SPANS_TO = 4
const PLACED = new Set(['request', 'url', 'ifNoneExist'])

interface Replacement {
  readonly span: readonly [number, number]
  readonly text: string
}

export function readBundle(text: string, maximumEntries: number, definitions: Definitions): BundleRequest | Refusal {
  const document = readStrictJson(text, { spansTo: SPANS_TO, members: PLACED })
  if ('reason' in document)
    return invalid(`The body is no JSON that can be read: ${document.reason} at character ${document.at}.`)
  const bundle = document.value
  if (!isJsonObject(bundle) || bundle['resourceType'] !== 'Bundle') return invalid('The base takes a Bundle.')
  if (hasMisspelling(bundle)) return invalid(MISSPELT)
  const code = bundle['type']
  if (code !== 'batch' && code !== 'transaction')
    return invalid('The base takes a Bundle of type batch or transaction.')
  const list = bundle['entry'] ?? []
  if (!Array.isArray(list)) return invalid('Bundle.entry must be an array.')
  if (list.length === 0) return invalid('The Bundle has no entry.')
  if (list.length > maximumEntries)
    return refuse('body-too-large', `The Bundle has more than ${maximumEntries} entries. Split it.`)
  const entries: BundleEntry[] = []
  const replacements: Replacement[] = []
  for (const [index, given] of list.entries()) {
    const entry = isJsonObject(given)
      ? readEntry(given, document, replacements, definitions)
      : invalid('it is no object')
    if (isRefusal(entry)) return refuse(entry.code, `Bundle.entry[${index}]: ${entry.detail}`, entry.extras)
    entries.push(entry)
  }
  const print: BundleRequest['print'] = (changes = new Map(), without = new Set()) => {
    const changed = [...changes].flatMap(([index, change]) => changesOf(document, list[index] as JsonObject, change))
    const untouched = replacements.filter(({ span }) => !changed.some((one) => isWithin(span, one.span)))
    const gone = removalsOf(document, list, without)
    const left = [...untouched, ...changed].filter(({ span }) => !gone.some((one) => isWithin(span, one.span)))
    return splice(text, [...left, ...gone])
  }
  return { code, entries, print }
}

function readEntry(
  entry: JsonObject,
  document: JsonDocument,
  replacements: Replacement[],
  definitions: Definitions,
): BundleEntry | Refusal {
  const request = entry['request']
  if (request === undefined || !isJsonObject(request)) return invalid('entry.request is missing.')
  if (hasMisspelling(entry) || hasMisspelling(request)) return invalid(MISSPELT)
  const { method, url, ifMatch, ifNoneMatch } = request
  if (typeof method !== 'string' || !METHODS.has(method))
    return invalid('request.method must be GET, HEAD, POST, PUT, DELETE or PATCH.')
  if (typeof url !== 'string') return invalid('request.url is missing.')
  if (!isOptionalText(ifMatch) || !isOptionalText(ifNoneMatch))
    return invalid('request.ifMatch and ifNoneMatch must be strings.')
  const target = parseEntryUrl(url)
  if (isRefusal(target)) return target
  const ifNoneExist = request['ifNoneExist']
  if (ifNoneExist !== undefined && (typeof ifNoneExist !== 'string' || method !== 'POST')) {
    return invalid('request.ifNoneExist must be a search query on a POST.')
  }
  const interaction = parseInteraction(
    { method, segments: target.segments, parameters: target.parameters, ifNoneExist },
    definitions,
  )
  if (isRefusal(interaction)) return interaction
  if (interaction.code === 'batch' || interaction.code === 'capabilities')
    return invalid('this request cannot stand in a Bundle.')
  // An operation states no access of its own, so among entries it would be decided by nothing.
  if (interaction.code === 'operation')
    return refuse('operation-not-listed', 'an operation cannot stand in a Bundle here. Send it by itself.')
  const { segments } = target
  const parameters = sentParameters(interaction, target.parameters)
  const canonical = printRequestPath(segments, parameters).replace(/^\//, '')
  if (canonical === '') return invalid('request.url is empty.')
  replace(document, request, 'url', canonical, replacements)
  if (interaction.code === 'create' && interaction.condition !== undefined) {
    replace(document, request, 'ifNoneExist', printQuery(interaction.condition.parameters), replacements)
  }
  const resource = entry['resource']
  const fault = bodyFault(method, interaction, resource)
  if (fault !== undefined) return invalid(fault)
  if (!isJsonObject(resource)) return { method, interaction, lookups: [], segments, parameters, ifMatch, ifNoneMatch }
  const lookups = conditionalReferences(resource, definitions)
  return isRefusal(lookups)
    ? lookups
    : { method, interaction, lookups, resource, segments, parameters, ifMatch, ifNoneMatch }
}

// Relative to the base, so that no entry can be read as another host or another mount (spec §2.6).
function parseEntryUrl(url: string): RequestTarget | Refusal {
  if (url === '' || url.startsWith('/') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) {
    return refuse('target-ambiguous', 'request.url must be relative to the base, such as Patient/1.')
  }
  return parseRequestTarget(`/${url}`)
}

/** POST and PUT carry a resource of the type that the URL names, PUT with the id that it names; reads and deletes carry none. */
function bodyFault(
  method: string,
  interaction: Interaction,
  resource: JsonObject[string] | undefined,
): string | undefined {
  if (method === 'GET' || method === 'HEAD' || method === 'DELETE') {
    return resource === undefined ? undefined : `a ${method} carries no resource.`
  }
  if (interaction.code.startsWith('search')) return resource === undefined ? undefined : 'a search carries no resource.'
  if (!isJsonObject(resource)) return `a ${method} needs a resource.`
  if (hasMisspelling(resource)) return MISSPELT
  if (interaction.code === 'patch') return undefined
  if (!('type' in interaction) || resource['resourceType'] !== interaction.type)
    return 'the resource is of another type than request.url.'
  if (interaction.code === 'update' && interaction.id !== undefined && resource['id'] !== interaction.id) {
    return 'resource.id and the id in request.url differ.'
  }
  return undefined
}

function replace(
  document: JsonDocument,
  owner: JsonObject,
  name: string,
  value: string,
  replacements: Replacement[],
): void {
  const span = document.span(owner, name)
  if (span !== undefined && owner[name] !== value) replacements.push({ span, text: JSON.stringify(value) })
}

/** Each entry goes with the comma behind it, or, when nothing is left behind it, with the one before it. */
function removalsOf(document: JsonDocument, list: readonly Json[], without: ReadonlySet<number>): Replacement[] {
  const last = list.findLastIndex((_, index) => !without.has(index))
  return [...without].map((index): Replacement => {
    const [start, end] = document.elementSpan(list, index)!
    if (index < last) return { span: [start, document.elementSpan(list, index + 1)![0]], text: '' }
    return { span: [index === 0 ? start : document.elementSpan(list, index - 1)![1], end], text: '' }
  })
}

function isWithin([start, end]: readonly [number, number], [from, to]: readonly [number, number]): boolean {
  return start >= from && end <= to
}

function changesOf(document: JsonDocument, entry: JsonObject, change: EntryChange): Replacement[] {
  const request = entry['request'] as JsonObject
  const whole = document.span(entry, 'request')!
  const { get, url, ifNoneExist, ...added } = change
  if (get !== undefined) return [{ span: whole, text: JSON.stringify({ method: 'GET', url: get }) }]
  const replaced = Object.entries({ url, ifNoneExist }).flatMap(([name, value]) => {
    const span = document.span(request, name)
    return value === undefined || span === undefined ? [] : [{ span, text: JSON.stringify(value) }]
  })
  const inserted = Object.entries(added)
    .filter(([name, value]) => value !== undefined && request[name] === undefined)
    .map(([name, value]) => `"${name}":${JSON.stringify(value)},`)
  if (inserted.length === 0) return replaced
  // Behind the brace that opens the request, which always has members.
  return [...replaced, { span: [whole[0] + 1, whole[0] + 1], text: inserted.join('') }]
}

function splice(text: string, replacements: readonly Replacement[]): string {
  const ordered = [...replacements].sort((a, b) => a.span[0] - b.span[0])
  let spliced = ''
  let from = 0
  for (const { span, text: value } of ordered) {
    spliced += text.slice(from, span[0]) + value
    from = span[1]
  }
  return spliced + text.slice(from)
}

function isOptionalText(value: Json | undefined): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

const MISSPELT = 'a member name differs from that of FHIR in upper and lower case only.'

function hasMisspelling(object: JsonObject): boolean {
  return Object.keys(object).some((name) => (MEMBERS.get(name.toLowerCase()) ?? name) !== name)
}

function invalid(detail: string): Refusal {
  return refuse('body-invalid', detail)
}
