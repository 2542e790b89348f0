// Within a compartment or a filter, what is not there and what is not the caller's are one answer: the same status, the same header
// fields, the same bytes, by every door. Others told them apart by 403 and 404, by 410, by the headers of the server behind, by 304.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { lyingStore } from '../support/lying-store.ts'
import { fhirMap, type Rig, type RigAsk, startRig } from '../support/rig.ts'

const LAB = 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory'
const laboratory = [{ coding: [{ system: LAB.split('|')[0], code: 'laboratory' }] }]
const observation = (id: string, patient: string, more: object = {}): object => ({
  resourceType: 'Observation',
  id,
  meta: { versionId: '3' },
  subject: { reference: `Patient/${patient}` },
  ...more,
})
const DATA = [
  observation('mine', 'p1', { category: laboratory }),
  observation('foreign', 'p2', { category: laboratory }),
  observation('unfiltered', 'p1'),
  observation('unreadable', 'p1', { subject: { identifier: { value: 'p1' } } }),
  observation('huge', 'p2', { note: [{ text: 'x'.repeat(70_000) }] }),
]

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ server: 'limits: { guardedBody: 64KiB }' }) })
})
afterAll(() => rig.close())
beforeEach(() => {
  rig.upstream.reset()
  rig.upstream.script = lyingStore(DATA, () => `${rig.upstream.url}/base`)
})

const SCOPES = {
  patient: ['patient/Observation.rs', { patient: 'p1' }],
  'patient, granular': [`patient/Observation.rs?category=${LAB}`, { patient: 'p1' }],
  'user who is a patient': ['user/Observation.rs', { fhirUser: 'Patient/p1' }],
} as const

/** All that a client can compare: of the fields everything but the request id and the date. */
function seen({ status, rawHeaders, text, json }: Answer): unknown {
  const fields: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase()
    fields.push(name === 'x-request-id' || name === 'date' ? name : `${name}: ${rawHeaders[i + 1]}`)
  }
  const id = json?.id ?? ''
  return { status, fields, text: id === '' ? text : text.replaceAll(id, '…') }
}

const batchOf = (method: string, url: string): RigAsk => ({
  body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method, url } }] },
})
const conditional = (headers: Record<string, string>): RigAsk => ({ headers })

const DOORS: Readonly<Record<string, (id: string) => readonly [line: string, ask: RigAsk]>> = {
  read: (id) => [`GET /fhir/R4/Observation/${id}`, {}],
  HEAD: (id) => [`HEAD /fhir/R4/Observation/${id}`, {}],
  vread: (id) => [`GET /fhir/R4/Observation/${id}/_history/3`, {}],
  history: (id) => [`GET /fhir/R4/Observation/${id}/_history`, {}],
  'read, if none match': (id) => [`GET /fhir/R4/Observation/${id}`, conditional({ 'if-none-match': 'W/"3"' })],
  'read, if none match *': (id) => [`GET /fhir/R4/Observation/${id}`, conditional({ 'if-none-match': '*' })],
  'read, if modified': (id) => [
    `GET /fhir/R4/Observation/${id}`,
    conditional({ 'if-modified-since': 'Fri, 17 May 2030 12:00:00 GMT' }),
  ],
  'a part of it': (id) => [`GET /fhir/R4/Observation/${id}`, conditional({ range: 'bytes=0-10' })],
  'as a summary': (id) => [`GET /fhir/R4/Observation/${id}?_summary=true`, {}],
  'batch entry': (id) => ['POST /fhir/R4', batchOf('GET', `Observation/${id}`)],
  'batch entry by HEAD': (id) => ['POST /fhir/R4', batchOf('HEAD', `Observation/${id}`)],
  'history in a batch': (id) => ['POST /fhir/R4', batchOf('GET', `Observation/${id}/_history`)],
  'vread in a batch': (id) => ['POST /fhir/R4', batchOf('GET', `Observation/${id}/_history/3`)],
}

