// One intent, one verdict: a search is decided alike through every door by which it can be asked, and whoever is let through by
// one is let through by all.

import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Answer } from '../support/http-client.ts'
import { type Claims, type Rig, type RigAsk, startRig } from '../support/rig.ts'

interface Search {
  readonly type: string
  /** `name=value`, not encoded. */
  readonly parameters: readonly string[]
}

type Door = (search: Search) => readonly [line: string, ask: RigAsk]

const form = { 'content-type': 'application/x-www-form-urlencoded' }
const queryOf = (parameters: readonly string[]): string => parameters.map((one) => one.replaceAll(' ', '%20')).join('&')
const withQuery = (path: string, parameters: readonly string[]): string =>
  parameters.length === 0 ? path : `${path}?${queryOf(parameters)}`
const bundle = (type: string, method: string, url: string): RigAsk => ({
  body: {
    resourceType: 'Bundle',
    type,
    entry: [{ request: { method, url } }],
  },
})

const DOORS: Readonly<Record<string, Door>> = {
  GET: ({ type, parameters }) => [`GET /fhir/R4/${withQuery(type, parameters)}`, {}],
  HEAD: ({ type, parameters }) => [`HEAD /fhir/R4/${withQuery(type, parameters)}`, {}],
  'POST, all in the form': ({ type, parameters }) => [
    `POST /fhir/R4/${type}/_search`,
    { headers: form, body: queryOf(parameters) },
  ],
  'POST, all in the URL': ({ type, parameters }) => [
    `POST /fhir/R4/${withQuery(`${type}/_search`, parameters)}`,
    { headers: form, body: '' },
  ],
  'POST, split': ({ type, parameters }) => [
    `POST /fhir/R4/${withQuery(`${type}/_search`, parameters.slice(0, 1))}`,
    { headers: form, body: queryOf(parameters.slice(1)) },
  ],
  compartment: ({ type, parameters }) => [`GET /fhir/R4/${withQuery(`Patient/p1/${type}`, parameters)}`, {}],
  'compartment by POST': ({ type, parameters }) => [
    `POST /fhir/R4/Patient/p1/${type}/_search`,
    { headers: form, body: queryOf(parameters) },
  ],
  'batch entry': ({ type, parameters }) => ['POST /fhir/R4', bundle('batch', 'GET', withQuery(type, parameters))],
  'transaction entry': ({ type, parameters }) => [
    'POST /fhir/R4',
    bundle('transaction', 'GET', withQuery(type, parameters)),
  ],
  'batch entry by HEAD': ({ type, parameters }) => [
    'POST /fhir/R4',
    bundle('batch', 'HEAD', withQuery(type, parameters)),
  ],
}

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig.close())
beforeEach(() => {
  rig.upstream.reset()
  rig.upstream.script = () => ({ body: { resourceType: 'Bundle', type: 'searchset' } })
})

/** What HEAD can say too: the status and the scopes that would do. */
function verdictOf({ status, headers, json }: Answer): string {
  // A batch succeeds, and its one entry is refused.
  const { outcome, status: own } = json?.entry?.[0]?.response ?? {}
  if (outcome !== undefined) return `${own} ${/ do: (.*)$/.exec(outcome.issue[0].diagnostics)?.[1] ?? ''}`.trim()
  return `${status} ${/ scope="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1] ?? ''}`.trim()
}

async function verdicts(scope: string, search: Search, claims: Claims): Promise<Readonly<Record<string, string>>> {
  const asked = Object.entries(DOORS).map(async ([door, ask]) => {
    const [line, more] = ask(search)
    return [door, verdictOf(await rig.ask(line, { scope, claims, ...more }))] as const
  })
  return Object.fromEntries(await Promise.all(asked))
}

async function oneVerdict(scope: string, search: Search, claims: Claims = {}): Promise<string> {
  const all = await verdicts(scope, search, claims)
  expect(new Set(Object.values(all)).size, JSON.stringify({ scope, search, all })).toBe(1)
  return all['GET']!
}

const PLAIN: Search = { type: 'Observation', parameters: ['code=x'] }
const INCLUDING: Search = { type: 'Observation', parameters: ['code=x', '_include=Observation:encounter:Encounter'] }
const REVERSE: Search = { type: 'Observation', parameters: ['_revinclude=Provenance:target'] }
const CHAINED: Search = { type: 'Observation', parameters: ['encounter:Encounter.status=x', 'code=x'] }
const HAS: Search = { type: 'Encounter', parameters: ['_has:Observation:encounter:code=x'] }
const UNKNOWN: Search = { type: 'Observation', parameters: ['_unheard=x'] }

