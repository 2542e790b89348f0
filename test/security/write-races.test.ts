// Between the look at what is stored and the write nothing can slip in: the write holds only for the version that was looked at. Two
// clients at the same record, a server that dies in between, servers without versions, and the window of one that ignores If-Match.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import type { Arrived } from '../support/recording-upstream.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
let unversioned: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
  unversioned = await startStoreRig('unversionedWrites: allow')
})
afterAll(async () => {
  await rig.close()
  await unversioned.close()
})

const record = (patient: string, author: string) => ({
  resourceType: 'Observation',
  id: 'r',
  subject: { reference: `Patient/${patient}` },
  note: [{ text: author }],
})
const BYSTANDER = { resourceType: 'Observation', id: 'other', subject: { reference: 'Patient/p2' } }
beforeEach(() => {
  rig.fill([record('p1', 'begin'), BYSTANDER])
  unversioned.fill([record('p1', 'begin'), BYSTANDER])
})

const PUT = 'PUT /fhir/R4/Observation/r'
const limited = (line: string, body?: object, headers: Record<string, string> = {}, on = rig): Promise<Answer> =>
  on.ask(line, { scope: 'patient/Observation.cruds', claims: { patient: 'p1' }, headers, ...(body && { body }) })
const unlimited = (line: string, body?: object): Promise<Answer> =>
  rig.ask(line, { scope: 'system/Observation.cruds', ...(body && { body }) })
/** What somebody else stores while a request is on its way. */
const meanwhile = (patient: string, on = rig): unknown =>
  on.store.resources.write('Observation', 'r', record(patient, 'meanwhile'), 'PUT')
const versions = () => rig.store.resources.versions('Observation', 'r').map(({ resource }) => resource)
const authorOf = (version: ReturnType<typeof versions>[number] | undefined): string =>
  (version as ReturnType<typeof record>).note[0]!.text
const patientOf = (version: ReturnType<typeof versions>[number] | undefined): string =>
  (version as ReturnType<typeof record>).subject.reference

describe('two clients', () => {
  test("1,000 times one moves the record while another writes it: never is it written while it is somebody else's", {
    timeout: 120_000,
  }, async () => {
    const verdicts: Record<string, number> = {}
    for (let round = 0; round < 1000; round++) {
      const [written] = await Promise.all([
        limited(PUT, record('p1', 'limited')),
        unlimited(PUT, record(round % 2 === 0 ? 'p2' : 'p1', 'mover')),
      ])
      verdicts[verdictOf(written)] = (verdicts[verdictOf(written)] ?? 0) + 1
    }
    const all = versions()
    for (const [index, version] of all.entries()) {
      if (authorOf(version) === 'limited') expect(patientOf(all[index - 1]), `version ${index + 1}`).toBe('Patient/p1')
    }
    expect(
      Object.keys(verdicts).every((verdict) => ['200', '404 not-found', '412 version-conflict'].includes(verdict)),
    ).toBe(true)
    expect(all.filter((version) => authorOf(version) === 'limited')).toHaveLength(verdicts['200'] ?? 0)
    expect(all.filter((version) => authorOf(version) === 'mover')).toHaveLength(1000)
  })

  test('1,000 times two write the same record: no write is lost', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 1000; round++) {
      const answers = await Promise.all([
        limited(PUT, record('p1', `a${round}`)),
        limited(PUT, record('p1', `b${round}`)),
      ])
      expect(answers.map(verdictOf)).toEqual(['200', '200'])
    }
    const authors = versions().map(authorOf)
    expect(authors).toHaveLength(2001)
    expect(new Set(authors).size).toBe(2001)
  })
})

describe('the record changes between the look and the write', () => {
  const changing = (times: number, patient: string, on = rig): void => {
    let left = times
    on.before = ({ method }) => {
      if (method !== 'GET' && left-- > 0) meanwhile(patient, on)
      return undefined
    }
  }
  const WRITES: readonly (readonly [method: string, () => Promise<Answer>])[] = [
    ['PUT', () => limited(PUT, record('p1', 'limited'))],
    [
      'PATCH',
      () =>
        limited('PATCH /fhir/R4/Observation/r', [{ op: 'add', path: '/status', value: 'final' }], {
          'content-type': 'application/json-patch+json',
        }),
    ],
    ['DELETE', () => limited('DELETE /fhir/R4/Observation/r')],
    ['PUT by a condition', () => limited('PUT /fhir/R4/Observation?_id=r', record('p1', 'limited'))],
    [
      'a transaction',
      () =>
        limited('POST /fhir/R4', {
          resourceType: 'Bundle',
          type: 'transaction',
          entry: [{ resource: record('p1', 'limited'), request: { method: 'PUT', url: 'Observation/r' } }],
        }),
    ],
  ]

  test.each(WRITES)('%s: to somebody else: not there', async (_, send) => {
    changing(1, 'p2')
    expect(verdictOf(await send())).toBe('404 not-found')
    expect(authorOf(rig.stored('Observation', 'r'))).toBe('meanwhile')
  })

  test.each(WRITES)('%s: and stays within: written after another look', async (_, send) => {
    changing(2, 'p1')
    const answer = await send()
    expect(answer.status, answer.text).toBeLessThan(300)
    expect(rig.written()).toHaveLength(3)
  })

  test.each(WRITES)('%s: again and again: the client is told so', async (_, send) => {
    changing(Number.POSITIVE_INFINITY, 'p1')
    expect(verdictOf(await send())).toBe('412 version-conflict')
    expect(rig.written()).toHaveLength(4)
  })

  test('a client that named the version itself is told at once', async () => {
    changing(1, 'p1')
    expect(verdictOf(await limited(PUT, record('p1', 'limited'), { 'If-Match': 'W/"1"' }))).toBe('412 version-conflict')
    expect(rig.written()).toHaveLength(1)
  })

  test('one that named any version is none of these', async () => {
    changing(1, 'p1')
    expect((await limited(PUT, record('p1', 'limited'), { 'If-Match': '*' })).status).toBe(200)
    expect(rig.written()).toHaveLength(2)
  })

  test('and so is one that wanted to make what is there', async () => {
    expect(verdictOf(await limited(PUT, record('p1', 'limited'), { 'If-None-Match': '*' }))).toBe(
      '412 version-conflict',
    )
    expect(rig.written()).toHaveLength(1)
    expect(authorOf(rig.stored('Observation', 'r'))).toBe('begin')
  })
})

