// A FHIR document is a Bundle that carries records of many types, and says nothing of whose it is: under patient/ and other limits no
// stored one is seen, found, written, sent or subscribed to, and one that `$document` makes is judged entry by entry (spec §2.5, §4.4).

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, entryVerdicts, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig(
    'operations: { "Composition/{id}/$document": { requires: "Composition.r", methods: [GET] } }',
  )
})
afterAll(() => rig.close())

const composition = (id: string, patient: string) => ({
  resourceType: 'Composition',
  id,
  status: 'final',
  subject: { reference: `Patient/${patient}` },
  title: `SECRET of ${patient}`,
})
const document = (id: string, patient: string) => ({
  resourceType: 'Bundle',
  id,
  type: 'document',
  entry: [{ fullUrl: 'urn:uuid:9b43a3a5-9ad4-43a4-9b32-e0a9d1ce8a02', resource: composition(`c-${id}`, patient) }],
})
beforeEach(() => rig.fill([document('own', 'p1'), document('foreign', 'p2'), composition('c1', 'p1')]))

const ask = (line: string, scope: string, body?: object): Promise<Answer> =>
  rig.ask(line, { scope, claims: { patient: 'p1' }, ...(body === undefined ? {} : { body }) })

describe.each(['patient/*.cruds', 'patient/Bundle.cruds patient/Composition.cruds', 'patient/Composition.cruds'])(
  '%s',
  (scope) => {
    test.each([
      ['a read', 'GET /fhir/R4/Bundle/own', undefined],
      ['a version', 'GET /fhir/R4/Bundle/own/_history/1', undefined],
      ['a history', 'GET /fhir/R4/Bundle/own/_history', undefined],
      ['a search', 'GET /fhir/R4/Bundle?type=document', undefined],
      ['a search for what is in it', 'GET /fhir/R4/Bundle?composition.patient=Patient/p1', undefined],
      ['a create', 'POST /fhir/R4/Bundle', { ...document('x', 'p1'), id: undefined }],
      ['an update', 'PUT /fhir/R4/Bundle/own', document('own', 'p1')],
      ['an update of a foreign one', 'PUT /fhir/R4/Bundle/foreign', document('foreign', 'p1')],
      ['a patch', 'PATCH /fhir/R4/Bundle/own', [{ op: 'remove', path: '/entry/0' }]],
      ['a deletion', 'DELETE /fhir/R4/Bundle/own', undefined],
    ])('%s', async (_, line, body) => {
      const answer = await ask(line, scope, body)
      expect(answer.status).toBe(403)
      expect(answer.text).not.toContain('SECRET')
      expect(rig.upstream.arrived).toEqual([])
    })

    test('as entries', async () => {
      const entry = [
        { request: { method: 'GET', url: 'Bundle/own' } },
        { request: { method: 'POST', url: 'Bundle' }, resource: { ...document('x', 'p1'), id: undefined } },
        { request: { method: 'PUT', url: 'Bundle/own' }, resource: document('own', 'p1') },
      ]
      const send = (type: string) => ask('POST /fhir/R4', scope, { resourceType: 'Bundle', type, entry })
      expect(entryVerdicts(await send('batch'))).toEqual(Array(3).fill('403 scope-insufficient'))
      expect(verdictOf(await send('transaction'))).toBe('403 scope-insufficient')
      expect(rig.upstream.arrived).toEqual([])
    })
  },
)

test.each(['patient/*.cruds', 'system/*.cruds'])('sent to the base with %s: it is no interaction', async (scope) => {
  expect(verdictOf(await ask('POST /fhir/R4', scope, document('x', 'p1')))).toBe('400 body-invalid')
  expect(rig.upstream.arrived).toEqual([])
})

test('within granular limits a stored one is looked at by nobody', async () => {
  const answers = [
    await ask('GET /fhir/R4/Bundle/own', 'system/Bundle.rs?type=document'),
    await ask('GET /fhir/R4/Bundle?type=document', 'system/Bundle.rs?type=document'),
  ]
  for (const { text } of answers) expect(text).not.toContain('SECRET')
})

test('a scope on every Bundle reads it, whoever it is about', async () => {
  expect((await ask('GET /fhir/R4/Bundle/foreign', 'system/Bundle.r')).json).toMatchObject(document('foreign', 'p2'))
})

describe('$document', () => {
  const made = {
    resourceType: 'Bundle',
    type: 'document',
    entry: [
      { resource: composition('c1', 'p1') },
      { resource: { resourceType: 'Observation', id: 'o1', subject: { reference: 'Patient/p1' } } },
      { resource: { resourceType: 'Observation', id: 'STRANGE', subject: { reference: 'Patient/p2' } } },
      { resource: document('NESTED', 'p2') },
    ],
  }
  beforeEach(() => {
    rig.before = ({ url }) => (url.includes('$document') ? { body: made } : undefined)
  })
  const typesIn = ({ json }: Answer) =>
    json.entry.map(({ resource }: { resource: { resourceType: string } }) => resource.resourceType)

  test('holds what the scopes cover, and nothing else', async () => {
    const both = await ask('GET /fhir/R4/Composition/c1/$document', 'patient/Composition.r patient/Observation.r')
    expect(typesIn(both)).toEqual(['Composition', 'Observation'])
    expect(both.text).not.toMatch(/STRANGE|NESTED/)
    const one = await ask('GET /fhir/R4/Composition/c1/$document', 'patient/Composition.r')
    expect(typesIn(one)).toEqual(['Composition'])
  })

  test('is not made of what is foreign', async () => {
    rig.fill([composition('c1', 'p2')])
    const answer = await ask('GET /fhir/R4/Composition/c1/$document', 'patient/Composition.r')
    expect(verdictOf(answer)).toBe('404 not-found')
    expect(rig.upstream.arrived.map(({ url }) => url)).toEqual(['/base/Composition/c1'])
  })
})
