// Every granular scope of US Core, under patient/, user/ and system/, in front of a store that really searches and of one that lies: what
// comes out is exactly what has the category (and is the patient's), by every door, page after page; a resource with two categories is
// there by either, one without any never is (spec §1.3, §1.6, §3).

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { lyingStore } from '../support/lying-store.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const OBSERVATION = 'http://terminology.hl7.org/CodeSystem/observation-category'
const CONDITION = 'http://terminology.hl7.org/CodeSystem/condition-category'
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem'

/** As the tables of US Core 7 give them; with their context they are scopes. */
const SCOPES = [
  `Condition.rs?category=${CONDITION}|encounter-diagnosis`,
  `Condition.rs?category=${CONDITION}|problem-list-item`,
  `Condition.rs?category=${US_CORE}/condition-category|health-concern`,
  `Observation.rs?category=${OBSERVATION}|laboratory`,
  `Observation.rs?category=${OBSERVATION}|social-history`,
  `Observation.rs?category=${OBSERVATION}|vital-signs`,
  `Observation.rs?category=${OBSERVATION}|survey`,
  `Observation.rs?category=${OBSERVATION}|imaging`,
  `Observation.rs?category=${OBSERVATION}|procedure`,
  `Observation.rs?category=${OBSERVATION}|clinical-test`,
  `Observation.rs?category=${US_CORE}/us-core-category|sdoh`,
  `Observation.rs?category=${US_CORE}/us-core-category|treatment-intervention-preference`,
  `Observation.rs?category=${US_CORE}/us-core-category|care-experience-preference`,
  'DiagnosticReport.rs?category=http://loinc.org|LP29684-5',
  'DiagnosticReport.rs?category=http://loinc.org|LP29708-2',
  'DiagnosticReport.rs?category=http://loinc.org|LP7839-6',
  'DiagnosticReport.rs?category=http://terminology.hl7.org/CodeSystem/v2-0074|LAB',
  `DocumentReference.rs?category=${US_CORE}/us-core-documentreference-category|clinical-note`,
  `ServiceRequest.rs?category=${US_CORE}/us-core-category|sdoh`,
  `ServiceRequest.rs?category=${US_CORE}/us-core-category|functional-status`,
  'ServiceRequest.rs?category=http://snomed.info/sct|surgical-procedure',
]
/** Misprinted in the table, and what was meant. */
const MISPRINTS: readonly (readonly [printed: string, meant: string])[] = [
  [`.Condition.rs?category=${CONDITION}|problem-list-item`, SCOPES[1]!],
  [`/Condition.rs?category=${US_CORE}/condition-category|health-concern\``, SCOPES[2]!],
  ['/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history', SCOPES[4]!],
  [
    '.Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category.html|social-history',
    SCOPES[4]!,
  ],
]

interface Coded {
  readonly resourceType: string
  readonly id: string
  readonly subject: { readonly reference: string }
  readonly category?: readonly { readonly coding: readonly { readonly system?: string; readonly code: string }[] }[]
}

const partsOf = (scope: string): { type: string; system: string; code: string } => {
  const [, type = '', system = '', code = ''] = /^(\w+)\.rs\?category=(.*)\|(.*)$/.exec(scope)!
  return { type, system, code }
}

/** For each scope: two that have it, the same code in another system and in none, two categories at once, none, and another patient's. */
const DATA: readonly Coded[] = SCOPES.flatMap((scope, i) => {
  const { type, system, code } = partsOf(scope)
  const other = partsOf(SCOPES[(i + 1) % SCOPES.length]!)
  const own = { coding: [{ system, code }] }
  const one = (id: string, patient: string, category?: Coded['category']): Coded => ({
    resourceType: type,
    id: `${type}-${i}-${id}`,
    subject: { reference: `Patient/${patient}` },
    ...(category === undefined ? {} : { category }),
  })
  return [
    one('a', 'p1', [own]),
    one('b', 'p1', [own]),
    one('foreign', 'p2', [own]),
    one('other-system', 'p1', [{ coding: [{ system: 'http://elsewhere.example', code }] }]),
    one('no-system', 'p1', [{ coding: [{ code }] }]),
    one('second', 'p1', [{ coding: [{ system: other.system, code: other.code }] }, own]),
    one('second-coding', 'p1', [
      {
        coding: [
          { system: other.system, code: other.code },
          { system, code },
        ],
      },
    ]),
    one('none', 'p1'),
    one('empty', 'p1', []),
  ]
})

