// A batch or transaction as the requests it stands for: every entry goes through the same parser as a request of its own
// (R4 http §transaction, spec §2.6). The text that goes upstream is the client's own, with each `request.url` and `ifNoneExist`
// replaced by the canonical print of what was parsed.

import { type Parameter, parseRequestTarget, printQuery, type RequestTarget } from '../http/request-target.ts'
import { isMisspellingOf } from '../json/fold-name.ts'
import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { type CanonicalRequest, type EntryChange, PLACED, printBundle } from './bundle-print.ts'
import { type ConditionalReference, conditionalReferences } from './conditional-reference.ts'
import type { Definitions } from './definitions.ts'
import { type Interaction, parseInteraction } from './interaction.ts'
import { type PatchContent, readEntryPatch } from './patch.ts'
import { printRequestPath, sentParameters } from './request-path.ts'

export interface BundleEntry {
  readonly method: string
  readonly interaction: Interaction
  readonly lookups: readonly ConditionalReference[]
  readonly resource?: JsonObject
  readonly patch?: PatchContent
  /** Decoded segments of `request.url`, and its parameters that are sent on. */
  readonly segments: readonly string[]
  readonly parameters: readonly Parameter[]
  readonly ifMatch?: string | undefined
  readonly ifNoneMatch?: string | undefined
  readonly fullUrl?: string | undefined
  /** Why an entry of a batch cannot be read: it is refused by itself. */
  readonly fault?: Refusal
}

export interface BundleRequest {
  readonly code: 'batch' | 'transaction'
  readonly entries: readonly BundleEntry[]
  /** What goes upstream, with changes to entries by their place, and without the entries at some places, nor those that cannot be read. */
  print(changes?: ReadonlyMap<number, EntryChange>, without?: ReadonlySet<number>): string
}

// Members that are read here. One that differs in case only is refused: a server that ignores case would read that one instead.
const isMisspelling = isMisspellingOf([
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
  'fullUrl',
])
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'])
// Bundle (1), the entry array (2), an entry (3), its request (4).
const SPANS_TO = 4

export interface BundleLimits {
  readonly bundleEntries: number
  /** In the URL of an entry. */
  readonly searchParameters: number
}

export function readBundle(text: string, limits: BundleLimits, definitions: Definitions): BundleRequest | Refusal {
  const document = readStrictJson(text, { spansTo: SPANS_TO, members: PLACED, caseless: true })
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
  if (list.length > limits.bundleEntries)
    return refuse('body-too-large', `The Bundle has more than ${limits.bundleEntries} entries. Split it.`)
  const entries: BundleEntry[] = []
  for (const [index, given] of list.entries()) {
    const entry = isJsonObject(given) ? readEntry(given, limits, definitions) : invalid('it is no object.')
    if (!isRefusal(entry)) entries.push(entry)
    else if (code === 'batch') entries.push(unreadable(given, entry))
    else return refuse(entry.code, `Bundle.entry[${index}]: ${entry.detail}`, entry.extras)
  }
  const canonical = entries.map(canonicalRequest)
  const faulty = entries.flatMap(({ fault }, index) => (fault === undefined ? [] : [index]))
  const print: BundleRequest['print'] = (changes = new Map(), without = new Set()) =>
    printBundle(text, document, canonical, changes, faulty.length === 0 ? without : new Set([...without, ...faulty]))
  return { code, entries, print }
}

/** Stands at its place and asks for nothing, which no scope covers. */
function unreadable(given: Json, fault: Refusal): BundleEntry {
  const fullUrl = isJsonObject(given) ? given['fullUrl'] : undefined
  const nothing = { interaction: { code: 'capabilities' }, lookups: [], segments: [], parameters: [] } as const
  return { ...nothing, method: 'GET', fault, ...(typeof fullUrl === 'string' ? { fullUrl } : {}) }
}

function readEntry(entry: JsonObject, limits: BundleLimits, definitions: Definitions): BundleEntry | Refusal {
  const request = entry['request']
  if (request === undefined || !isJsonObject(request)) return invalid('entry.request is missing.')
  if (hasMisspelling(entry) || hasMisspelling(request)) return invalid(MISSPELT)
  const { method, url, ifMatch, ifNoneMatch } = request
  if (typeof method !== 'string' || !METHODS.has(method))
    return invalid('request.method must be GET, HEAD, POST, PUT, DELETE or PATCH.')
  if (typeof url !== 'string') return invalid('request.url is missing.')
  const { fullUrl } = entry
  if (!isOptionalText(ifMatch) || !isOptionalText(ifNoneMatch) || !isOptionalText(fullUrl))
    return invalid('request.ifMatch and ifNoneMatch, and fullUrl, must be strings.')
  const target = parseEntryUrl(url, limits.searchParameters)
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
  if (segments.length === 0 && parameters.length === 0) return invalid('request.url is empty.')
  const resource = entry['resource']
  const fault = bodyFault(method, interaction, resource)
  if (fault !== undefined) return invalid(fault)
  const isPatch = interaction.code === 'patch' && isJsonObject(resource)
  const patch = isPatch ? readEntryPatch(resource, definitions) : undefined
  if (isRefusal(patch)) return patch
  const lookups = isJsonObject(resource) && !isPatch ? conditionalReferences(resource, definitions) : []
  if (isRefusal(lookups)) return lookups
  const read = { method, interaction, lookups, segments, parameters, ifMatch, ifNoneMatch, fullUrl }
  return { ...read, ...(isJsonObject(resource) ? { resource } : {}), ...(patch === undefined ? {} : { patch }) }
}

function canonicalRequest({ interaction, segments, parameters }: BundleEntry): CanonicalRequest {
  const url = printRequestPath(segments, parameters).replace(/^\//, '')
  const condition = interaction.code === 'create' ? interaction.condition : undefined
  return condition === undefined ? { url } : { url, ifNoneExist: printQuery(condition.parameters) }
}

// Relative to the base, so that no entry can be read as another host or another mount (spec §2.6).
function parseEntryUrl(url: string, maximumParameters: number): RequestTarget | Refusal {
  if (url === '' || url.startsWith('/') || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(url)) {
    return refuse('target-ambiguous', 'request.url must be relative to the base, such as Patient/1.')
  }
  return parseRequestTarget(`/${url}`, maximumParameters)
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

function isOptionalText(value: Json | undefined): value is string | undefined {
  return value === undefined || typeof value === 'string'
}

const MISSPELT = 'a member name differs from that of FHIR in upper and lower case only.'

function hasMisspelling(object: JsonObject): boolean {
  return Object.keys(object).some(isMisspelling)
}

function invalid(detail: string): Refusal {
  return refuse('body-invalid', detail)
}
