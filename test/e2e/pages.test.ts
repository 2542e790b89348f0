// Page links: sealed for one caller and one route, opened by nobody else, decided anew, over after an hour; and nowhere a word of
// what the upstream calls its pages. In front of a store that pages by an opaque id, as HAPI does.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { BASE, type Claims, fhirMap, type Rig, startRig } from '../support/rig.ts'

const HOUR = 3_600_000
const SCOPE = 'user/Observation.rs'
const CALLER = { sub: 'ada', fhirUser: 'Practitioner/7' }

let store: FhirServer
let rig: Rig
beforeAll(async () => {
  const observations = Array.from({ length: 7 }, (_, i) => ({
    resourceType: 'Observation',
    id: `o${i}`,
    status: 'final',
  }))
  store = await startFhirServer({
    resources: [...observations, { resourceType: 'Goal', id: 'g1' }],
    pageSize: 3,
    record: true,
  })
  const more = `
  - { name: second, fhir: R4, path: /second, upstream: store, smart: true, audience: "${BASE}" }
  - { name: unsealed, fhir: R4, path: /unsealed, upstream: store, smart: true, audience: "${BASE}", sealPages: false }
`
  rig = await startRig({ map: fhirMap({ store: store.url, more }) })
})
afterAll(async () => {
  await rig.close()
  await store.close()
})

const link = ({ json }: Answer, relation: string): string | undefined =>
  json.link.find((one: { relation: string }) => one.relation === relation)?.url
const ids = ({ json }: Answer): string[] =>
  (json.entry ?? []).map(({ resource }: { resource: { id: string } }) => resource.id)
/** Below the gateway's own address, whatever the public one is. */
const below = (url: string): string => new URL(url).pathname + new URL(url).search

function search(query = '', scope = SCOPE, claims: Claims = CALLER): Promise<Answer> {
  return rig.ask(`GET /fhir/R4/Observation${query}`, { scope, claims })
}

function open(path: string, scope = SCOPE, claims: Claims = CALLER): Promise<Answer> {
  return rig.ask(`GET ${path}`, { scope, claims })
}

async function nextPath(): Promise<string> {
  return below(link(await search(), 'next')!)
}

test('forward to the end and back again, every resource once', async () => {
  const pages = [await search('?status=final')]
  for (let next = link(pages[0]!, 'next'); next !== undefined; next = link(pages.at(-1)!, 'next')) {
    expect(next.startsWith(`${BASE}/_page/`)).toBe(true)
    pages.push(await open(below(next)))
  }
  expect(pages.map(({ status }) => status)).toEqual([200, 200, 200])
  expect(pages.flatMap(ids).sort()).toEqual(['o0', 'o1', 'o2', 'o3', 'o4', 'o5', 'o6'])
  const back = await open(below(link(pages[2]!, 'previous')!))
  expect(ids(back)).toEqual(ids(pages[1]!))
  for (const { headers } of pages) expect(headers['x-intermediary']).toBe('scopegate')
})

test('a page says which search it belongs to, in the words of the client', async () => {
  const first = await search('?status=final&_count=2')
  const second = await open(below(link(first, 'next')!))
  const self = `${BASE}/Observation?status=final&_count=2`
  expect([link(first, 'self'), link(second, 'self')]).toEqual([self, self])
})

test('nothing in a page or its links tells of the upstream, its page ids or the search', async () => {
  const first = await search('?status=final')
  const second = await open(below(link(first, 'next')!))
  for (const { text } of [first, second]) {
    expect(text).not.toContain('_getpages')
    expect(text).not.toContain(String(store.port))
  }
  const seal = link(first, 'next')!.split('/').at(-1)!
  expect(Buffer.from(seal, 'base64url').toString('latin1')).not.toMatch(/getpages|Observation|final|ada/)
  expect(link(await search('?status=final'), 'next')).not.toBe(link(first, 'next'))
})

test('by HEAD; by no other method', async () => {
  const path = await nextPath()
  const head = await rig.ask(`HEAD ${path}`, { scope: SCOPE, claims: CALLER })
  expect([head.status, head.text]).toEqual([200, ''])
  for (const method of ['DELETE', 'PUT', 'POST', 'PATCH']) {
    const answer = await rig.ask(`${method} ${path}`, { scope: 'system/*.cruds', claims: CALLER })
    expect(verdictOf(answer), method).toBe('405 interaction-unknown')
  }
})

