// The filter of a scope and the filters of the client: neither may weaken the other, and what cannot be evaluated grants nothing. Others
// dropped a filter that they did not know, joined the filters of two scopes by AND or by a cross product, lost one of two clauses on
// one path, let the client's clause stand in for theirs, and answered forbidden questions by chains, one bit at a time.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { lyingStore } from '../support/lying-store.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const coded = (...codes: string[]) => codes.map((code) => ({ coding: [{ system: 'http://x.example', code }] }))
const observation = (id: string, patient: string, category: string[], code: string, more: object = {}) => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  subject: { reference: `Patient/${patient}` },
  category: coded(...category),
  code: coded(code)[0],
  ...more,
})
const DATA = [
  { resourceType: 'Patient', id: 'p1', name: [{ family: 'Own' }] },
  { resourceType: 'Patient', id: 'p2', name: [{ family: 'Other' }] },
  observation('ax', 'p1', ['a'], 'x', { meta: { tag: [{ system: 'http://t', code: 'one' }] } }),
  observation('ay', 'p1', ['a'], 'y', { meta: { tag: [{ system: 'http://t', code: 'two' }] } }),
  observation('bx', 'p1', ['b'], 'x'),
  observation('by', 'p1', ['b'], 'y'),
  observation('abx', 'p1', ['a', 'b'], 'x'),
  observation('none', 'p1', [], 'z'),
  observation('foreign', 'p2', ['a'], 'x', { meta: { tag: [{ system: 'http://t', code: 'one' }] } }),
]

let store: FhirServer
let honest: Rig
let lying: Rig
beforeAll(async () => {
  store = await startFhirServer({ resources: DATA })
  honest = await startRig({ map: fhirMap({ store: store.url }) })
  lying = await startRig()
  lying.upstream.script = lyingStore(DATA, () => `${lying.upstream.url}/base`)
})
afterAll(async () => {
  await honest.close()
  await lying.close()
  await store.close()
})

const claims = { patient: 'p1', fhirUser: 'Practitioner/1' }
const ask = (rig: Rig, query: string, scope: string): Promise<Answer> =>
  rig.ask(`GET /fhir/R4/Observation${query}`, { scope, claims })

function ids({ json }: Answer): string[] {
  return (json.entry ?? []).map(({ resource }: { resource: { id: string } }) => resource.id).sort()
}

async function both(query: string, scope: string): Promise<readonly string[][]> {
  return [ids(await ask(honest, query, scope)), ids(await ask(lying, query, scope))]
}

describe('a filter that cannot be evaluated makes the scope grant nothing, never the whole type', () => {
  test.each([
    'nosuch=x',
    'Category=a',
    'value-quantity=gt5',
    'code-value-quantity=x$gt5',
    'near=1|2|3',
    'category=a&nosuch=x',
    'category:not=a',
    'category:in=x',
    'subject.name=x',
    'subject:Patient.name=x',
    '_has:Provenance:target:agent=x',
    '_include=Observation:subject',
    '_filter=x',
    '_text=x',
    'category=',
    'category==a',
    'category=a%5Cb',
    'date=2024-13',
    'date=ap2024',
    'category=|',
    'category=http://x.example%7Ca%7Cb',
  ])('%s', async (filter) => {
    for (const context of ['patient', 'user', 'system']) {
      const scope = `${context}/Observation.rs?${filter}`
      expect(verdictOf(await ask(lying, '', scope))).toBe('403 scope-insufficient')
      // And it takes nothing from one that does.
      expect(ids(await ask(lying, '', `${scope} patient/Observation.rs?code=y`))).toEqual(['ay', 'by'])
    }
  })
})

