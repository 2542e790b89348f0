// Generators for the properties. Requests are made together with their meaning (`ModelRequest`), so that the reference model need
// not parse anything.

import fc from 'fast-check'
import type { GrantFacts } from '../../src/domain/grant.ts'
import type { ModelRequest } from './reference-model.ts'

const TYPES = ['Patient', 'Observation', 'Condition', 'Practitioner', 'List', 'Subscription']
const IDS = ['p1', 'p2', 'o-1.A']

// Scopes

const context = fc.constantFrom('patient', 'user', 'system')
const onType = fc.constantFrom('*', ...TYPES)
const letters = fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 }).map((chosen) => chosen.join(''))
const filter = fc.constantFrom(
  'category=lab',
  'category=http://x/y|lab',
  'status=final&code=a,b',
  '_security=http://x%7CN',
  'name=van%20Dijk',
)

export const plainScope: fc.Arbitrary<string> = fc
  .tuple(context, onType, fc.oneof(letters, fc.constantFrom('read', 'write', '*')))
  .map(([level, type, word]) => `${level}/${type}.${word}`)

export const granularScope: fc.Arbitrary<string> = fc
  .tuple(context, onType, letters, filter)
  .map(([level, type, word, query]) => `${level}/${type}.${word}?${query}`)

/** Close to a scope, but none: nothing of it may count. */
export const malformedScope: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      context,
      onType,
      fc.constantFrom('sr', 'dus', 'sdurc', 'rss', 'rr', 'c*', 'rd*', 'rsx', 'read-only', 'Read', '', 'all', 'create'),
    )
    .map(([level, type, word]) => `${level}/${type}.${word}`),
  fc
    .tuple(
      context,
      onType,
      letters,
      fc.constantFrom(
        '',
        'x',
        'x=',
        '=x',
        'x==y',
        'x=y&',
        '&x=y',
        'code:in=y',
        'a.b=y',
        '_has=y',
        '_include=y',
        '_count=1',
      ),
    )
    .map(([level, type, word, query]) => `${level}/${type}.${word}?${query}`),
  fc
    .tuple(context, onType, fc.constantFrom('read', 'write', '*'), filter)
    .map(([level, type, word, query]) => `${level}/${type}.${word}?${query}`),
  fc
    .tuple(fc.constantFrom('Patient', 'USER', 'launch', '', 'xsystem', 'system.'), onType, letters)
    .map(([level, type, word]) => `${level}/${type}.${word}`),
  fc
    .tuple(context, fc.constantFrom('observation', 'Obs*', '**', '', '%2A'), letters)
    .map(([level, type, word]) => `${level}/${type}.${word}`),
)

export const otherScope: fc.Arbitrary<string> = fc.constantFrom(
  'openid',
  'fhirUser',
  'launch',
  'launch/patient',
  'offline_access',
  'https://example.org/x',
  'cms.unlisted',
  '__x',
)

export const anyScope: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: plainScope },
  { weight: 2, arbitrary: granularScope },
  { weight: 1, arbitrary: malformedScope },
  { weight: 1, arbitrary: otherScope },
)

export const scopes: fc.Arbitrary<string[]> = fc.array(anyScope, { maxLength: 6 })

/** Launch patients and user of a token. */
export const identity: fc.Arbitrary<Pick<GrantFacts, 'patients'> & { fhirUser?: string }> = fc
  .tuple(
    fc.constantFrom<string[]>([], ['p1'], ['p1', 'p2']),
    fc.constantFrom(undefined, 'Practitioner/pr1', 'Patient/p1', 'Patient/p2'),
  )
  .map(([patients, fhirUser]) => (fhirUser === undefined ? { patients } : { patients, fhirUser }))

// Requests

export interface GeneratedRequest {
  readonly method: string
  /** Below the base, without query: `Patient/1`. */
  readonly path: string
  readonly query: string
  readonly ifNoneExist?: string
  readonly means: ModelRequest
}

export function lineOf({ method, path, query }: GeneratedRequest): string {
  return `${method} /${path}${query === '' ? '' : `?${query}`}`
}

type Reaches = Pick<ModelRequest, 'chained' | 'included' | 'reverseIncluded' | 'anythingBy' | 'byList'>

