// A write of a batch that the server did not carry out, since the record changed behind the gateway's look, is looked at anew and sent
// again, like a single one: no permitted write is lost, none is made upon what became somebody else's, and every answer keeps its place.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, entryVerdicts, verdictOf } from '../support/http-client.ts'
import type { Arrived } from '../support/recording-upstream.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
let creating: StoreRig
let small: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
  creating = await startStoreRig('updateCreate: allow')
  small = await startStoreRig('limits: { guardedBody: 3KiB }')
})
afterAll(() => Promise.all([rig.close(), creating.close(), small.close()]))

const record = (id: string, patient: string, author: string, more: object = {}) => ({
  resourceType: 'Observation',
  id,
  subject: { reference: `Patient/${patient}` },
  note: [{ text: author }],
  ...more,
})
const IDS = ['a', 'b', 'c', 'd']
beforeEach(() => {
  for (const one of [rig, creating, small]) one.fill(IDS.map((id) => record(id, 'p1', 'begin')))
})

type Entry = { resource?: object; request: Record<string, string> }
const put = (id: string, more: object = {}): Entry => ({
  resource: record(id, 'p1', 'mine', more),
  request: { method: 'PUT', url: `Observation/${id}` },
})
const patch = (id: string): Entry => {
  const data = Buffer.from(JSON.stringify([{ op: 'add', path: '/status', value: 'final' }])).toString('base64')
  const resource = { resourceType: 'Binary', contentType: 'application/json-patch+json', data }
  return { resource, request: { method: 'PATCH', url: `Observation/${id}` } }
}
const remove = (id: string): Entry => ({ request: { method: 'DELETE', url: `Observation/${id}` } })
const get = (id: string): Entry => ({ request: { method: 'GET', url: `Observation/${id}` } })
const post = (): Entry => ({
  resource: { ...record('x', 'p1', 'mine'), id: undefined },
  request: { method: 'POST', url: 'Observation' },
})
const send = (entry: readonly object[], on = rig, type = 'batch', scope = 'patient/*.cruds'): Promise<Answer> =>
  on.ask('POST /fhir/R4', { scope, claims: { patient: 'p1' }, body: { resourceType: 'Bundle', type, entry } })

const isBundle = ({ method, url }: Arrived): boolean => method === 'POST' && !url.endsWith('_search')
/** Somebody else writes these before the first so many Bundles are carried out. */
const meanwhile = (ids: readonly string[], patient: string, times: number, on = rig): void => {
  let left = times
  on.before = (arrived) => {
    if (!isBundle(arrived) || left-- <= 0) return undefined
    for (const id of ids) on.store.resources.write('Observation', id, record(id, patient, 'meanwhile'), 'PUT')
    return undefined
  }
}
const authors = (id: string, on = rig): unknown[] =>
  on.store.resources
    .versions('Observation', id)
    .map(({ resource }) => (resource as { note?: [{ text: string }] }).note?.[0].text)
const bundles = (on = rig): { request: { url: string } }[][] =>
  on.upstream.arrived.filter(isBundle).map(({ text }) => JSON.parse(text).entry)