test.each<[scope: string, search: Search, verdict: string]>([
  ['system/Observation.s', PLAIN, '200'],
  ['system/Observation.rs', PLAIN, '200'],
  ['system/Observation.read', PLAIN, '200'],
  ['system/*.s', PLAIN, '200'],
  ['user/Observation.s', PLAIN, '200'],
  ['system/Observation.r', PLAIN, '403 system/Observation.s'],
  ['system/Observation.cud', PLAIN, '403 system/Observation.s'],
  ['system/Observation.write', PLAIN, '403 system/Observation.s'],
  ['system/Encounter.rs', PLAIN, '403 system/Observation.s'],
  ['user/Encounter.rs', PLAIN, '403 user/Observation.s'],
  ['openid', PLAIN, '403 system/Observation.s'],
  ['system/Observation.rs?', PLAIN, '403 system/Observation.s'],
  ['system/Observation.sr', PLAIN, '403 system/Observation.s'],
  ['system/Observation.s', INCLUDING, '403 system/Encounter.r system/Observation.s'],
  ['system/Observation.s system/Encounter.r', INCLUDING, '200'],
  ['system/Observation.s user/Encounter.s', INCLUDING, '200'],
  ['system/Observation.s', REVERSE, '403 system/Observation.s system/Provenance.s'],
  ['system/Observation.s system/Provenance.r', REVERSE, '403 system/Observation.s system/Provenance.s'],
  ['system/Observation.s system/Provenance.s', REVERSE, '200'],
  ['system/Observation.s', CHAINED, '403 system/Encounter.s system/Observation.s'],
  ['system/Observation.s system/Encounter.r', CHAINED, '403 system/Encounter.s system/Observation.s'],
  ['system/*.s', CHAINED, '200'],
  ['system/Encounter.rs', HAS, '403 system/Encounter.s system/Observation.s'],
  ['system/Encounter.s system/Observation.s', HAS, '200'],
  ['system/Observation.cruds', UNKNOWN, '403'],
])('%s, %j: %s', async (scope, search, verdict) => {
  expect(await oneVerdict(scope, search)).toBe(verdict)
})

const letters = fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 }).map((some) => some.join(''))
const scopes = fc
  .array(
    fc
      .tuple(
        fc.constantFrom('user', 'system', 'patient'),
        fc.constantFrom('Observation', 'Encounter', 'Provenance', 'Goal', '*'),
        letters,
      )
      .map(([context, type, some]) => `${context}/${type}.${some}`),
    { minLength: 1, maxLength: 4 },
  )
  .map((list) => list.join(' '))
const searches = fc.record({
  type: fc.constantFrom('Observation', 'Encounter', 'Goal'),
  parameters: fc.subarray(
    [
      'code=a|b',
      '_count=1',
      '_include=Observation:encounter',
      '_include=Observation:subject:Patient',
      '_include:iterate=Encounter:*',
      '_revinclude=Provenance:target',
      'encounter.status=x',
      'subject:Patient.name=x y',
      '_has:Observation:encounter:code=x',
      '_sort=-date',
      '_list=1',
      '_filter=code eq x',
      '_total=accurate',
      '_summary=count',
    ],
    { maxLength: 4 },
  ),
})

test('whatever the scopes and the search', async () => {
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(scopes, searches, async (scope, search) => {
      seen.add((await oneVerdict(scope, search, { patient: 'p1' })).slice(0, 3))
    }),
    { numRuns: 100 },
  )
  expect([...seen].sort()).toEqual(['200', '403'])
})

test('a patient scope that does not cover the type covers it through no door', async () => {
  const claims = { patient: 'p1' }
  for (const scope of [
    'patient/Goal.rs',
    'patient/Observation.r',
    'patient/Observation.cud',
    'patient/Observation.sr',
  ]) {
    expect(await oneVerdict(scope, PLAIN, claims)).toMatch(/^403/)
  }
  for (const scope of ['patient/Observation.rs', 'patient/*.rs']) {
    expect((await oneVerdict(scope, PLAIN, {})).slice(0, 3)).toBe('403')
  }
  expect(rig.upstream.arrived).toEqual([])
})