const NO_REACH: Reaches = { chained: [], included: [], reverseIncluded: [], anythingBy: [], byList: false }
/** Parameters of any type, and what they look at. */
const PARAMETERS: readonly (readonly [query: string, reach: Partial<Reaches>])[] = [
  ['code=x', {}],
  ['_id=o1', {}],
  ['_lastUpdated=gt2024', {}],
  ['unknown=1', {}],
  ['patient=', {}],
  ['_count=5', {}],
  ['_sort=-date', {}],
  ['_summary=true', {}],
  ['_contained=false', {}],
  ['subject:Patient.name=x', { chained: ['Patient'] }],
  ['subject:Patient.general-practitioner:Practitioner.name=x', { chained: ['Patient', 'Practitioner'] }],
  ['_has:Condition:patient:code=x', { chained: ['Condition'] }],
  ['_has:Observation:patient:performer:Practitioner.name=x', { chained: ['Observation', 'Practitioner'] }],
  ['_has:Observation:patient:_has:Condition:evidence:code=x', { chained: ['Observation', 'Condition'] }],
  ['_sort=subject:Patient.name', { chained: ['Patient'] }],
  ['_include=Observation:patient', { included: ['Patient'] }],
  ['_include:iterate=Observation:subject:Patient', { included: ['Patient'] }],
  ['_include=*', { anythingBy: ['rs'] }],
  ['_include=Observation:subject:Group', { included: ['Group'] }],
  ['_revinclude=Condition:evidence', { reverseIncluded: ['Condition'] }],
  ['_revinclude:iterate=Observation:patient', { reverseIncluded: ['Observation'] }],
  ['_revinclude=*', { anythingBy: ['s'] }],
  ['_list=1', { byList: true }],
  ['_filter=a%20eq%20b', { chained: ['*'] }],
  ['_contained=true', { chained: ['*'] }],
  ['_getpages=abc', { chained: ['*'] }],
  ['subject:Patient._list=1', { chained: ['Patient'], byList: true }],
]

const search = fc.array(fc.constantFrom(...PARAMETERS), { maxLength: 3 }).map((chosen) => ({
  query: chosen.map(([query]) => query).join('&'),
  reaches: {
    chained: chosen.flatMap(([, { chained = [] }]) => chained),
    included: chosen.flatMap(([, { included = [] }]) => included),
    reverseIncluded: chosen.flatMap(([, { reverseIncluded = [] }]) => reverseIncluded),
    anythingBy: chosen.flatMap(([, { anythingBy = [] }]) => anythingBy),
    byList: chosen.some(([, { byList = false }]) => byList),
  },
}))

const type = fc.constantFrom(...TYPES)
const id = fc.constantFrom(...IDS)
type Kind = ModelRequest['interaction']

function plain(
  method: string,
  path: string,
  interaction: Kind,
  named: { type?: string; id?: string },
): GeneratedRequest {
  return { method, path, query: '', means: { interaction, ...named, ...NO_REACH, conditional: false, types: [] } }
}

