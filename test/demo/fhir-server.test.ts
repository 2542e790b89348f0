import { request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { call, keys } from './fhir-client.ts'

let server: FhirServer
afterEach(() => server.close())

const resources = ['x', 'y'].map((id) => ({ resourceType: 'Patient', id, gender: 'other' }))

test('answers are compressed for those who can read it, when the server is told to', async () => {
  server = await startFhirServer({ resources, gzip: true })
  const plain = await call(`${server.url}/Patient/x`, { headers: { 'accept-encoding': 'identity' } })
  expect(plain.headers.get('content-encoding')).toBeNull()
  const packed = await call(`${server.url}/Patient/x`, { headers: { 'accept-encoding': 'gzip' } })
  expect(packed.headers.get('content-encoding')).toBe('gzip')
  expect(packed.body).toEqual(plain.body)
})

test('a body that is too large is refused', async () => {
  server = await startFhirServer({ largestBody: 100 })
  const body = { resourceType: 'Patient', name: [{ family: 'x'.repeat(200) }] }
  expect((await call(`${server.url}/Patient`, { method: 'POST', body })).status).toBe(413)
  expect(keys(await call(`${server.url}/Patient`))).toEqual([])
})

test('a conditional delete of many, where that is allowed', async () => {
  server = await startFhirServer({ resources, conditionalDelete: 'multiple' })
  expect((await call(`${server.url}/Patient?gender=other`, { method: 'DELETE' })).status).toBe(204)
  expect((await call(`${server.url}/Patient`)).body.total).toBe(0)
})

test('answers name the server itself, whatever Host says', async () => {
  server = await startFhirServer({ resources })
  const text = await new Promise<string>((resolve, reject) => {
    const url = new URL(`${server.url}/Patient?_count=1`)
    request(url, { headers: { host: 'gateway.example' } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve(body))
    })
      .on('error', reject)
      .end()
  })
  const bundle = JSON.parse(text)
  expect(bundle.entry[0].fullUrl).toBe(`${server.url}/Patient/x`)
  expect(text).not.toContain('gateway.example')
})

test('wrongly encoded addresses are the client’s mistake', async () => {
  server = await startFhirServer({ resources })
  expect((await call(`${server.url}/Patient/%ff`)).status).toBe(400)
  const entry = [{ request: { method: 'GET', url: 'Patient/%ff' } }]
  const batch = await call(server.url, { method: 'POST', body: { resourceType: 'Bundle', type: 'batch', entry } })
  expect(batch.body.entry[0].response.status).toBe('400')
})
