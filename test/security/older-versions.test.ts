// Histories and old versions: each version is judged by what it says itself. Others judged old versions by the current one, so that a
// record which had been somebody else's came out with its past, or let histories pass as reads of the type.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory'
const observation = (id: string, patient: string, code = 'laboratory') => ({
  resourceType: 'Observation',
  id,
  status: 'final',
  subject: { reference: `Patient/${patient}` },
  category: [{ coding: [{ system: LAB.split('|')[0]!, code }] }],
})

let store: FhirServer
let honest: Rig
let scripted: Rig
beforeAll(async () => {
  store = await startFhirServer({
    resources: [
      observation('moved-in', 'p2'),
      observation('moved-out', 'p1'),
      observation('own', 'p1'),
      observation('foreign', 'p2'),
      observation('recoded', 'p1'),
    ],
  })
  // Second versions: one came to the patient, one left, one lost its category; and one was deleted.
  await put(observation('moved-in', 'p1'))
  await put(observation('moved-out', 'p2'))
  await put(observation('recoded', 'p1', 'survey'))
  await put(observation('own', 'p1'))
  await fetch(`${store.url}/Observation/own`, { method: 'DELETE' })
  await fetch(`${store.url}/Observation/foreign`, { method: 'DELETE' })
  honest = await startRig({ map: fhirMap({ store: store.url }) })
  scripted = await startRig()
})
afterAll(async () => {
  await honest.close()
  await scripted.close()
  await store.close()
})
beforeEach(() => scripted.upstream.reset())

async function put(resource: { resourceType: string; id: string }): Promise<void> {
  const { status } = await fetch(`${store.url}/${resource.resourceType}/${resource.id}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/fhir+json' },
    body: JSON.stringify(resource),
  })
  expect(status).toBe(200)
}

const claims = { patient: 'p1' }
const RS = 'patient/Observation.rs'
const LAB_ONLY = `patient/Observation.rs?category=${LAB}`
const ask = (line: string, scope = RS, rig = honest): Promise<Answer> =>
  rig.ask(`GET /fhir/R4/${line}`, { scope, claims })

/** `id/version`, and `id deleted` for an entry without a resource. */
function versions({ json }: Answer): string[] {
  // biome-ignore lint/suspicious/noExplicitAny: entries as they come
  return (json.entry ?? []).map(({ resource, request }: any) =>
    resource === undefined ? `${request.method} ${request.url}` : `${resource.id}/${resource.meta?.versionId}`,
  )
}

test.each<[id: string, version: string, scope: string, status: number]>([
  ['moved-in', '1', RS, 404],
  ['moved-in', '2', RS, 200],
  ['moved-out', '1', RS, 200],
  ['moved-out', '2', RS, 404],
  ['recoded', '1', LAB_ONLY, 200],
  ['recoded', '2', LAB_ONLY, 404],
  ['foreign', '1', RS, 404],
  ['own', '1', RS, 200],
  ['own', '3', RS, 404],
])('%s version %s', async (id, version, scope, status) => {
  expect((await ask(`Observation/${id}/_history/${version}`, scope)).status).toBe(status)
})

test.each<[id: string, scope: string, found: readonly string[] | 404]>([
  ['moved-in', RS, ['moved-in/2']],
  ['moved-out', RS, ['moved-out/1']],
  ['recoded', RS, ['recoded/2', 'recoded/1']],
  ['recoded', LAB_ONLY, ['recoded/1']],
  // The deletion passes beside the version before it.
  ['own', RS, ['DELETE Observation/own', 'own/2', 'own/1']],
  ['foreign', RS, 404],
  ['never', RS, 404],
])('the history of %s', async (id, scope, found) => {
  const answer = await ask(`Observation/${id}/_history`, scope)
  if (found === 404) expect(verdictOf(answer)).toBe('404 not-found')
  else expect(versions(answer)).toEqual(found)
  expect(answer.json?.total).toBeUndefined()
})

test('the history of the type: each version by itself, and no deletions, because nothing tells whose they were', async () => {
  expect(versions(await ask('Observation/_history')).sort()).toEqual([
    'moved-in/2',
    'moved-out/1',
    'own/1',
    'own/2',
    'recoded/1',
    'recoded/2',
  ])
  expect(versions(await ask('Observation/_history', LAB_ONLY)).sort()).toEqual([
    'moved-in/2',
    'moved-out/1',
    'own/1',
    'own/2',
    'recoded/1',
  ])
})

test('a history of one needs `r`, of a type `s`, of everything `s` on everything', async () => {
  expect(verdictOf(await ask('Observation/own/_history', 'patient/Observation.s'))).toBe('403 scope-insufficient')
  expect(verdictOf(await ask('Observation/_history', 'patient/Observation.r'))).toBe('403 scope-insufficient')
  expect(verdictOf(await ask('_history', 'patient/Observation.rs'))).toBe('403 scope-insufficient')
  expect(versions(await ask('_history', 'patient/*.rs')).every((one) => !one.includes('foreign'))).toBe(true)
})

describe('a server that answers a history with something else', () => {
  const version = (resource: object, method = 'PUT') => ({
    resource,
    request: { method, url: 'Observation/own' },
    response: { status: '200' },
  })
  const deletion = (url: string) => ({
    request: { method: 'DELETE', url },
    response: { status: '204', lastModified: '2024-01-01T00:00:00Z' },
  })
  const history = (...entry: object[]) => {
    scripted.upstream.script = () => ({ body: { resourceType: 'Bundle', type: 'history', total: entry.length, entry } })
    return ask('Observation/own/_history', RS, scripted)
  }
  const own = observation('own', 'p1')

  test('other ids and other types are not part of it', async () => {
    const answer = await history(
      version(own),
      version(observation('other', 'p1')),
      version({ resourceType: 'Patient', id: 'own' }),
    )
    expect(versions(answer)).toEqual(['own/undefined'])
  })

  test('a deletion beside a version that is withheld, or beside none, is withheld', async () => {
    expect(verdictOf(await history(deletion('Observation/own'), version(observation('own', 'p2'))))).toBe(
      '404 not-found',
    )
    expect(verdictOf(await history(deletion('Observation/own')))).toBe('404 not-found')
    expect(
      versions(await history(version(own), deletion('Observation/own'), version(observation('own', 'p2')))),
    ).toEqual(['own/undefined'])
    expect(versions(await history(version(own), deletion('Observation/own')))).toEqual(['own/undefined'])
    expect(
      versions(await history(version(observation('own', 'p2')), deletion('Observation/own'), version(own))),
    ).toEqual(['DELETE Observation/own', 'own/undefined'])
  })

  test('an entry with neither a resource nor a deletion is nothing', async () => {
    expect(versions(await history({ fullUrl: 'x', response: { status: '200' } }, version(own)))).toEqual([
      'own/undefined',
    ])
  })
})