describe.each(Object.entries(SCOPES))('%s', (_, [scope, claims]) => {
  test.each(Object.entries(DOORS))('%s', async (_door, door) => {
    const ask = async (id: string): Promise<Answer> => {
      const [line, more] = door(id)
      return rig.ask(line, { scope, claims, ...more })
    }
    const absent = await ask('absent')
    expect(verdictOf(absent)).toMatch(/^(404( not-found)?|200)$/)
    if (absent.status === 200) expect(absent.json.entry[0].response.status).toBe('404 Not Found')
    const hidden = ['foreign', 'unreadable', 'huge', ...(scope.includes('?') ? ['unfiltered'] : [])]
    for (const id of hidden) expect([id, seen(await ask(id))]).toEqual([id, seen(absent)])
    // And it is not everything that is hidden.
    const mine = await ask('mine')
    expect(mine.status).not.toBe(404)
    if (mine.status === 200 && mine.json?.type === 'batch-response')
      expect(mine.json.entry[0].response.status).toBe('200 OK')
  })

  test('gone, forbidden, unknown to the server behind: the same', async () => {
    const answers: unknown[] = []
    for (const status of [404, 410, 403, 400, 409, 422]) {
      rig.upstream.script = () => ({
        status,
        headers: { 'x-reason': 'it was there', etag: 'W/"9"', location: '/base/Observation/foreign/_history/9' },
        body: {
          resourceType: 'OperationOutcome',
          issue: [{ severity: 'error', code: 'deleted', diagnostics: 'gone' }],
        },
      })
      answers.push(seen(await rig.ask('GET /fhir/R4/Observation/foreign', { scope, claims })))
    }
    expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1)
  })
})

const MINE = { scope: 'patient/Observation.rs', claims: { patient: 'p1' } }