const has = ({ resourceType, category = [] }: Coded, scope: string): boolean => {
  const { type, system, code } = partsOf(scope)
  return (
    resourceType === type &&
    category.some(({ coding }) => coding.some((one) => one.system === system && one.code === code))
  )
}
const isOf = ({ subject }: Coded, context: string): boolean =>
  context !== 'patient' || subject.reference === 'Patient/p1'
const idsOf = (some: readonly Coded[]): string[] => some.map(({ id }) => id).sort()
const expected = (context: string, ...scopes: string[]): string[] =>
  idsOf(DATA.filter((one) => isOf(one, context) && scopes.some((scope) => has(one, scope))))

let store: FhirServer
let honest: Rig
let lying: Rig
beforeAll(async () => {
  const resources: { resourceType: string; id: string }[] = [
    ...DATA,
    { resourceType: 'Patient', id: 'p1' },
    { resourceType: 'Patient', id: 'p2' },
  ]
  store = await startFhirServer({ resources, pageSize: 2 })
  honest = await startRig({ map: fhirMap({ store: store.url }) })
  lying = await startRig()
})
afterAll(async () => {
  await honest.close()
  await lying.close()
  await store.close()
})
beforeEach(() => {
  lying.upstream.reset()
  lying.upstream.script = lyingStore(DATA, () => `${lying.upstream.url}/base`)
})