describe('the server dies', () => {
  test.each(['PUT', 'DELETE', 'PATCH'])('between the look and a %s: the record is as it was', async (method) => {
    rig.before = ({ method: asked }) => {
      if (asked === 'GET') rig.upstream.raw = (request) => void request.socket.destroy()
      return undefined
    }
    const headers = method === 'PATCH' ? { 'content-type': 'application/json-patch+json' } : {}
    const body = method === 'PUT' ? record('p1', 'limited') : method === 'PATCH' ? [] : undefined
    const answer = await limited(`${method} /fhir/R4/Observation/r`, body, headers as Record<string, string>)
    expect(answer.status).toBe(502)
    expect(versions()).toHaveLength(1)
  })

  test('at the look: nothing is written', async () => {
    rig.upstream.raw = (request) => void request.socket.destroy()
    expect(verdictOf(await limited(PUT, record('p1', 'limited')))).toBe('502 upstream-broken')
    expect(versions()).toHaveLength(1)
  })

  test('behind the write, before it answered: the record is whole, and a retry is safe', async () => {
    rig.before = () => {
      rig.upstream.raw = async (request) => {
        const chunks: Buffer[] = []
        for await (const chunk of request) chunks.push(chunk as Buffer)
        rig.store.resources.write('Observation', 'r', JSON.parse(Buffer.concat(chunks).toString()), 'PUT')
        rig.upstream.raw = undefined
        request.socket.destroy()
      }
      rig.before = undefined
      return undefined
    }
    expect(verdictOf(await limited(PUT, record('p1', 'limited')))).toBe('502 upstream-broken')
    expect(versions().map(authorOf)).toEqual(['begin', 'limited'])
    expect((await limited(PUT, record('p1', 'limited'))).status).toBe(200)
    expect(versions().map(authorOf)).toEqual(['begin', 'limited', 'limited'])
  })

  test('and stays away: 502, and nothing is half written', async () => {
    const away = await startStoreRig()
    away.fill([record('p1', 'begin')])
    away.before = () => {
      void away.upstream.close()
      return undefined
    }
    expect((await limited(PUT, record('p1', 'limited'), {}, away)).status).toBe(502)
    expect(away.store.resources.journal).toHaveLength(1)
    await away.close()
  })
})

describe('a server without versions', () => {
  const withoutVersions = (on: StoreRig): void => {
    on.before = ({ method, url }) => {
      if (method !== 'GET') return undefined
      const { meta: _, ...resource } = on.stored('Observation', url.split('/').at(-1)!)
      return { body: resource }
    }
  }

  test('is not written to within limits', async () => {
    withoutVersions(rig)
    expect(verdictOf(await limited(PUT, record('p1', 'limited')))).toBe('403 constraint-unenforceable')
    expect(verdictOf(await limited('DELETE /fhir/R4/Observation/r'))).toBe('403 constraint-unenforceable')
    expect(verdictOf(await limited('DELETE /fhir/R4/Observation/other'))).toBe('404 not-found')
    expect(rig.written()).toEqual([])
  })

  test('is written to where the route says so, after the same look', async () => {
    withoutVersions(unversioned)
    expect((await limited(PUT, record('p1', 'limited'), {}, unversioned)).status).toBe(200)
    expect(unversioned.upstream.arrived.at(-1)!.headers['if-match']).toBeUndefined()
    expect(verdictOf(await limited('DELETE /fhir/R4/Observation/other', undefined, {}, unversioned))).toBe(
      '404 not-found',
    )
  })

  test('that tells them in meta only will do', async () => {
    rig.before = ({ method }) => (method === 'GET' ? { body: rig.stored('Observation', 'r') } : undefined)
    expect((await limited(PUT, record('p1', 'limited'))).status).toBe(200)
    expect(rig.upstream.arrived.at(-1)!.headers['if-match']).toBe('W/"1"')
  })
})

test('a server that ignores If-Match leaves a window, as wide as that one record', async () => {
  rig.before = (arrived): Arrived | undefined => {
    if (arrived.method === 'GET') return undefined
    meanwhile('p2')
    const { 'if-match': _, ...headers } = arrived.headers
    return { ...arrived, headers }
  }
  expect((await limited(PUT, record('p1', 'limited'))).status).toBe(200)
  expect(versions().map(authorOf)).toEqual(['begin', 'meanwhile', 'limited'])
  expect(rig.store.resources.versions('Observation', 'other')).toHaveLength(1)
})
