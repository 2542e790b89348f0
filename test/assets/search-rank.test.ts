import { expect, test } from 'vitest'

interface Entry {
  readonly title: string
  readonly more: string
  readonly weight?: number
}

const SCRIPT = new URL('../../assets/scope-reference/search-rank.js', import.meta.url).href
const { rank } = (await import(SCRIPT)) as { rank(query: string, entries: readonly Entry[]): number[] }

const ENTRIES: readonly Entry[] = [
  { title: 'Prime Wearables', more: '', weight: 1 },
  {
    title: 'prime.ingest.write',
    more: 'Prime Wearables Deliver telemetry of wearables. POST /prime/v1/wearables/events',
  },
  { title: 'prime.alerts.read', more: 'Prime Wearables Read alerts. GET /prime/v1/alerts' },
  { title: 'SMART on FHIR', more: '', weight: 1 },
  { title: 'patient/Observation.read', more: 'SMART on FHIR Read vital signs of the launch patient.' },
  { title: 'user/*.write', more: 'SMART on FHIR Create, update and delete.' },
  { title: 'cms.fhir.r4.read', more: 'FHIR Platform API key Self-service' },
  // The letters of `vital`, but far from each other.
  { title: 'velocity.clearinghouse.eligibility', more: 'Velocity RCM' },
]

const found = (query: string): string[] => rank(query, ENTRIES).map((index) => ENTRIES[index]!.title)

test.each<[string, string[]]>([
  ['', ENTRIES.map(({ title }) => title)],
  ['wear', ['Prime Wearables', 'prime.ingest.write', 'prime.alerts.read']],
  ['WEARABLES alerts', ['prime.alerts.read']],
  ['obs', ['patient/Observation.read']],
  ['vital', ['patient/Observation.read']],
  ['patobs', ['patient/Observation.read']],
  ['pingw', ['prime.ingest.write']],
  ['user/*', ['user/*.write']],
  ['api key', ['cms.fhir.r4.read']],
  ['zzz', []],
  ['wear zzz', []],
])('%s', (query, titles) => {
  expect(found(query)).toEqual(titles)
})

test('a whole word counts more than the beginning of one, and the title more than the rest', () => {
  expect(found('fhir')[0]).toBe('SMART on FHIR')
  expect(found('read')[0]).toBe('prime.alerts.read')
  expect(found('write').slice(0, 2)).toEqual(['prime.ingest.write', 'user/*.write'])
})
