// The granular scope tests of Inferno's US Core test kit (us_core_v700_*_granular_scope_search_test, …_read_test), rewritten: what a
// launch with full scopes found is asked for again by GET and by POST, following every page, with the granular scopes of set 1 and
// set 2; the ids must equal the earlier ones filtered by the scopes, none missing, none besides. And its checks of patient references.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readDemoData } from '../../src/demo/demo-data.ts'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const CONDITION = 'http://terminology.hl7.org/CodeSystem/condition-category'
const OBSERVATION = 'http://terminology.hl7.org/CodeSystem/observation-category'
const US_CORE = 'http://hl7.org/fhir/us/core/CodeSystem'

const SETS: Readonly<Record<string, readonly string[]>> = {
  'set 1': [
    `patient/Condition.rs?category=${CONDITION}|encounter-diagnosis`,
    `patient/Condition.rs?category=${US_CORE}/condition-category|health-concern`,
    `patient/Observation.rs?category=${OBSERVATION}|laboratory`,
    `patient/Observation.rs?category=${OBSERVATION}|social-history`,
  ],
  'set 2': [
    `patient/Condition.rs?category=${CONDITION}|problem-list-item`,
    `patient/Observation.rs?category=${OBSERVATION}|vital-signs`,
    `patient/Observation.rs?category=${OBSERVATION}|survey`,
    `patient/Observation.rs?category=${US_CORE}/us-core-category|sdoh`,
  ],
}
const BESIDES = 'launch/patient openid fhirUser patient/Patient.rs patient/Encounter.rs'
const FULL = 'patient/Patient.rs patient/Condition.rs patient/Observation.rs'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

// biome-ignore lint/suspicious/noExplicitAny: resources as they come
type Resource = any

let store: FhirServer
let rig: Rig
let patient: string
let queries: Readonly<Record<'Condition' | 'Observation', readonly string[]>>
beforeAll(async () => {
  store = await startFhirServer({ packed: readDemoData(), pageSize: 10 })
  rig = await startRig({ map: fhirMap({ store: store.url }) })
  patient = await patientWithMost('Observation')
  queries = { Condition: await searchesOf('Condition'), Observation: await searchesOf('Observation') }
})
afterAll(async () => {
  await rig.close()
  await store.close()
})

async function patientWithMost(type: string): Promise<string> {
  const found = await all(await ask(`GET /fhir/R4/${type}?_count=1000`, `system/${type}.rs`), `system/${type}.rs`)
  const counts = new Map<string, number>()
  for (const { subject } of found) counts.set(subject.reference, (counts.get(subject.reference) ?? 0) + 1)
  const [[reference]] = [...counts].sort(([, a], [, b]) => b - a) as [[string, number]]
  return reference.replace('Patient/', '')
}

/** The searches of US Core's CapabilityStatement for the type, with values of the data, as the kit builds them. */
async function searchesOf(type: string): Promise<readonly string[]> {
  const found = await all(await ask(`GET /fhir/R4/${type}?patient=${patient}`, FULL), FULL)
  const by = `patient=${patient}`
  const categories = new Set<string>()
  for (const { category = [] } of found)
    for (const { coding } of category) for (const one of coding) categories.add(`${one.system}|${one.code}`)
  const [{ code, subject }] = found
  const token = `${code.coding[0].system}|${code.coding[0].code}`
  expect(subject.reference).toBe(`Patient/${patient}`)
  const searches = [by, `patient=Patient/${patient}`, `${by}&code=${token}`]
  for (const category of categories)
    searches.push(`${by}&category=${category}`, `${by}&category=${category.split('|')[1]}`)
  if (type === 'Observation')
    searches.push(`${by}&category=${OBSERVATION}|laboratory&date=ge2000`, `${by}&status=final`)
  else searches.push(`${by}&clinical-status=active`, `${by}&onset-date=ge2000-01-01T00:00:00Z`)
  return searches
}

function ask(line: string, scope: string, more: object = {}): Promise<Answer> {
  return rig.ask(line, {
    scope,
    claims: { patient: patient ?? 'unknown', fhirUser: `Patient/${patient ?? 'unknown'}` },
    ...more,
  })
}

async function all(first: Answer, scope: string): Promise<Resource[]> {
  const found: Resource[] = []
  for (let page = first; ; ) {
    expect(verdictOf(page)).toBe('200')
    found.push(...(page.json.entry ?? []).map(({ resource }: Resource) => resource))
    const next = page.json.link?.find(({ relation }: Resource) => relation === 'next')
    if (next === undefined) return found
    page = await ask(`GET ${new URL(next.url).pathname}`, scope)
  }
}

/** The same for both sets. */
const inFull = new Map<string, Promise<Resource[]>>()
function foundInFull(search: string): Promise<Resource[]> {
  const found = inFull.get(search) ?? ask(`GET /fhir/R4/${search}`, FULL).then((first) => all(first, FULL))
  inFull.set(search, found)
  return found
}

const ids = (found: readonly Resource[]): string[] => found.map(({ id }) => id).sort()

