// A transaction does all of it or nothing (R4 http §transaction): one that reads what its client may not see writes nothing, and does not
// tell what is somebody else's from what is not there, on servers that fail a transaction for a missing record too.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig('updateCreate: allow')
})
afterAll(() => rig.close())

const observation = (id: string, patient: string, status = 'final') => ({
  resourceType: 'Observation',
  id,
  status,
  subject: { reference: `Patient/${patient}` },
})
beforeEach(() => rig.fill([observation('own', 'p1'), observation('old', 'p1'), observation('foreign', 'p2')]))

const read = (url: string, method = 'GET') => ({ request: { method, url } })
const put = (id: string, status: string) => ({
  resource: observation(id, 'p1', status),
  request: { method: 'PUT', url: `Observation/${id}` },
})
const create = {
  resource: { ...observation('x', 'p1'), id: undefined },
  request: { method: 'POST', url: 'Observation' },
}
const remove = (id: string) => ({ request: { method: 'DELETE', url: `Observation/${id}` } })
const send = (entry: readonly object[], scope = 'patient/Observation.cruds', type = 'transaction'): Promise<Answer> =>
  rig.ask('POST /fhir/R4', { scope, claims: { patient: 'p1' }, body: { resourceType: 'Bundle', type, entry } })
const plain = ({ text }: Answer): string => text.replace(/"id":"[^"]*"/, '')

describe.each(['patient/Observation.cruds', 'system/Observation.cruds?patient=Patient/p1'])('%s', (scope) => {
  test.each([
    ['read', 'GET', ''],
    ['HEAD', 'HEAD', ''],
    ['vread', 'GET', '/_history/1'],
    ['history', 'GET', '/_history'],
  ])('%s of a foreign record, and of none', async (_, method, below) => {
    const answers: Answer[] = []
    for (const id of ['foreign', 'absent'])
      answers.push(await send([put('own', 'amended'), read(`Observation/${id}${below}`, method)], scope))
    expect(answers.map(verdictOf)).toEqual(['404 not-found', '404 not-found'])
    expect(plain(answers[0]!)).toBe(plain(answers[1]!))
    expect(rig.written()).toEqual([])
    expect(rig.stored('Observation', 'own').status).toBe('final')
  })
})

test('reads of own records go through', async () => {
  const answer = await send([
    read('Observation/own'),
    read('Observation/own/_history/1'),
    read('Observation/own/_history'),
    read('Observation?code=x'),
  ])
  expect(answer.json.entry.map(({ response }: { response: { status: string } }) => response.status)).toEqual(
    Array(4).fill('200 OK'),
  )
})

test('in a batch each is told at its place, and the others are done', async () => {
  const answer = await send([put('own', 'amended'), read('Observation/foreign')], undefined, 'batch')
  expect(answer.json.entry[1].response.status).toBe('404 Not Found')
  expect(rig.stored('Observation', 'own').status).toBe('amended')
})

describe('processing order: DELETE, POST, PUT, GET, whatever the order of the entries', () => {
  test('the entries go on in the order of the client, and are answered in it', async () => {
    const answer = await send([read('Observation/own'), put('own', 'amended'), create, remove('old')])
    const sent = JSON.parse(rig.upstream.arrived.at(-1)!.body.toString())
    expect(sent.entry.map(({ request }: { request: { method: string } }) => request.method)).toEqual([
      'GET',
      'PUT',
      'POST',
      'DELETE',
    ])
    expect(answer.json.entry.map(({ response }: { response: { status: string } }) => response.status)).toEqual([
      '200 OK',
      '200 OK',
      '201 Created',
      '204 No Content',
    ])
    // The read sees the write that stands behind it.
    expect(answer.json.entry[0].resource.status).toBe('amended')
  })

  test('what a transaction makes, it may read', async () => {
    const answer = await send([read('Observation/new'), put('new', 'final')])
    expect(answer.json.entry.map(({ resource }: { resource: { id: string } }) => resource.id)).toEqual(['new', 'new'])
  })

  test('two writes of one record have no order', async () => {
    expect(verdictOf(await send([put('own', 'amended'), remove('own')]))).toBe('400 body-invalid')
    expect(verdictOf(await send([remove('own'), put('own', 'amended')]))).toBe('400 body-invalid')
    expect(rig.written()).toEqual([])
  })

  test('a batch keeps its order, refused entries at their places', async () => {
    const entries = [read('Observation/own'), remove('foreign'), put('own', 'amended'), read('Condition/1'), create]
    const answer = await send(entries, undefined, 'batch')
    expect(
      answer.json.entry.map(({ response }: { response: { status: string } }) => response.status.slice(0, 3)),
    ).toEqual(['200', '404', '200', '403', '201'])
    expect(answer.json.entry[0].resource.status).toBe('final')
  })
})
