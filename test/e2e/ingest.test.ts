// An ingest client pushes whole transactions with conditional references by `cms.fhir.bundle.push` alone, and reads nothing by it.
// The sample is one patient made with Synthea 3.3.0 (The MITRE Corporation, Apache-2.0, seed 42); no real person.

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const SAMPLE = gunzipSync(readFileSync(new URL('samples/synthea-patient.json.gz', import.meta.url))).toString()
const GRANTS = `grants:
  cms.fhir.bundle.push: { scope: "system/*.cu", via: [bundle], criteria: true }
  plain.push: { scope: "system/*.cu", via: [bundle] }`
const CATALOGUE = `scopes:
  FHIR:
    cms.fhir.bundle.push: { description: Push., credentials: [oauth2] }
    plain.push: { description: Push without criteria., credentials: [oauth2] }`

let store: FhirServer
let rig: Rig
beforeAll(async () => {
  store = await startFhirServer({ resources: referredTo(SAMPLE) })
  rig = await startRig({ map: fhirMap({ store: store.url, route: GRANTS, more: CATALOGUE }) })
})
afterAll(async () => {
  await rig.close()
  await store.close()
})

/** What the conditional references of the sample find. */
function referredTo(sample: string) {
  const queries = new Set(sample.match(/[A-Z][A-Za-z]+\?identifier=[^"]+/g))
  return [...queries].map((query, index) => {
    const [, resourceType = '', system = '', value = ''] = /^(\w+)\?identifier=(.*)\|(.*)$/.exec(query)!
    return { resourceType, id: `known-${index}`, identifier: [{ system, value }] }
  })
}

const entries = (text: string): number => JSON.parse(text).entry.length
const stored = (type: string): number => store.store.resources.count(type)

test('without criteria nothing of it goes upstream', async () => {
  const answer = await rig.ask('POST /fhir/R4', { scope: 'plain.push', body: SAMPLE })
  expect(verdictOf(answer)).toBe('403 scope-insufficient')
  expect(answer.headers['www-authenticate']).toContain(' system/Practitioner.s ')
  expect(stored('Patient')).toBe(0)
})

test('with it all of the Bundle is stored, and no resource comes back', async () => {
  const answer = await rig.ask('POST /fhir/R4', {
    scope: 'cms.fhir.bundle.push',
    body: SAMPLE,
    headers: { Prefer: 'return=representation' },
  })
  expect(answer.status, answer.text).toBe(200)
  expect(answer.json.entry.map(({ response }: { response: { status: string } }) => response.status)).toEqual(
    Array(entries(SAMPLE)).fill('201 Created'),
  )
  expect(answer.text).not.toContain('"resource"')
  expect(stored('Patient')).toBe(1)
  const [encounter] = store.store.resources.all('Encounter')
  expect(encounter!.json).toContain('"reference":"Practitioner/known-')
})

test('a conditional create tells by its status that a match existed, and shows nothing of it', async () => {
  const identifier = 'identifier=http://hl7.org/fhir/sid/us-npi|9999981498'
  const resource = { resourceType: 'Practitioner', name: [{ family: 'New' }] }
  const entry = { resource, request: { method: 'POST', url: 'Practitioner', ifNoneExist: identifier } }
  const body = { resourceType: 'Bundle', type: 'batch', entry: [entry] }
  const answer = await rig.ask('POST /fhir/R4', { scope: 'cms.fhir.bundle.push', body })
  expect(answer.json.entry).toEqual([{ response: expect.objectContaining({ status: '200 OK' }) }])
})

test('it opens no other door', async () => {
  for (const [line, body] of [
    ['GET /fhir/R4/Patient', undefined],
    ['POST /fhir/R4/Patient', { resourceType: 'Patient' }],
    ['PUT /fhir/R4/Patient?identifier=1', { resourceType: 'Patient' }],
  ] as const) {
    const answer = await rig.ask(line, { scope: 'cms.fhir.bundle.push', ...(body && { body }) })
    expect(verdictOf(answer), line).toBe('403 scope-insufficient')
  }
})