/** As the kit compares: the system exactly, the code without case. */
function isGranted({ resourceType, category = [] }: Resource, scopes: readonly string[]): boolean {
  return scopes.some((scope) => {
    const [, type, system, code] = /^patient\/(\w+)\.rs\?category=(.*)\|(.*)$/.exec(scope)!
    const has = (one: Resource): boolean => one.system === system && one.code.toLowerCase() === code!.toLowerCase()
    return type === resourceType && category.some(({ coding }: Resource) => coding.some(has))
  })
}

describe.each(Object.entries(SETS))('%s', (_, scopes) => {
  const granted = [BESIDES, ...scopes].join(' ')

  test.each(['Condition', 'Observation'] as const)('%s: searches by GET and by POST', async (type) => {
    for (const query of queries[type]) {
      const encoded = query.replaceAll('|', '%7C')
      const before = await foundInFull(`${type}?${encoded}`)
      const expected = ids(before.filter((one) => isGranted(one, scopes)))
      const byGet = await all(await ask(`GET /fhir/R4/${type}?${encoded}`, granted), granted)
      const byPost = await all(
        await ask(`POST /fhir/R4/${type}/_search`, granted, { headers: FORM, body: encoded }),
        granted,
      )
      expect([query, ids(byGet)]).toEqual([query, expected])
      expect([query, ids(byPost)]).toEqual([query, expected])
    }
  })

  test.each(['Condition', 'Observation'] as const)('%s: reads', async (type) => {
    const found = await all(await ask(`GET /fhir/R4/${type}?patient=${patient}`, FULL), FULL)
    for (const scope of scopes.filter((one) => one.includes(type))) {
      const matching = found.find((one) => isGranted(one, [scope]))
      if (matching !== undefined)
        expect((await ask(`GET /fhir/R4/${type}/${matching.id}`, granted)).json).toEqual(matching)
    }
    const other = found.find((one) => !isGranted(one, scopes))
    // Of the demo's Conditions all are encounter diagnoses.
    if (type === 'Condition' && other === undefined) return
    const refused = await ask(`GET /fhir/R4/${type}/${other.id}`, granted)
    expect([refused.status, refused.json.resourceType]).toEqual([404, 'OperationOutcome'])
  })

  test('types that were not granted are refused, never an empty Bundle', async () => {
    for (const type of ['AllergyIntolerance', 'Procedure', 'MedicationRequest', 'DocumentReference']) {
      expect((await ask(`GET /fhir/R4/${type}?patient=${patient}`, granted)).status).toBe(403)
    }
  })
})

describe('the single patient suite', () => {
  const scope = 'launch/patient patient/*.rs'
  const TYPES = [
    'AllergyIntolerance',
    'CarePlan',
    'Condition',
    'DiagnosticReport',
    'DocumentReference',
    'Encounter',
    'Immunization',
    'MedicationRequest',
    'Observation',
    'Procedure',
  ]

  test('patient=id, patient=Patient/id, by GET and by POST: the same count, and all of it the patient’s', async () => {
    for (const type of TYPES) {
      const forms = [patient, `Patient/${patient}`]
      const counts = new Set<number>()
      for (const value of forms) {
        const found = await all(await ask(`GET /fhir/R4/${type}?patient=${value}`, scope), scope)
        for (const { subject, patient: other } of found) expect((subject ?? other).reference).toBe(`Patient/${patient}`)
        const posted = await ask(`POST /fhir/R4/${type}/_search`, scope, { headers: FORM, body: `patient=${value}` })
        counts.add(found.length).add((await all(posted, scope)).length)
      }
      const direct = (await (await fetch(`${store.url}/${type}?patient=${patient}&_summary=count`)).json()) as Resource
      expect([type, [...counts]]).toEqual([type, [direct.total]])
    }
  })

  test('_revinclude=Provenance:target and _include=MedicationRequest:medication bring what they should', async () => {
    for (const query of [
      `Observation?patient=${patient}&_count=5&_revinclude=Provenance:target`,
      `MedicationRequest?patient=${patient}&_include=MedicationRequest:medication`,
    ]) {
      const keys = (bundle: Resource): string[] =>
        (bundle.entry ?? []).map(({ resource: one }: Resource) => `${one.resourceType}/${one.id}`).sort()
      const direct = await (await fetch(`${store.url}/${query}`)).json()
      expect(keys((await ask(`GET /fhir/R4/${query}`, scope)).json)).toEqual(keys(direct))
    }
  })

  test('_id, read, vread and history agree', async () => {
    const [one] = await all(await ask(`GET /fhir/R4/Condition?patient=${patient}`, scope), scope)
    for (const line of [`Condition?_id=${one.id}`, `Condition?_id=${one.id}&patient=${patient}`]) {
      expect(ids(await all(await ask(`GET /fhir/R4/${line}`, scope), scope))).toEqual([one.id])
    }
    expect((await ask(`GET /fhir/R4/Condition/${one.id}`, scope)).json).toEqual(one)
    expect((await ask(`GET /fhir/R4/Condition/${one.id}/_history/1`, scope)).json).toEqual(one)
    expect(ids(await all(await ask(`GET /fhir/R4/Condition/${one.id}/_history`, scope), scope))).toEqual([one.id])
  })
})