describe('a record changed behind the look', () => {
  test.each([1, 2, 3])('%i times: the write is made, at its place', async (times) => {
    meanwhile(['b', 'd'], 'p1', times)
    const answer = await send([put('a'), put('b'), get('c'), post(), patch('d')])
    expect(entryVerdicts(answer), answer.text).toEqual(['200', '200', '200', '201', '200'])
    expect(answer.json.entry.map(({ resource }: { resource: { id: string } }) => resource.id).toSpliced(3, 1)).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
    expect(authors('a')).toEqual(['begin', 'mine'])
    expect(authors('b')).toEqual(['begin', ...Array(times).fill('meanwhile'), 'mine'])
    expect(rig.stored('Observation', 'd').status).toBe('final')
    // What was carried out is not sent again.
    expect(bundles().map((sent) => sent.map(({ request }) => request.url))).toEqual([
      ['Observation/a', 'Observation/b', 'Observation/c', 'Observation', 'Observation/d'],
      ...Array(times).fill(['Observation/b', 'Observation/d']),
    ])
  })

  test('again and again: the client is told so, at its place', async () => {
    meanwhile(['b'], 'p1', Number.POSITIVE_INFINITY)
    const answer = await send([put('a'), put('b'), remove('c')])
    expect(entryVerdicts(answer)).toEqual(['200', '412 version-conflict', '204'])
    expect(answer.text).not.toContain('If-Match')
    expect(bundles()).toHaveLength(4)
  })

  test("to somebody else's: not there", async () => {
    meanwhile(['b'], 'p2', 1)
    const answer = await send([put('a'), put('b'), remove('c')])
    expect(entryVerdicts(answer)).toEqual(['200', '404 not-found', '204'])
    expect(authors('b')).toEqual(['begin', 'meanwhile'])
    expect(bundles()).toHaveLength(1)
  })

  test('some to somebody else, some not', async () => {
    let first = true
    rig.before = (arrived) => {
      if (!isBundle(arrived) || !first) return undefined
      first = false
      for (const [id, patient] of [
        ['a', 'p2'],
        ['c', 'p1'],
        ['d', 'p2'],
      ] as const)
        rig.store.resources.write('Observation', id, record(id, patient, 'meanwhile'), 'PUT')
      return undefined
    }
    const refused = { request: { method: 'GET', url: 'Patient/p2' } }
    const answer = await send([refused, put('a'), put('b'), refused, put('c'), remove('d')])
    expect(entryVerdicts(answer).map((verdict) => verdict.slice(0, 3))).toEqual([
      '403',
      '404',
      '200',
      '403',
      '200',
      '404',
    ])
    expect(authors('c')).toEqual(['begin', 'meanwhile', 'mine'])
    expect(authors('d')).toEqual(['begin', 'meanwhile'])
  })

  test('two entries on one record are both made', async () => {
    const answer = await send([put('a'), patch('a')])
    expect(entryVerdicts(answer)).toEqual(['200', '200'])
    expect(rig.stored('Observation', 'a')).toMatchObject({ status: 'final', note: [{ text: 'mine' }] })
  })

  test('an entry that named the version itself is told at once', async () => {
    meanwhile(['a'], 'p1', 1)
    const own = { ...put('a'), request: { ...put('a').request, ifMatch: 'W/"1"' } }
    expect(entryVerdicts(await send([own, put('b')]))).toEqual(['412 version-conflict', '200'])
    expect(bundles()).toHaveLength(1)
  })

  test('a client that may not read gets no content after another look either', async () => {
    meanwhile(['a'], 'p1', 1)
    const answer = await send([put('a'), put('b')], rig, 'batch', 'patient/Observation.u')
    expect(entryVerdicts(answer)).toEqual(['200', '200'])
    expect(answer.text).not.toContain('"resource"')
    expect(rig.upstream.arrived.filter(isBundle).map(({ headers }) => headers['prefer'])).toEqual([
      'return=minimal',
      'return=minimal',
    ])
  })

  test('behind a longer answer than may be held, the client is told', async () => {
    meanwhile(['b'], 'p1', 1, small)
    const long = put('a', { valueString: 'x'.repeat(2_500) })
    const answer = await send([long, put('b'), put('c')], small)
    expect(entryVerdicts(answer)).toEqual(['200', '412 version-conflict', '200'])
    expect(bundles(small)).toHaveLength(1)
  })
})

test('1,000 times two batches write the same records: no write is lost', { timeout: 120_000 }, async () => {
  for (let round = 0; round < 500; round++) {
    const answers = await Promise.all([send([put('a'), put('b')]), send([put('b'), put('a')])])
    expect(answers.flatMap(entryVerdicts)).toEqual(['200', '200', '200', '200'])
  }
  for (const id of ['a', 'b']) expect(authors(id)).toHaveLength(1001)
})

describe('an update whose condition found nothing', () => {
  const upsert = (): Entry => ({
    resource: { ...record('x', 'p1', 'mine'), id: undefined, identifier: [{ system: 'urn:x', value: 'u' }] },
    request: { method: 'PUT', url: 'Observation?identifier=urn:x|u' },
  })
  const madeBy = (patient: string): void => {
    let first = true
    creating.before = (arrived) => {
      if (!isBundle(arrived) || !first) return undefined
      first = false
      const other = record('u', patient, 'meanwhile', { identifier: [{ system: 'urn:x', value: 'u' }] })
      creating.store.resources.write('Observation', 'u', other, 'PUT')
      return undefined
    }
  }

  test('and finds what another made: that is updated', async () => {
    madeBy('p1')
    expect(entryVerdicts(await send([put('a'), upsert()], creating))).toEqual(['200', '200'])
    expect(authors('u', creating)).toEqual(['meanwhile', 'mine'])
  })

  test("and what another made is somebody else's: it is made besides", async () => {
    madeBy('p2')
    expect(entryVerdicts(await send([put('a'), upsert()], creating))).toEqual(['200', '201'])
    expect(authors('u', creating)).toEqual(['meanwhile'])
  })

  test('in a transaction the client is told that it was not updated', async () => {
    madeBy('p1')
    const answer = await send([put('a'), upsert()], creating, 'transaction')
    expect(entryVerdicts(answer)).toEqual(['200', '412 version-conflict'])
    expect(authors('u', creating)).toEqual(['meanwhile'])
  })
})