test('a search by POST has pages too, read by GET', async () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const first = await rig.ask('POST /fhir/R4/Observation/_search', {
    scope: SCOPE,
    claims: CALLER,
    headers,
    body: 'status=final',
  })
  expect(link(first, 'self')).toBe(`${BASE}/Observation?status=final`)
  const second = await open(below(link(first, 'next')!))
  expect(second.status, second.text).toBe(200)
  expect(ids(second)).toHaveLength(3)
})

describe('a link that somebody else opens is not there', () => {
  test.each<[name: string, claims: Claims]>([
    ['another user', { ...CALLER, sub: 'eve' }],
    ['another client of the same user', { ...CALLER, client_id: 'app-2' }],
    ['the same user with another launch patient', { ...CALLER, patient: 'p1' }],
  ])('%s', async (_, claims) => {
    const path = await nextPath()
    const before = store.requests.length
    expect(verdictOf(await open(path, SCOPE, claims))).toBe('404 not-found')
    expect(store.requests).toHaveLength(before)
  })

  test('nobody at all', async () => {
    expect(verdictOf(await rig.ask(`GET ${await nextPath()}`))).toBe('401 token-missing')
  })

  test('the same caller on another route', async () => {
    const path = (await nextPath()).replace('/fhir/R4/', '/second/')
    expect(verdictOf(await open(path))).toBe('404 not-found')
  })
})

describe("today's grant decides", () => {
  test.each([
    ['a scope on another type', 'user/Goal.rs', '403 scope-insufficient'],
    ['no search any more', 'user/Observation.r', '403 scope-insufficient'],
    ['no scope at all', 'openid', '403 scope-insufficient'],
    ['another scope that covers it', 'system/*.s', '200'],
  ])('%s', async (_, scope, verdict) => {
    const path = await nextPath()
    const before = store.requests.length
    expect(verdictOf(await open(path, scope))).toBe(verdict)
    expect(store.requests).toHaveLength(before + (verdict === '200' ? 1 : 0))
  })

  test('a page of an include needs the scope of the include', async () => {
    const first = await search('?_include=Observation:subject:Patient', 'user/Observation.rs user/Patient.r')
    const path = below(link(first, 'next')!)
    expect((await open(path, 'user/Observation.rs user/Patient.r')).status).toBe(200)
    expect(verdictOf(await open(path, 'user/Observation.rs'))).toBe('403 scope-insufficient')
  })
})

test('a link is over after an hour', async () => {
  const path = await nextPath()
  const before = rig.clock.now
  try {
    rig.clock.now = before + HOUR - 60_000
    expect((await open(path)).status).toBe(200)
    rig.clock.now = before + HOUR
    expect(verdictOf(await open(path))).toBe('404 not-found')
  } finally {
    rig.clock.now = before
  }
})

test('a link with any byte changed is none', async () => {
  const path = await nextPath()
  const at = path.lastIndexOf('/') + 1
  const seal = path.slice(at)
  const changed = [0, 8, 20, seal.length >> 1, seal.length - 1].map((i) => {
    const other = seal[i] === 'A' ? 'B' : 'A'
    return seal.slice(0, i) + other + seal.slice(i + 1)
  })
  for (const one of [
    ...changed,
    seal.slice(0, -1),
    `${seal}A`,
    `${seal}=`,
    'A',
    '_',
    `${seal}/1`,
    seal.toLowerCase(),
  ]) {
    expect(verdictOf(await open(path.slice(0, at) + one)), one).toBe('404 not-found')
  }
  expect(verdictOf(await open(`${path}?_getpages=x`))).toBe('200')
})

test("the upstream's own page ids open nothing", async () => {
  const direct = await fetch(`${store.url}/Observation`)
  const upstreamLink = ((await direct.json()) as { link: { relation: string; url: string }[] }).link.find(
    ({ relation }) => relation === 'next',
  )!
  const query = new URL(upstreamLink.url).search
  for (const scope of ['user/Observation.rs', 'user/Observation.cruds openid']) {
    expect(verdictOf(await open(`/fhir/R4${query}`, scope))).toBe('403 scope-insufficient')
    expect(verdictOf(await open(`/fhir/R4/Observation${query}`, scope))).toBe('403 scope-insufficient')
  }
})

test('where pages are not sealed, links are public and the page is decided by what stands in it', async () => {
  const first = await rig.ask('GET /unsealed/Observation', { scope: 'system/*.rs', claims: CALLER })
  const next = link(first, 'next')!
  expect(next.startsWith('https://api.example.org/unsealed?_getpages=')).toBe(true)
  expect(verdictOf(await open(below(next), 'system/Observation.rs'))).toBe('403 scope-insufficient')
  expect((await open(below(next), 'system/*.rs')).status).toBe(200)
})
