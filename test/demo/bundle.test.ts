import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, call, keys } from './fhir-client.ts'

let server: FhirServer
beforeEach(async () => {
  server = await startFhirServer({
    resources: [
      { resourceType: 'Patient', id: 'p', identifier: [{ system: 'urn:i', value: '1' }] },
      { resourceType: 'Practitioner', id: 'd', identifier: [{ system: 'urn:npi', value: '9' }] },
    ],
  })
})
afterEach(() => server.close())

const post = (type: string, entry: object[], headers: Record<string, string> = {}): Promise<Answer> =>
  call(server.url, { method: 'POST', body: { resourceType: 'Bundle', type, entry }, headers })
const statuses = ({ body }: Answer): string[] =>
  body.entry.map((e: { response: { status: string } }) => e.response.status)
const observation = (extra: object = {}) => ({ resourceType: 'Observation', status: 'final', ...extra })

test('entries of a batch stand alone and are answered in their order', async () => {
  const answer = await post('batch', [
    { request: { method: 'GET', url: 'Patient/p' } },
    { request: { method: 'GET', url: 'Patient/absent' } },
    { request: { method: 'POST', url: 'Observation' }, resource: observation() },
    { request: { method: 'GET', url: 'Patient?identifier=urn:i|1' } },
    { request: { method: 'DELETE', url: 'Patient/p', ifMatch: 'W/"5"' } },
    { request: { method: 'GET', url: 'Patient/p', ifNoneMatch: 'W/"1"' } },
    { request: { method: 'GET', url: 'https://elsewhere.example/fhir/Patient/p' } },
    { request: { method: 'POST', url: '/' }, resource: { resourceType: 'Bundle' } },
  ])
  expect(answer.status).toBe(200)
  expect(answer.body.type).toBe('batch-response')
  expect(statuses(answer)).toEqual(['200 OK', '404', '201 Created', '200 OK', '412', '304 Not Modified', '400', '400'])
  expect(answer.body.entry[0].resource.id).toBe('p')
  expect(answer.body.entry[1].response.outcome.resourceType).toBe('OperationOutcome')
  expect(answer.body.entry[2].response.location).toMatch(new RegExp(`^${server.url}/Observation/\\w+/_history/1$`))
  expect(answer.body.entry[3].resource.total).toBe(1)
})