const CLAIMS = { patient: 'p1', fhirUser: 'Practitioner/1' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

async function everyPage(rig: Rig, scope: string, first: Answer): Promise<string[]> {
  const found: string[] = []
  for (let page = first; ; ) {
    expect(verdictOf(page)).toBe('200')
    found.push(...idsIn(page.json))
    const next = page.json.link?.find(({ relation }: { relation: string }) => relation === 'next')
    if (next === undefined) return found.sort()
    page = await rig.ask(`GET ${new URL(next.url).pathname}`, { scope, claims: CLAIMS })
  }
}

function idsIn(bundle: { entry?: { resource: { id: string } }[] }): string[] {
  return (bundle.entry ?? []).map(({ resource }) => resource.id)
}

describe.each(['patient', 'user', 'system'])('%s/', (context) => {
  test.each(SCOPES)('%s', async (granular) => {
    const scope = `${context}/${granular}`
    const { type } = partsOf(granular)
    const all = expected(context, granular)
    expect(all.length).toBeGreaterThan(3)
    const asked = (rig: Rig, line: string, more = {}): Promise<Answer> =>
      rig.ask(line, { scope, claims: CLAIMS, ...more })
    for (const rig of [honest, lying]) {
      expect(await everyPage(rig, scope, await asked(rig, `GET /fhir/R4/${type}`))).toEqual(all)
      expect(
        await everyPage(rig, scope, await asked(rig, `POST /fhir/R4/${type}/_search`, { headers: FORM, body: '' })),
      ).toEqual(all)
      const entry = [{ request: { method: 'GET', url: `${type}?_count=1000` } }]
      const batch = await asked(rig, 'POST /fhir/R4', { body: { resourceType: 'Bundle', type: 'batch', entry } })
      expect(idsIn(batch.json.entry[0].resource).sort()).toEqual(all)
      const inCompartment = await asked(rig, `GET /fhir/R4/Patient/p1/${type}`)
      if (context === 'patient' || rig === honest)
        expect(await everyPage(rig, scope, inCompartment)).toEqual(expected('patient', granular))
    }
  })

  test.each(SCOPES)('reads by %s', async (granular) => {
    const scope = `${context}/${granular}`
    const { type } = partsOf(granular)
    const readable = new Set(expected(context, granular))
    for (const { resourceType, id } of DATA.filter(({ id }) => id.startsWith(`${type}-${SCOPES.indexOf(granular)}-`))) {
      for (const line of [
        `GET /fhir/R4/${resourceType}/${id}`,
        `HEAD /fhir/R4/${resourceType}/${id}`,
        `GET /fhir/R4/${resourceType}/${id}/_history/1`,
      ]) {
        const { status } = await honest.ask(line, { scope, claims: CLAIMS })
        expect([line, status]).toEqual([line, readable.has(id) ? 200 : 404])
      }
    }
    for (const other of new Set(DATA.map(({ resourceType }) => resourceType).filter((one) => one !== type))) {
      expect((await honest.ask(`GET /fhir/R4/${other}`, { scope, claims: CLAIMS })).status).toBe(403)
    }
  })

  test.each(MISPRINTS)('misprinted: %s', async (printed, meant) => {
    const scope = context + printed
    const answer = await lying.ask(`GET /fhir/R4/${partsOf(meant).type}`, { scope, claims: CLAIMS })
    expect(idsIn(answer.json).sort()).toEqual(expected(context, meant))
  })

  test('two of one type are a union, and one store search', async () => {
    const [one, other] = [SCOPES[0]!, SCOPES[2]!]
    const scope = `${context}/${one} ${context}/${other}`
    for (const rig of [honest, lying]) {
      const answer = await rig.ask('GET /fhir/R4/Condition', { scope, claims: CLAIMS })
      expect(await everyPage(rig, scope, answer)).toEqual(expected(context, one, other))
    }
    expect(lying.upstream.arrived).toHaveLength(1)
    const asked = new URL(lying.upstream.arrived[0]!.url, 'http://x').searchParams
    expect(asked.getAll('category')).toEqual([
      `${US_CORE}/condition-category|health-concern,${CONDITION}|encounter-diagnosis`,
    ])
    expect(asked.getAll('patient')).toEqual(context === 'patient' ? ['Patient/p1'] : [])
  })
})

describe('what the client asks for besides', () => {
  const scope = `patient/${SCOPES[3]}`
  const lab = expected('patient', SCOPES[3]!)

  test.each<[query: string, ids: readonly string[]]>([
    [`category=${OBSERVATION}|laboratory`, lab],
    ['category=laboratory', lab],
    [`category=${OBSERVATION}|`, lab],
    // Resources that have both; one category proves nothing about another.
    [`category=${OBSERVATION}|social-history`, lab.filter((id) => id.includes('second'))],
    [`category=${OBSERVATION}|survey`, []],
    [`category=${OBSERVATION}|survey,${OBSERVATION}|laboratory`, lab],
    ['category:not=social-history', lab.filter((id) => !id.includes('second'))],
    ['category:missing=true', []],
    ['category=', lab],
    ['patient=p1', lab],
    ['patient=Patient/p1', lab],
    ['patient=p1,p2', lab],
    ['subject=Patient/p1', lab],
    [`_id=${lab[0]}`, [lab[0]!]],
    ['_id=Observation-3-none', []],
    ['_elements=id', lab],
    ['_summary=true', lab],
    ['_total=accurate', lab],
  ])('%s', async (query, ids) => {
    const first = await honest.ask(`GET /fhir/R4/Observation?${query}`, { scope, claims: CLAIMS })
    expect(await everyPage(honest, scope, first)).toEqual([...ids])
    expect(first.json.total).toBeUndefined()
  })

  test.each([
    ['_summary=count', 'constraint-unenforceable'],
    ['_count=0', 'constraint-unenforceable'],
    ['patient=p2', 'patient-mismatch'],
    ['subject=Patient/p2', 'patient-mismatch'],
    ['subject.name=x', 'scope-insufficient'],
    ['_has:Provenance:target:agent=x', 'scope-insufficient'],
    ['_filter=code%20eq%20x', 'scope-insufficient'],
    ['_query=x', 'scope-insufficient'],
    ['_contained=true', 'scope-insufficient'],
    ['_list=1', 'scope-insufficient'],
  ])('%s is refused: %s', async (query, code) => {
    const answer = await lying.ask(`GET /fhir/R4/Observation?${query}`, { scope, claims: CLAIMS })
    expect(verdictOf(answer)).toBe(`403 ${code}`)
    expect(lying.upstream.arrived).toEqual([])
  })
})
