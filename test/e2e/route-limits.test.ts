// `limits` of a route hold there instead of those of the server, whichever of the two are larger, for every way in: targets, forms,
// entries of a Bundle, bodies, and what is held while an answer is checked.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

const OTHER = `
  - { name: other, fhir: R4, path: /fhir/other, upstream: store, smart: true, audience: ["https://api.example.org"] }
  - { name: plain, upstream: store, match: GET /plain, requires: public }
`
const SMALL = '{ body: 4KiB, searchParameters: 3, bundleEntries: 2, guardedBody: 2KiB }'
const LARGE = '{ body: 64KiB, searchParameters: 9, bundleEntries: 6, guardedBody: 8KiB }'

let tighter: StoreRig
let wider: StoreRig
beforeAll(async () => {
  tighter = await startStoreRig(`limits: ${SMALL}`, OTHER, `limits: ${LARGE}`)
  wider = await startStoreRig(`limits: ${LARGE}`, OTHER, `limits: ${SMALL}`)
})
afterAll(async () => {
  await tighter.close()
  await wider.close()
})

const observation = (id: string, bytes = 0) => ({
  resourceType: 'Observation',
  id,
  subject: { reference: 'Patient/p1' },
  note: [{ text: 'x'.repeat(bytes) }],
})
beforeEach(() => {
  for (const rig of [tighter, wider]) rig.fill([observation('o1'), observation('long', 4_000)])
})

const query = (parameters: number): string => Array.from({ length: parameters }, (_, i) => `code=c${i}`).join('&')
const bundle = (entries: number, url = 'Observation/o1'): object => ({
  resourceType: 'Bundle',
  type: 'batch',
  entry: Array.from({ length: entries }, () => ({ request: { method: 'GET', url } })),
})

// The map's one route with limits, and one without, on either side.
describe.each([
  ['a route with less', () => tighter, '/fhir/R4', 3, 2, 4096, 2048],
  ['a route with more', () => wider, '/fhir/R4', 9, 6, 65536, 8192],
  ['a route without, where another has less', () => tighter, '/fhir/other', 9, 6, 65536, 8192],
  ['a route without, where another has more', () => wider, '/fhir/other', 3, 2, 4096, 2048],
] as const)('%s', (_, rig, base, parameters, entries, body, held) => {
  const ask = (line: string, sent?: object | string, scope = 'patient/Observation.cruds'): Promise<Answer> => {
    const headers = typeof sent === 'string' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}
    const claims = { patient: 'p1', aud: ['https://api.example.org', 'https://api.example.org/fhir/R4'] }
    return rig().ask(line, { scope, claims, headers, ...(sent === undefined ? {} : { body: sent }) })
  }

  test('searchParameters, in a target', async () => {
    expect((await ask(`GET ${base}/Observation?${query(parameters)}`)).status).toBe(200)
    expect(verdictOf(await ask(`GET ${base}/Observation?${query(parameters + 1)}`))).toBe('414 target-too-long')
  })

  test('searchParameters, in a form', async () => {
    expect((await ask(`POST ${base}/Observation/_search`, query(parameters))).status).toBe(200)
    expect(verdictOf(await ask(`POST ${base}/Observation/_search`, query(parameters + 1)))).toBe('400 body-invalid')
  })

  test('searchParameters, in an entry of a Bundle', async () => {
    const sent = await ask(`POST ${base}`, bundle(1, `Observation?${query(parameters)}`))
    expect(sent.json.entry[0].response.status).toMatch(/^200/)
    const refused = await ask(`POST ${base}`, bundle(1, `Observation?${query(parameters + 1)}`))
    expect(refused.json.entry[0].response.status).toBe('414')
  })

  test('bundleEntries', async () => {
    expect((await ask(`POST ${base}`, bundle(entries))).status).toBe(200)
    expect(verdictOf(await ask(`POST ${base}`, bundle(entries + 1)))).toBe('413 body-too-large')
  })

  test.each(['patient/Observation.cruds', 'system/Observation.cruds'])('body, with %s', async (scope) => {
    expect((await ask(`POST ${base}/Observation`, observation('new', body - 300), scope)).status).toBe(201)
    expect(verdictOf(await ask(`POST ${base}/Observation`, observation('new', body), scope))).toBe('413 body-too-large')
  })

  test('guardedBody', async () => {
    expect((await ask(`GET ${base}/Observation/long`)).status).toBe(held > 4_000 ? 200 : 404)
  })
})

test('a route that is no FHIR endpoint keeps to those of the server', async () => {
  expect(verdictOf(await wider.ask(`GET /plain?${query(4)}`))).toBe('414 target-too-long')
  await tighter.ask(`GET /plain?${query(9)}`)
  expect(tighter.upstream.arrived.map(({ url }) => url)).toEqual([expect.stringContaining('/plain?')])
})