describe('what counts is never counted', () => {
  test.each([
    'GET /fhir/R4/Observation',
    'GET /fhir/R4/Observation?_total=accurate',
    'GET /fhir/R4/Observation/_history',
  ])('%s: no total, in the body or beside it', async (line) => {
    const script = rig.upstream.script
    rig.upstream.script = (arrived) => ({
      ...script(arrived),
      headers: {
        'x-total-count': '5',
        etag: 'W/"all-of-it"',
        'content-md5': 'x',
        'last-modified': 'Fri, 17 May 2024 12:00:00 GMT',
      },
    })
    const answer = await rig.ask(line, MINE)
    const ids = answer.json.entry.map(({ resource }: { resource: { id: string } }) => resource.id)
    expect(ids.sort()).toEqual(['mine', 'unfiltered'])
    expect(answer.text).not.toContain('total')
    for (const name of ['x-total-count', 'etag', 'content-md5', 'last-modified']) {
      expect(answer.headers[name], name).toBeUndefined()
    }
  })

  test.each(['_summary=count', '_count=0', '_count=00'])('%s asks for nothing but the number', async (query) => {
    expect(verdictOf(await rig.ask(`GET /fhir/R4/Observation?${query}`, MINE))).toBe('403 constraint-unenforceable')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('that a search finds only others is an empty Bundle, and never a refusal', async () => {
    rig.upstream.script = lyingStore([DATA[1]], () => `${rig.upstream.url}/base`)
    const answer = await rig.ask('GET /fhir/R4/Observation?code=x', MINE)
    rig.upstream.script = lyingStore([], () => `${rig.upstream.url}/base`)
    expect(seen(answer)).toEqual(seen(await rig.ask('GET /fhir/R4/Observation?code=x', MINE)))
    expect(answer.status).toBe(200)
  })
})

describe('pages never count either', () => {
  const page = (resource: object | undefined, next: number | undefined) => ({
    body: {
      resourceType: 'Bundle',
      type: 'searchset',
      ...(resource && { entry: [{ resource }] }),
      ...(next && { link: [{ relation: 'next', url: `${rig.upstream.url}/base?_getpages=${next}` }] }),
    },
  })
  /** One match on a page, as with `_count=1`. */
  const paged =
    (resources: readonly object[]) =>
    ({ url }: { url: string }) => {
      const at = Number(/_getpages=(\d+)/.exec(url)?.[1] ?? 0)
      return page(resources[at], at + 1 < resources.length ? at + 1 : undefined)
    }
  const [mine, foreign, unfiltered] = DATA as [object, object, object]
  // An OR that no one search can say, in one record and across records.
  const scopes = [
    `patient/Observation.rs?category=${LAB} patient/Observation.rs?code=x`,
    `patient/Observation.rs?category=${LAB} user/Observation.rs?code=x`,
  ]

  test.each(scopes)('whether more matches is not told: %s', async (scope) => {
    const ask = (resources: readonly object[]): Promise<Answer> => {
      rig.upstream.script = paged(resources)
      return rig.ask('GET /fhir/R4/Observation?status=final&_count=1', { scope, claims: { patient: 'p1' } })
    }
    const none = seen(await ask([]))
    const one = seen(await ask([mine]))
    expect(none).not.toEqual(one)
    for (const hidden of [[foreign], [unfiltered], [foreign, unfiltered, foreign]]) {
      expect(seen(await ask(hidden))).toEqual(none)
      expect(seen(await ask([mine, ...hidden]))).toEqual(one)
      expect(seen(await ask([...hidden, mine, ...hidden]))).toEqual(one)
    }
    const more = await ask([mine, foreign, mine])
    expect(more.json.link.map(({ relation }: { relation: string }) => relation)).toEqual(['self', 'next'])
  })

  test.each(scopes)('in a batch such a search is refused when it asks for more than whose it is: %s', async (scope) => {
    rig.upstream.script = lyingStore(DATA, () => `${rig.upstream.url}/base`)
    const status = async (query: string): Promise<string> => {
      const answer = await rig.ask('POST /fhir/R4', {
        scope,
        claims: { patient: 'p1' },
        ...batchOf('GET', `Observation${query}`),
      })
      return answer.json.entry?.[0].response.status ?? String(answer.status)
    }
    expect(await status('?status=final')).toBe('403')
    // Within one of the scopes by itself.
    expect(await status('?code=x')).toBe('200 OK')
    expect(await status('?patient=p1')).toBe('200 OK')
    expect(await status('')).toBe('200 OK')
  })
})

describe('304 comes from the answer that was released', () => {
  test.each<[headers: Record<string, string>, status: number]>([
    [{ 'if-none-match': 'W/"3"' }, 304],
    [{ 'if-none-match': '"3"' }, 304],
    [{ 'if-none-match': 'W/"1", W/"3"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': 'W/"2"' }, 200],
    [{ 'if-none-match': 'W/"33"' }, 200],
    [{ 'if-none-match': '' }, 200],
    [{ 'if-modified-since': 'Fri, 17 May 2024 12:00:00 GMT' }, 304],
    [{ 'if-modified-since': 'Fri, 17 May 2024 11:59:59 GMT' }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    // The tag counts, where there is one.
    [{ 'if-none-match': 'W/"2"', 'if-modified-since': 'Fri, 17 May 2030 12:00:00 GMT' }, 200],
  ])('%j: %i', async (headers, status) => {
    for (const line of ['GET /fhir/R4/Observation/mine', 'HEAD /fhir/R4/Observation/mine']) {
      const answer = await rig.ask(line, { ...MINE, headers })
      expect([line, answer.status]).toEqual([line, status])
      expect(answer.headers['etag']).toBe('W/"3"')
      if (status === 304) {
        expect(answer.bytes.length).toBe(0)
        expect(answer.headers['content-type']).toBeUndefined()
      }
    }
    for (const { headers: sent } of rig.upstream.arrived) {
      expect([sent['if-none-match'], sent['if-modified-since']]).toEqual([undefined, undefined])
    }
  })

  test('conditions in an entry of a Bundle keep nothing back that is to be checked', async () => {
    const request = {
      method: 'GET',
      url: 'Observation/mine',
      ifNoneMatch: 'W/"3"',
      ifModifiedSince: '2030-01-01T00:00:00Z',
    }
    const body = { resourceType: 'Bundle', type: 'batch', entry: [{ request }] }
    const answer = await rig.ask('POST /fhir/R4', { ...MINE, body })
    expect(answer.json.entry[0].resource.id).toBe('mine')
    expect(JSON.parse(rig.upstream.arrived[0]!.text).entry[0].request).toEqual({
      method: 'GET',
      url: 'Observation/mine',
    })
  })
})

test('too many requests are not an absent resource', async () => {
  rig.upstream.script = () => ({ status: 429, headers: { 'retry-after': '7' } })
  for (const line of ['GET /fhir/R4/Observation/mine', 'GET /fhir/R4/Observation']) {
    const answer = await rig.ask(line, MINE)
    expect([verdictOf(answer), answer.headers['retry-after']]).toEqual(['429 rate-limited', '7'])
  }
})
