// A Binary without a securityContext is opened by a DocumentReference of the same patient that has it for an attachment. Nobody opens
// somebody else's by pointing to it.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
let creating: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
  creating = await startStoreRig('updateCreate: allow')
})
afterAll(() => Promise.all([rig.close(), creating.close()]))

const BASE = 'https://api.example.org/fhir/R4'
const binary = (id: string, more: object = {}) => ({
  resourceType: 'Binary',
  id,
  contentType: 'text/plain',
  data: 'QQ==',
  ...more,
})
const document = (id: string | undefined, patient: string, urls: readonly string[], more: object = {}) => ({
  resourceType: 'DocumentReference',
  ...(id !== undefined && { id }),
  status: 'current',
  subject: { reference: `Patient/${patient}` },
  content: urls.map((url) => ({ attachment: { url } })),
  ...more,
})
const STORED = [
  ...['mine', 'also', 'theirs', 'loose', 'split'].map((id) => binary(id)),
  binary('bound', { securityContext: { reference: 'Patient/p2' } }),
  document('d1', 'p1', ['Binary/mine', `${BASE}/Binary/also`, 'Binary/bound']),
  document('d2', 'p2', ['Binary/theirs']),
  document('d3', 'p1', ['https://elsewhere.example.org/Binary/loose', 'Binary/loose2', 'xBinary/loose']),
  document('d4', 'p1', ['Binary/split'], { subject: { reference: '#p1' } }),
]
beforeEach(() => {
  rig.fill(STORED)
  creating.fill(STORED)
})

const READ = 'patient/Binary.r patient/DocumentReference.r'
const ask = (line: string, scope = READ, more: object = {}, on = rig): Promise<Answer> =>
  on.ask(line, { scope, claims: { patient: 'p1' }, ...more })

describe('reading', () => {
  test.each(['mine', 'also'])('%s: its JSON and its content', async (id) => {
    const json = await ask(`GET /fhir/R4/Binary/${id}`, READ, { headers: { accept: 'application/fhir+json' } })
    expect(json.json, json.text).toMatchObject({ resourceType: 'Binary', id })
    expect((await ask(`GET /fhir/R4/Binary/${id}`, READ, { headers: { accept: 'text/plain' } })).text).toBe('A')
  })

  test.each(['theirs', 'loose', 'split', 'bound', 'absent'])('%s: not there', async (id) => {
    expect(verdictOf(await ask(`GET /fhir/R4/Binary/${id}`))).toBe('404 not-found')
  })

  test.each([
    ['the referrer may not be read', 'patient/Binary.r'],
    ['it may not be read of this kind', 'patient/Binary.r patient/DocumentReference.r?status=superseded'],
    ['one filter of a scope is of the Binary', 'patient/Binary.r?_id=mine patient/DocumentReference.r'],
    ['it may be made up by this client', 'patient/Binary.r patient/DocumentReference.r system/DocumentReference.c'],
    ['or changed', 'patient/Binary.r patient/DocumentReference.r system/DocumentReference.u'],
    [
      'or made up of one kind',
      'patient/Binary.r patient/DocumentReference.r system/DocumentReference.c?status=current',
    ],
  ])('where %s: not there', async (_, scope) => {
    expect(verdictOf(await ask('GET /fhir/R4/Binary/mine', scope))).toBe('404 not-found')
  })

  test('a server that ignores the search opens nothing', async () => {
    rig.before = ({ url }) =>
      url.includes('/DocumentReference?')
        ? {
            body: {
              resourceType: 'Bundle',
              type: 'searchset',
              entry: STORED.slice(6).map((resource) => ({ resource })),
            },
          }
        : undefined
    for (const id of ['theirs', 'loose', 'split'])
      expect(verdictOf(await ask(`GET /fhir/R4/Binary/${id}`))).toBe('404 not-found')
    expect((await ask('GET /fhir/R4/Binary/mine')).status).toBe(200)
  })

  test('nor one that does not know it', async () => {
    rig.before = ({ url }) => (url.includes('/DocumentReference?') ? { status: 400, body: {} } : undefined)
    expect(verdictOf(await ask('GET /fhir/R4/Binary/mine'))).toBe('404 not-found')
  })
})

describe('pointing to one', () => {
  const WRITE = `${READ} patient/DocumentReference.cu`
  const body = (id: string | undefined, urls: readonly string[]) => ({ body: document(id, 'p1', urls) })
  const PATCH = { 'content-type': 'application/json-patch+json' }

  test.each(['Binary/theirs', `${BASE}/Binary/theirs`, 'Binary/theirs/_history/1', '/Binary/theirs', 'Binary/absent'])(
    'that is not open to the writer is refused: %s',
    async (url) => {
      const value = [{ attachment: { url } }]
      const answers = [
        await ask('POST /fhir/R4/DocumentReference', WRITE, body(undefined, [url])),
        await ask('PUT /fhir/R4/DocumentReference/d1', WRITE, body('d1', ['Binary/mine', url])),
        await ask('PUT /fhir/R4/DocumentReference/new', WRITE, body('new', [url]), creating),
        await ask('PATCH /fhir/R4/DocumentReference/d1', WRITE, {
          headers: PATCH,
          body: [{ op: 'add', path: '/content', value }],
        }),
        await ask('POST /fhir/R4', WRITE, {
          body: {
            resourceType: 'Bundle',
            type: 'transaction',
            entry: [
              { resource: document(undefined, 'p1', [url]), request: { method: 'POST', url: 'DocumentReference' } },
            ],
          },
        }),
      ]
      expect(answers.map(verdictOf)).toEqual(Array(5).fill('403 scope-insufficient'))
      expect([...rig.written(), ...creating.written()]).toEqual([])
    },
  )

  test('that is open, or was there already, is made', async () => {
    expect((await ask('POST /fhir/R4/DocumentReference', WRITE, body(undefined, ['Binary/mine']))).status).toBe(201)
    expect((await ask('PUT /fhir/R4/DocumentReference/d1', WRITE, body('d1', ['Binary/bound']))).status).toBe(200)
    expect(
      (await ask('POST /fhir/R4/DocumentReference', WRITE, body(undefined, ['https://elsewhere.example.org/a'])))
        .status,
    ).toBe(201)
  })

  test('a writer who is tied to no patient points where it will', async () => {
    const scope = 'system/DocumentReference.cu?status=current'
    expect((await ask('POST /fhir/R4/DocumentReference', scope, body(undefined, ['Binary/theirs']))).status).toBe(201)
  })

  test('needs r on Binary', async () => {
    const scope = 'patient/DocumentReference.crus'
    expect(verdictOf(await ask('POST /fhir/R4/DocumentReference', scope, body(undefined, ['Binary/mine'])))).toBe(
      '403 scope-insufficient',
    )
    expect(rig.upstream.arrived).toEqual([])
  })
})
