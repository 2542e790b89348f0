import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Call, call, keys } from './fhir-client.ts'

let server: FhirServer
beforeAll(async () => {
  server = await startFhirServer({ record: true })
})
afterAll(() => server.close())

const at = (path: string, options?: Call) => call(`${server.url}/${path}`, options)
const patient = (extra: object = {}) => ({ resourceType: 'Patient', ...extra })
const JSON_PATCH = { 'content-type': 'application/json-patch+json' }

test('a resource is created, read, changed, deleted and brought back', async () => {
  const created = await at('Patient', {
    method: 'POST',
    body: patient({ id: 'mine', meta: { versionId: '9', tag: [{ code: 't' }] } }),
  })
  expect(created.status).toBe(201)
  const { id } = created.body
  expect(id).not.toBe('mine')
  expect(created.body.meta).toMatchObject({ versionId: '1', tag: [{ code: 't' }] })
  expect(created.headers.get('etag')).toBe('W/"1"')
  expect(created.headers.get('location')).toBe(`${server.url}/Patient/${id}/_history/1`)

  const read = await at(`Patient/${id}`)
  expect(read.body).toEqual(created.body)
  expect(read.headers.get('content-type')).toBe('application/fhir+json;charset=utf-8')
  expect(Date.parse(read.headers.get('last-modified')!)).toBeLessThanOrEqual(Date.parse(read.body.meta.lastUpdated))

  const updated = await at(`Patient/${id}`, { method: 'PUT', body: patient({ id, active: true }) })
  expect([updated.status, updated.body.meta.versionId, updated.headers.get('etag')]).toEqual([200, '2', 'W/"2"'])
  expect((await at(`Patient/${id}/_history/1`)).body.active).toBeUndefined()
  expect((await at(`Patient/${id}/_history/9`)).status).toBe(404)

  expect((await at(`Patient/${id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await at(`Patient/${id}`)).status).toBe(410)
  expect((await at(`Patient/${id}/_history/3`)).status).toBe(410)
  expect(keys(await at(`Patient?_id=${id}`))).toEqual([])
  expect((await at(`Patient/${id}`, { method: 'DELETE' })).status).toBe(204)

  const back = await at(`Patient/${id}`, { method: 'PUT', body: patient({ id }) })
  expect([back.status, back.body.meta.versionId]).toEqual([201, '4'])
  const history = await at(`Patient/${id}/_history`)
  expect(history.body.entry.map((e: { request: { method: string } }) => e.request.method)).toEqual([
    'PUT',
    'DELETE',
    'PUT',
    'POST',
  ])
  expect(history.body.entry[1].resource).toBeUndefined()
  expect(history.body.entry[0].fullUrl).toBe(`${server.url}/Patient/${id}`)
})

test('PUT creates at the id that the client chose', async () => {
  const answer = await at('Patient/chosen', { method: 'PUT', body: patient({ id: 'chosen' }) })
  expect([answer.status, answer.headers.get('location')]).toEqual([201, `${server.url}/Patient/chosen/_history/1`])
})

const mistakes: readonly [name: string, path: string, call: Call, status: number][] = [
  ['another type in the body', 'Patient', { method: 'POST', body: { resourceType: 'Group' } }, 400],
  ['no resource', 'Patient', { method: 'POST', body: { some: 'thing' } }, 400],
  ['no JSON', 'Patient', { method: 'POST', body: '{', headers: { 'content-type': 'application/fhir+json' } }, 400],
  ['another id in the body', 'Patient/x', { method: 'PUT', body: patient({ id: 'y' }) }, 400],
  ['no id in the body', 'Patient/x', { method: 'PUT', body: patient() }, 400],
  ['an unknown type', 'Nonsense', { method: 'POST', body: { resourceType: 'Nonsense' } }, 404],
  ['a type that is not kept', 'Parameters', { method: 'POST', body: { resourceType: 'Parameters' } }, 400],
  ['conditional update without criteria', 'Patient', { method: 'PUT', body: patient() }, 400],
  ['conditional delete without criteria', 'Patient', { method: 'DELETE' }, 400],
  ['conditional delete with criteria that mean nothing', 'Patient?nonsense=1', { method: 'DELETE' }, 400],
  ['a patch of nothing', 'Patient/absent', { method: 'PATCH', body: '[]', headers: JSON_PATCH }, 404],
  ['a patch of another kind', 'Patient/chosen', { method: 'PATCH', body: patient() }, 415],
  ['XML', 'Patient/chosen', { headers: { accept: 'application/fhir+xml' } }, 406],
  ['a method that is none', 'Patient/chosen', { method: 'OPTIONS' }, 405],
]

test.each(mistakes)('%s', async (_name, path, options, status) => {
  const answer = await at(path, options)
  expect(answer.status).toBe(status)
  expect(answer.body.resourceType).toBe('OperationOutcome')
})

describe('preconditions', () => {
  test('If-Match guards update, patch and delete', async () => {
    await at('Patient/m', { method: 'PUT', body: patient({ id: 'm' }) })
    const headers = { 'if-match': 'W/"7"' }
    expect((await at('Patient/m', { method: 'PUT', body: patient({ id: 'm' }), headers: { ...headers } })).status).toBe(
      412,
    )
    expect(
      (await at('Patient/m', { method: 'PATCH', body: '[]', headers: { ...headers, ...JSON_PATCH } })).status,
    ).toBe(412)
    expect((await at('Patient/m', { method: 'DELETE', headers })).status).toBe(412)
    const good = await at('Patient/m', { method: 'PUT', body: patient({ id: 'm' }), headers: { 'if-match': 'W/"1"' } })
    expect(good.status).toBe(200)
  })

  test('If-None-Match: 304 on read, 412 on a PUT that must create', async () => {
    await at('Patient/n', { method: 'PUT', body: patient({ id: 'n' }) })
    const unchanged = await at('Patient/n', { headers: { 'if-none-match': 'W/"1"' } })
    expect([unchanged.status, unchanged.text]).toEqual([304, ''])
    expect((await at('Patient/n', { headers: { 'if-none-match': 'W/"2"' } })).status).toBe(200)
    const since = new Date(Date.now() + 1000).toUTCString()
    expect((await at('Patient/n', { headers: { 'if-modified-since': since } })).status).toBe(304)
    const put = { method: 'PUT', body: patient({ id: 'n' }), headers: { 'if-none-match': '*' } }
    expect((await at('Patient/n', put)).status).toBe(412)
  })

  test('Prefer: return', async () => {
    const create = (prefer: string) => at('Patient', { method: 'POST', body: patient(), headers: { prefer } })
    const minimal = await create('return=minimal')
    expect([minimal.status, minimal.text]).toEqual([201, ''])
    expect((await create('return=representation')).body.resourceType).toBe('Patient')
    expect((await create('return=OperationOutcome')).body.resourceType).toBe('OperationOutcome')
  })

  test('HEAD answers as GET does, without the body', async () => {
    const get = await at('Patient/chosen')
    const head = await at('Patient/chosen', { method: 'HEAD' })
    expect([head.status, head.text, head.headers.get('etag')]).toEqual([200, '', get.headers.get('etag')])
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(get.text)))
  })
})

describe('conditional', () => {
  const identified = (value: string, extra: object = {}) =>
    patient({ identifier: [{ system: 'urn:c', value }], ...extra })
  const ifNoneExist = (value: string) => ({ 'if-none-exist': `identifier=urn:c|${value}` })

  test('create: none 201, one 200, many 412', async () => {
    const create = () => at('Patient', { method: 'POST', body: identified('1'), headers: ifNoneExist('1') })
    const first = await create()
    const second = await create()
    expect([first.status, second.status, second.body.id]).toEqual([201, 200, first.body.id])
    await at('Patient', { method: 'POST', body: identified('1') })
    expect((await create()).status).toBe(412)
  })

  test('update: none creates, one updates, many 412', async () => {
    const update = (value: string, body: object) => at(`Patient?identifier=urn:c|${value}`, { method: 'PUT', body })
    const created = await update('2', identified('2'))
    expect(created.status).toBe(201)
    const updated = await update('2', identified('2', { active: true }))
    expect([updated.status, updated.body.id, updated.body.meta.versionId]).toEqual([200, created.body.id, '2'])
    expect((await update('2', identified('2', { id: 'other' }))).status).toBe(400)
    expect((await update('1', identified('1'))).status).toBe(412)
    expect((await update('3', identified('3', { id: 'given' }))).body.id).toBe('given')
  })

  test('patch and delete: none, one, many', async () => {
    const patch = (value: string) =>
      at(`Patient?identifier=urn:c|${value}`, {
        method: 'PATCH',
        body: JSON.stringify([{ op: 'add', path: '/gender', value: 'other' }]),
        headers: JSON_PATCH,
      })
    expect((await patch('none')).status).toBe(404)
    expect((await patch('2')).body.gender).toBe('other')
    expect((await patch('1')).status).toBe(412)
    const remove = (value: string) => at(`Patient?identifier=urn:c|${value}`, { method: 'DELETE' })
    expect((await remove('1')).status).toBe(412)
    expect((await remove('2')).status).toBe(204)
    expect(keys(await at('Patient?identifier=urn:c|2'))).toEqual([])
  })
})

test('a patch is tested, applied and versioned, or changes nothing', async () => {
  await at('Patient/pp', { method: 'PUT', body: patient({ id: 'pp', name: [{ family: 'A' }] }) })
  const patch = (operations: object[]) =>
    at('Patient/pp', { method: 'PATCH', body: JSON.stringify(operations), headers: JSON_PATCH })
  const good = await patch([
    { op: 'test', path: '/name/0/family', value: 'A' },
    { op: 'replace', path: '/name/0/family', value: 'B' },
  ])
  expect([good.status, good.body.name[0].family, good.body.meta.versionId]).toEqual([200, 'B', '2'])
  expect(
    (
      await patch([
        { op: 'replace', path: '/name/0/family', value: 'C' },
        { op: 'remove', path: '/none' },
      ])
    ).status,
  ).toBe(422)
  expect((await patch([{ op: 'replace', path: '/id', value: 'other' }])).status).toBe(422)
  expect((await at('Patient/pp')).body.name[0].family).toBe('B')
})

test('references to the own address are kept as relative ones', async () => {
  const subject = { reference: `${server.url}/Patient/chosen` }
  const { body } = await at('Observation', {
    method: 'POST',
    body: { resourceType: 'Observation', status: 'final', subject },
  })
  expect(body.subject.reference).toBe('Patient/chosen')
  expect(keys(await at('Observation?patient=chosen'))).toEqual([`Observation/${body.id}`])
})

test('a Binary is written and read as what it contains', async () => {
  const headers = { 'content-type': 'text/plain', 'x-security-context': 'Patient/chosen' }
  const { body } = await at('Binary', { method: 'POST', body: 'hello', headers })
  const raw = await at(`Binary/${body.id}`, { headers: { accept: 'text/plain' } })
  expect([raw.text, raw.headers.get('content-type')]).toEqual(['hello', 'text/plain'])
  const resource = await at(`Binary/${body.id}`, { headers: { accept: 'application/fhir+json' } })
  expect(resource.body).toMatchObject({ contentType: 'text/plain', securityContext: { reference: 'Patient/chosen' } })
})

test('requests are recorded as they arrived', async () => {
  await at('Patient/chosen?_format=json', { headers: { 'x-mark': 'here' } })
  expect(server.requests.at(-1)).toMatchObject({
    method: 'GET',
    url: '/fhir/Patient/chosen?_format=json',
    headers: { 'x-mark': 'here' },
  })
})