describe('the server dies', () => {
  const kill = (on: StoreRig): void => {
    on.upstream.raw = (request) => void request.socket.destroy()
  }

  test('between the looks and the batch: 502, and the records are as they were', async () => {
    let looks = 0
    rig.before = ({ method }) => {
      if (method === 'GET' && ++looks === 3) setImmediate(() => kill(rig))
      return undefined
    }
    expect((await send([put('a'), remove('b'), patch('c')])).status).toBe(502)
    for (const id of IDS) expect(rig.store.resources.versions('Observation', id)).toHaveLength(1)
    rig.upstream.raw = undefined
    rig.before = undefined
    expect(entryVerdicts(await send([put('a'), remove('b'), patch('c')]))).toEqual(['200', '204', '200'])
  })

  test('between the looks and a transaction: the same', async () => {
    rig.before = ({ method }) => {
      if (method === 'GET') setImmediate(() => kill(rig))
      return undefined
    }
    expect((await send([put('a')], rig, 'transaction')).status).toBe(502)
    expect(rig.store.resources.versions('Observation', 'a')).toHaveLength(1)
  })

  test('at another look: what was done is told, and what was not', async () => {
    let sent = 0
    rig.before = (arrived) => {
      if (!isBundle(arrived) || ++sent > 1) return undefined
      rig.store.resources.write('Observation', 'b', record('b', 'p1', 'meanwhile'), 'PUT')
      setTimeout(() => kill(rig), 0)
      return undefined
    }
    const answer = await send([put('a'), put('b'), post()])
    expect(answer.status).toBe(200)
    expect(entryVerdicts(answer)).toEqual([
      '200',
      expect.stringMatching(/^(?:502 upstream-broken|412 version-conflict)$/),
      '201',
    ])
    expect(authors('b')).toEqual(['begin', 'meanwhile'])
  })

  test('at the second batch: what was done is told, and what was not', async () => {
    let sent = 0
    rig.before = (arrived) => {
      if (arrived.method === 'GET' && sent === 1) setImmediate(() => kill(rig))
      if (!isBundle(arrived) || ++sent > 1) return undefined
      rig.store.resources.write('Observation', 'b', record('b', 'p1', 'meanwhile'), 'PUT')
      return undefined
    }
    const answer = await send([put('a'), put('b'), post()])
    expect(entryVerdicts(answer)).toEqual(['200', '412 version-conflict', '201'])
    expect(authors('b')).toEqual(['begin', 'meanwhile'])
  })

  test('and a whole batch that fails for a conflict is told in our own words', async () => {
    rig.before = (arrived) =>
      isBundle(arrived)
        ? { status: 409, body: { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'Patient/p2' }] } }
        : undefined
    const answer = await send([put('a')])
    expect([verdictOf(answer), answer.text.includes('Patient/p2')]).toEqual(['409 version-conflict', false])
  })
})

test('what a write of a batch conflicts with is told in our own words', async () => {
  rig.before = (arrived) =>
    isBundle(arrived)
      ? {
          body: {
            resourceType: 'Bundle',
            type: 'batch-response',
            entry: ['409 Conflict', '404 Not Found', '410'].map((status) => ({
              response: {
                status,
                outcome: { resourceType: 'OperationOutcome', issue: [{ diagnostics: 'Condition/of-p2' }] },
              },
            })),
          },
        }
      : undefined
  const answer = await send([remove('a'), put('b'), patch('c')])
  expect(entryVerdicts(answer).map((verdict) => verdict.slice(0, 3))).toEqual(['409', '404', '404'])
  expect(answer.text).not.toContain('of-p2')
})
