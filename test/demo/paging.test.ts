import { afterEach, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import type { Resource } from '../../src/demo/fhir/resource.ts'
import { call, keys, link } from './fhir-client.ts'

let server: FhirServer
afterEach(() => server.close())

const observations: Resource[] = Array.from({ length: 25 }, (_, i) => ({
  resourceType: 'Observation',
  id: `o${i}`,
  status: 'final',
  code: { text: 'x' },
  subject: { reference: 'Patient/secret-name' },
}))

test('pages hold every match once, and their links say neither type nor patient', async () => {
  server = await startFhirServer({ resources: observations })
  const all: string[] = []
  let answer = await call(`${server.url}/Observation?patient=secret-name&_count=10`)
  for (let pages = 1; ; pages++) {
    all.push(...keys(answer))
    expect(answer.body.total).toBe(25)
    const next = link(answer, 'next')
    if (next === undefined) {
      expect(pages).toBe(3)
      break
    }
    expect(next).toMatch(/\/fhir\?_getpages=[0-9a-f-]{36}&_getpagesoffset=\d+&_count=10&_bundletype=searchset$/)
    answer = await call(next)
  }
  expect(all).toEqual(observations.map(({ id }) => `Observation/${id}`))
  expect(keys(await call(link(answer, 'previous')!))).toEqual(all.slice(10, 20))
})

test('a page shows what is there now; an unknown page is gone', async () => {
  server = await startFhirServer({ resources: observations })
  const first = await call(`${server.url}/Observation?_count=20`)
  await call(`${server.url}/Observation/o21`, { method: 'DELETE' })
  expect(keys(await call(link(first, 'next')!))).toEqual(['o20', 'o22', 'o23', 'o24'].map((id) => `Observation/${id}`))
  const afresh = await call(`${server.url}/Observation?_count=20`)
  expect(afresh.body.total).toBe(24)
  expect(keys(await call(link(afresh, 'next')!))).toHaveLength(4)
  expect((await call(`${server.url}?_getpages=00000000-0000-0000-0000-000000000000&_getpagesoffset=0`)).status).toBe(
    410,
  )
})

test('includes come with the page of the match that they belong to', async () => {
  const patients = [0, 1].map((i) => ({ resourceType: 'Patient', id: `p${i}` }))
  const two = observations.slice(0, 2).map((o, i) => ({ ...o, subject: { reference: `Patient/p${i}` } }))
  server = await startFhirServer({ resources: [...patients, ...two] })
  const first = await call(`${server.url}/Observation?_count=1&_include=Observation:subject`)
  expect(keys(first, 'include')).toEqual(['Patient/p0'])
  expect(keys(await call(link(first, 'next')!), 'include')).toEqual(['Patient/p1'])
})

test('history has pages too', async () => {
  server = await startFhirServer({ resources: observations })
  const first = await call(`${server.url}/Observation/_history?_count=20`)
  expect(first.body.type).toBe('history')
  const next = link(first, 'next')!
  expect(next).toContain('_bundletype=history')
  expect((await call(next)).body.entry).toHaveLength(5)
})