describe('several granular scopes are a union', () => {
  const scope = (...filters: string[]): string => filters.map((one) => `patient/Observation.rs?${one}`).join(' ')
  test.each<[scopes: string, found: readonly string[]]>([
    [scope('category=a', 'category=b'), ['abx', 'ax', 'ay', 'bx', 'by']],
    // By different parameters: an OR, not an AND.
    [scope('category=a', 'code=y'), ['abx', 'ax', 'ay', 'by']],
    // Each with two parameters: pairs, and no cross product.
    [scope('category=a&code=x', 'category=b&code=y'), ['abx', 'ax', 'by']],
    [scope('category=a&code=y', 'category=b&code=x'), ['abx', 'ay', 'bx']],
    // A repeated parameter is an AND, a list is an OR.
    [scope('category=a&category=b'), ['abx']],
    [scope('category=a,b'), ['abx', 'ax', 'ay', 'bx', 'by']],
    [scope('category=a&code=x,y'), ['abx', 'ax', 'ay']],
    // Of different contexts, each with its own reach.
    ['patient/Observation.rs?category=b user/Observation.rs?category=a', ['abx', 'ax', 'ay', 'bx', 'by', 'foreign']],
    ['patient/Observation.rs?category=a user/Observation.rs?category=b', ['abx', 'ax', 'ay', 'bx', 'by']],
    // A plain one absorbs it.
    [scope('category=a').concat(' patient/Observation.rs'), ['abx', 'ax', 'ay', 'bx', 'by', 'none']],
  ])('%s', async (scopes, found) => {
    expect(await both('', scopes)).toEqual([found, found])
  })
})

describe('the client’s own clauses stand beside those of the scope', () => {
  const scope = 'patient/Observation.rs?_tag=http://t|one'
  test.each<[query: string, scope: string, found: readonly string[]]>([
    ['?_tag=http://t|two', scope, []],
    ['?_tag=http://t|one', scope, ['ax']],
    ['?_tag=http://t|one,http://t|two', scope, ['ax']],
    ['?_tag:not=http://t|one', scope, []],
    ['?category=b', 'patient/Observation.rs?category=a', ['abx']],
    ['?category=b&category=a', 'patient/Observation.rs?category=a', ['abx']],
    ['?category=a,b', 'patient/Observation.rs?category=a', ['abx', 'ax', 'ay']],
    ['?category:missing=true', 'patient/Observation.rs?category=a', []],
    ['?category:missing=false', 'patient/Observation.rs?category=a', ['abx', 'ax', 'ay']],
    ['?category:not=b', 'patient/Observation.rs?category=a', ['ax', 'ay']],
    ['?subject=Patient/p1', 'patient/Observation.rs', ['abx', 'ax', 'ay', 'bx', 'by', 'none']],
    ['?subject=Patient/p1,Patient/p2', 'patient/Observation.rs', ['abx', 'ax', 'ay', 'bx', 'by', 'none']],
    ['?performer=Patient/p1', 'patient/Observation.rs', []],
    ['?subject:missing=true', 'patient/Observation.rs', []],
  ])('%s', async (query, scopes, found) => {
    expect(ids(await ask(honest, query, scopes))).toEqual(found)
  })

  test.each(['?patient=p2', '?subject=Patient/p2', '?subject:Patient=p2', '?patient=Patient/p2&patient=Patient/p1'])(
    'another patient is never asked for: %s',
    async (query) => {
      const before = lying.upstream.arrived.length
      expect(verdictOf(await ask(lying, query, 'patient/Observation.rs'))).toBe('403 patient-mismatch')
      expect(lying.upstream.arrived.length).toBe(before)
    },
  )
})

describe('questions about what may not be seen', () => {
  const scope = 'patient/Patient.rs patient/Observation.rs?category=a'
  test.each([
    'Patient?_has:Observation:patient:code=x',
    'Patient?_id=p1&_has:Observation:subject:code-value-quantity=x$gt3',
    'Patient?_has:Observation:patient:_has:Provenance:target:agent=x',
    'Observation?subject.name=Oth',
    'Observation?subject:Patient.family=Oth',
    'Observation?patient.general-practitioner.name=x',
    'Observation?_sort=subject.name',
    'Observation?_filter=code%20eq%20x',
    'Observation?_query=everything',
    'Observation?_list=1',
    'Observation?_contained=true',
    'Observation?_HAS:Provenance:target:agent=x',
    'Observation?_Include=Observation:subject',
    'Patient?_id=p1&_include:iterate=Observation:subject&_has:Observation:patient:code=x',
  ])('%s', async (query) => {
    const before = lying.upstream.arrived.length
    const answer = await lying.ask(`GET /fhir/R4/${query}`, { scope, claims })
    expect(verdictOf(answer)).toMatch(/^(403 (scope-insufficient|constraint-unenforceable)|400 target-ambiguous)$/)
    expect(lying.upstream.arrived.length).toBe(before)
  })
})