describe('a transaction', () => {
  test('resolves urn:uuid and conditional references, in any order of the entries', async () => {
    const subject = { reference: 'urn:uuid:00000000-0000-4000-8000-000000000001' }
    const answer = await post('transaction', [
      {
        fullUrl: 'urn:uuid:00000000-0000-4000-8000-000000000002',
        request: { method: 'POST', url: 'Observation' },
        resource: observation({ subject, performer: [{ reference: 'Practitioner?identifier=urn:npi|9' }] }),
      },
      {
        fullUrl: subject.reference,
        request: { method: 'POST', url: 'Patient' },
        resource: { resourceType: 'Patient' },
      },
      { request: { method: 'GET', url: 'Observation?performer=Practitioner/d' } },
    ])
    expect(statuses(answer)).toEqual(['201 Created', '201 Created', '200 OK'])
    const [stored, created, searched] = answer.body.entry
    expect(stored.resource.subject.reference).toBe(`Patient/${created.resource.id}`)
    expect(stored.resource.performer[0].reference).toBe('Practitioner/d')
    expect(searched.resource.entry[0].resource.id).toBe(stored.resource.id)
  })

  test('ifNoneExist and conditional update make references to what is there already', async () => {
    const answer = await post('transaction', [
      {
        fullUrl: 'urn:uuid:00000000-0000-4000-8000-00000000000a',
        request: { method: 'POST', url: 'Patient', ifNoneExist: 'identifier=urn:i|1' },
        resource: { resourceType: 'Patient', active: false },
      },
      {
        fullUrl: 'urn:uuid:00000000-0000-4000-8000-00000000000b',
        request: { method: 'PUT', url: 'Practitioner?identifier=urn:npi|10' },
        resource: { resourceType: 'Practitioner', identifier: [{ system: 'urn:npi', value: '10' }] },
      },
      {
        request: { method: 'POST', url: 'Observation' },
        resource: observation({
          subject: { reference: 'urn:uuid:00000000-0000-4000-8000-00000000000a' },
          performer: [{ reference: 'urn:uuid:00000000-0000-4000-8000-00000000000b' }],
        }),
      },
    ])
    expect(statuses(answer)).toEqual(['200 OK', '201 Created', '201 Created'])
    const [, practitioner, stored] = answer.body.entry
    expect(stored.resource.subject.reference).toBe('Patient/p')
    expect(stored.resource.performer[0].reference).toBe(`Practitioner/${practitioner.resource.id}`)
  })

  test('is undone as a whole when one entry fails', async () => {
    const before = await call(`${server.url}/_history`)
    const answer = await post('transaction', [
      { request: { method: 'PUT', url: 'Patient/p' }, resource: { resourceType: 'Patient', id: 'p', active: true } },
      {
        request: { method: 'POST', url: 'Observation' },
        resource: observation({ subject: { reference: 'Patient/p' } }),
      },
      { request: { method: 'DELETE', url: 'Practitioner/d' } },
      { request: { method: 'PUT', url: 'Patient/wrong' }, resource: { resourceType: 'Patient', id: 'other' } },
    ])
    expect(answer.status).toBe(400)
    expect(answer.body.issue[0].diagnostics).toMatch(/^entry 3 \(PUT Patient\/wrong\)/)
    expect((await call(`${server.url}/Patient/p`)).body.meta.versionId).toBe('1')
    expect((await call(`${server.url}/Practitioner/d`)).status).toBe(200)
    expect(keys(await call(`${server.url}/Observation?patient=p`))).toEqual([])
    expect((await call(`${server.url}/_history`)).body.total).toBe(before.body.total)
  })

  test('deletes before it creates, and reads last', async () => {
    const answer = await post('transaction', [
      { request: { method: 'GET', url: 'Patient/p' } },
      { request: { method: 'PUT', url: 'Patient/p' }, resource: { resourceType: 'Patient', id: 'p', active: true } },
      { request: { method: 'DELETE', url: 'Practitioner/d' } },
    ])
    expect(answer.body.entry[0].resource.active).toBe(true)
    expect(statuses(answer)).toEqual(['200 OK', '200 OK', '204 No Content'])
  })

  test.each([
    ['a reference to no entry', { subject: { reference: 'urn:uuid:00000000-0000-4000-8000-0000000000ff' } }, 400],
    ['a conditional reference to nothing', { subject: { reference: 'Patient?identifier=urn:i|none' } }, 404],
  ])('refuses %s', async (_name, extra, status) => {
    const answer = await post('transaction', [
      { request: { method: 'POST', url: 'Observation' }, resource: observation(extra) },
    ])
    expect(answer.status).toBe(status)
    expect(keys(await call(`${server.url}/Observation`))).toEqual([])
  })

  test('a patch comes in a Binary', async () => {
    const data = Buffer.from(JSON.stringify([{ op: 'add', path: '/active', value: true }])).toString('base64')
    const resource = { resourceType: 'Binary', contentType: 'application/json-patch+json', data }
    const answer = await post('transaction', [{ request: { method: 'PATCH', url: 'Patient/p' }, resource }])
    expect(answer.body.entry[0].resource.active).toBe(true)
  })

  test('Prefer: return=minimal leaves the resources out', async () => {
    const entry = [{ request: { method: 'POST', url: 'Observation' }, resource: observation() }]
    expect((await post('transaction', entry, { prefer: 'return=minimal' })).body.entry[0].resource).toBeUndefined()
  })
})

test.each(['collection', 'history', 'document'])('a Bundle of type %s is no interaction', async (type) => {
  expect((await post(type, [])).status).toBe(400)
})
