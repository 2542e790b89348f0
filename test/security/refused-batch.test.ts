// A batch of which every entry is refused is answered like any other batch (R4 http §batch): 200, each refusal at the place of its entry
// with a status and an OperationOutcome of its own; nothing of it reaches the upstream. What cannot be read is refused by itself, too.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, entryVerdicts, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
})
afterAll(() => rig.close())

const observation = (id: string, patient: string) => ({
  resourceType: 'Observation',
  id,
  subject: { reference: `Patient/${patient}` },
})
beforeEach(() => rig.fill([observation('own', 'p1'), observation('foreign', 'p2')]))

const get = (url: unknown): object => ({ request: { method: 'GET', url } })
const put = (id: string, patient: string): object => ({
  resource: observation(id, patient),
  request: { method: 'PUT', url: `Observation/${id}` },
})
const remove = (url: string): object => ({ request: { method: 'DELETE', url } })
const send = (
  type: string,
  entry: readonly unknown[],
  scope = 'patient/Observation.cruds',
  headers: Record<string, string> = {},
): Promise<Answer> =>
  rig.ask('POST /fhir/R4', { scope, claims: { patient: 'p1' }, headers, body: { resourceType: 'Bundle', type, entry } })

describe('every entry is refused', () => {
  test('by its scopes: nothing is asked', async () => {
    const answer = await send('batch', [get('Condition/1'), remove('Patient/p1'), get('Observation?patient=p2')])
    expect(answer.status).toBe(200)
    expect(answer.json).toMatchObject({ resourceType: 'Bundle', type: 'batch-response' })
    expect(entryVerdicts(answer)).toEqual(['403 scope-insufficient', '403 scope-insufficient', '403 patient-mismatch'])
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect(answer.headers['content-type']).toContain('application/fhir+json')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('by what is stored: nothing but questions goes upstream', async () => {
    const answer = await send('batch', [put('foreign', 'p1'), put('own', 'p2'), remove('Observation/none')])
    expect(answer.status).toBe(200)
    expect(entryVerdicts(answer)).toEqual(['404 not-found', '403 scope-insufficient', '404 not-found'])
    expect(rig.written()).toEqual([])
  })

  test('by both', async () => {
    const answer = await send('batch', [get('Patient/p2'), put('foreign', 'p1')])
    expect(entryVerdicts(answer)).toEqual(['403 scope-insufficient', '404 not-found'])
    expect(rig.written()).toEqual([])
  })

  test('one entry alone, too, and one that is absent like one that is foreign', async () => {
    const answers = [await send('batch', [put('foreign', 'p1')]), await send('batch', [put('absent', 'p1')])]
    expect(answers[0]!.text).toBe(answers[1]!.text)
    expect(answers[0]!.status).toBe(200)
  })

  test('in XML, where that is asked for', async () => {
    const answer = await send('batch', [get('Condition/1')], undefined, { accept: 'application/fhir+xml' })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toContain('application/fhir+xml')
    expect(answer.text).toMatch(
      /^<\?xml [^>]*\?><Bundle xmlns="http:\/\/hl7.org\/fhir"><type value="batch-response"\/><entry><response><status value="403"\/><outcome><OperationOutcome .*<code value="scope-insufficient"\/>.*<\/Bundle>$/,
    )
  })

  test('since the server does not answer: the batch failed, and may be sent again', async () => {
    rig.upstream.raw = (request) => void request.socket.destroy()
    expect(verdictOf(await send('batch', [put('own', 'p1'), put('foreign', 'p1')]))).toBe('502 upstream-broken')
  })

  test('a transaction stays a transaction', async () => {
    expect(verdictOf(await send('transaction', [get('Condition/1'), get('Observation/own')]))).toBe(
      '403 scope-insufficient',
    )
    expect(rig.upstream.arrived).toEqual([])
  })

  test('a credential that is none is refused as such', async () => {
    const body = { resourceType: 'Bundle', type: 'batch', entry: [get('Condition/1')] }
    expect(verdictOf(await rig.ask('POST /fhir/R4', { token: 'x.y.z', body }))).toBe('401 token-invalid')
  })
})

describe('an entry that cannot be read', () => {
  const UNREADABLE: [what: string, entry: unknown, verdict: string][] = [
    ['no object', 'x', '400 body-invalid'],
    ['null', null, '400 body-invalid'],
    ['no request', { resource: observation('own', 'p1') }, '400 body-invalid'],
    ['another host', get('https://elsewhere.example.org/Observation/own'), '400 target-ambiguous'],
    ['a dot segment', get('Observation/../Patient/p2'), '400 target-ambiguous'],
    ['a url that is no text', get(['Observation/own']), '400 body-invalid'],
    ['an unknown type', get('Nonsense/1'), '404 interaction-unknown'],
    ['an operation', get('Patient/p1/$everything'), '403 operation-not-listed'],
    ['the statement', get('metadata'), '400 body-invalid'],
    ['another spelling', { request: { method: 'GET', Url: 'Observation/own' } }, '400 body-invalid'],
    [
      'another type in its body',
      { resource: observation('own', 'p1'), request: { method: 'PUT', url: 'Condition/own' } },
      '400 body-invalid',
    ],
  ]

  test.each(UNREADABLE)('%s: is refused by itself, and stays behind', async (_, entry, verdict) => {
    const answer = await send('batch', [get('Observation/own'), entry, put('own', 'p1')])
    expect(entryVerdicts(answer)).toEqual(['200', verdict, '200'])
    const [sent] = rig.upstream.arrived.filter(({ method }) => method === 'POST')
    expect(JSON.parse(sent!.text).entry.map(({ request }: { request: { url: string } }) => request.url)).toEqual([
      'Observation/own',
      'Observation/own',
    ])
  })

  test('and the last, the first, and all of them', async () => {
    const entries = UNREADABLE.map(([, entry]) => entry)
    const refused = UNREADABLE.map(([, , verdict]) => verdict)
    expect(entryVerdicts(await send('batch', [...entries, get('Observation/own')]))).toEqual([...refused, '200'])
    expect(entryVerdicts(await send('batch', [get('Observation/own'), ...entries]))).toEqual(['200', ...refused])
    rig.upstream.arrived.length = 0
    expect(entryVerdicts(await send('batch', entries))).toEqual(refused)
    expect(rig.upstream.arrived).toEqual([])
  })

  test('takes those with it that refer to what it would have made', async () => {
    const broken = { fullUrl: 'urn:uuid:1', request: { method: 'POST' }, resource: observation('x', 'p1') }
    const dependent = {
      resource: { ...observation('y', 'p1'), id: undefined, hasMember: [{ reference: 'urn:uuid:1' }] },
      request: { method: 'POST', url: 'Observation' },
    }
    const answer = await send('batch', [broken, dependent, get('Observation/own')])
    expect(entryVerdicts(answer)).toEqual(['400 body-invalid', '400 body-invalid', '200'])
  })

  test('refuses a whole transaction', async () => {
    for (const [, entry] of UNREADABLE) {
      expect((await send('transaction', [get('Observation/own'), entry])).status).toBeGreaterThanOrEqual(400)
    }
    expect(rig.upstream.arrived).toEqual([])
  })
})