const onInstance = fc
  .tuple(type, id, fc.constantFrom('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'vread', 'history'))
  .map(([type, id, what]) => {
    if (what === 'vread') return plain('GET', `${type}/${id}/_history/2`, 'vread', { type, id })
    if (what === 'history') return plain('GET', `${type}/${id}/_history`, 'history-instance', { type, id })
    const kinds: Record<string, Kind> = { GET: 'read', HEAD: 'read', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
    return plain(what, `${type}/${id}`, kinds[what]!, { type, id })
  })

const histories = fc.oneof(
  type.map((type) => plain('GET', `${type}/_history`, 'history-type', { type })),
  fc.constant(plain('GET', '_history', 'history-system', {})),
)

const creates = type.map((type) => plain('POST', type, 'create', { type }))

const conditional = fc
  .tuple(type, fc.constantFrom('POST', 'PUT', 'PATCH', 'DELETE'), search)
  .map(([type, method, { query, reaches }]): GeneratedRequest => {
    const kinds: Record<string, Kind> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
    const means = { interaction: kinds[method]!, type, ...reaches, conditional: true, types: [] }
    const condition = query === '' ? 'identifier=x' : `identifier=x&${query}`
    if (method === 'POST') return { method, path: type, query: '', ifNoneExist: condition, means }
    return { method, path: type, query: condition, means }
  })

const typeSearch = fc.tuple(type, search, fc.constantFrom('', 'Patient/p1/', 'Patient/p2/')).map(
  ([type, { query, reaches }, compartment]): GeneratedRequest => ({
    method: 'GET',
    path: compartment + type,
    query,
    means: { interaction: 'search-type', type, ...reaches, conditional: false, types: [] },
  }),
)

const systemSearch = fc
  .tuple(fc.array(fc.uniqueArray(type, { minLength: 1, maxLength: 2 }), { maxLength: 2 }), search)
  // What a chain starts from is not known in a search of every type, so only what looks elsewhere by name is used here.
  .filter(([, { query }]) => !query.includes('subject'))
  .map(
    ([named, { query, reaches }]): GeneratedRequest => ({
      method: 'GET',
      path: '',
      query: [...named.map((types) => `_type=${types.join(',')}`), query].filter((piece) => piece !== '').join('&'),
      means: { interaction: 'search-system', ...reaches, conditional: false, types: named.flat() },
    }),
  )

export const searches: fc.Arbitrary<GeneratedRequest> = fc.oneof(typeSearch, systemSearch)
export const requests: fc.Arbitrary<GeneratedRequest> = fc.oneof(
  onInstance,
  histories,
  creates,
  conditional,
  typeSearch,
  systemSearch,
)

/** The request as an entry of a Bundle, with a resource where it needs one. */
export function entryOf({ method, path, query, ifNoneExist, means }: GeneratedRequest): object {
  const request = {
    method,
    url: query === '' ? path : `${path}?${query}`,
    ...(ifNoneExist === undefined ? {} : { ifNoneExist }),
  }
  if (means.interaction === 'patch') return { request, resource: languagePatch(means.type) }
  if (means.interaction !== 'create' && means.interaction !== 'update') return { request }
  return { request, resource: { resourceType: means.type, ...(means.id === undefined ? {} : { id: means.id }) } }
}

/** A FHIRPath Patch that asks nothing, and leaves id and type alone. */
function languagePatch(type: string | undefined): object {
  const part = [
    { name: 'type', valueCode: 'replace' },
    { name: 'path', valueString: `${type}.language` },
    { name: 'value', valueCode: 'en' },
  ]
  return { resourceType: 'Parameters', parameter: [{ name: 'operation', part }] }
}

// Text

/** Pieces that make targets: good ones, and those with which proxies were bypassed. */
const PIECES = [
  '/',
  '/',
  '/',
  'Patient',
  'Observation',
  '1',
  '_history',
  '_search',
  'metadata',
  '$everything',
  '*',
  '.',
  '..',
  '...',
  ';',
  ';x=1',
  '%2e',
  '%2E%2e',
  '%2f',
  '%2F',
  '%5c',
  '%5C',
  '%3b',
  '%23',
  '%3F',
  '%25',
  '%252e',
  '%252f',
  '%00',
  '%0a',
  '%20',
  '%41',
  '%7e',
  '%c3%a9',
  '%C0%AF',
  '%E2%82%AC',
  '%',
  '%4',
  '%zz',
  '\\',
  '//',
  '?',
  '&',
  '=',
  '+',
  '#',
  '|',
  '{',
  '}',
  '^',
  '`',
  '"',
  '<',
  ' ',
  '~',
  ':',
  '@',
  ',',
  "'",
  '(',
  ')',
  '!',
  '$',
  'é',
  '\u{1F600}',
  '\ud800',
  '\u0000',
  '_include=x',
  'a=b',
  'a%3Db',
  'http://x',
]

export const targetText: fc.Arbitrary<string> = fc.oneof(
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => `/${pieces.join('')}`),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => `/${Buffer.from(bytes).toString('latin1')}`),
  fc.webPath().map((path) => `/${path}`),
  fc.tuple(fc.webPath(), fc.webQueryParameters()).map(([path, query]) => `/${path}?${query}`),
)
