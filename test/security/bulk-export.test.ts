// T37, T38: exports that a server gave to the wrong client, or filled with more than was granted. The upstream here lies as far as it
// can: it ignores `_type` and `_typeFilter`, puts anything into its files and names places that are none of ours.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import type { Scripted } from '../support/recording-upstream.ts'
import { BASE, fhirMap, PUBLIC_URL, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ route: 'operations: { $export: { bulk: true } }' }) })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const local = (url: string): string => url.slice(PUBLIC_URL.length)
const up = (): string => rig.upstream.url

const line = (resource: object): string => JSON.stringify(resource)
const LABORATORY = { resourceType: 'Observation', id: 'lab', category: [{ coding: [{ code: 'laboratory' }] }] }
const SOCIAL = { resourceType: 'Observation', id: 'social', category: [{ coding: [{ code: 'social-history' }] }] }
const PATIENT = { resourceType: 'Patient', id: 'p1' }
const MIXED = [PATIENT, SOCIAL, LABORATORY, { resourceType: 'Group', id: 'g1' }].map(line).join('\n')

type Manifest = Record<string, unknown>

/** An upstream with one job at /base/jobs/1. */
function job(manifest: () => Manifest, files: Record<string, Scripted> = {}): void {
  rig.upstream.script = ({ url, method }) => {
    if (url.includes('$export'))
      return { status: 202, headers: { 'content-location': `${up()}/base/jobs/1` }, body: '' }
    if (url === '/base/jobs/1') {
      return method === 'DELETE'
        ? { status: 202, body: '' }
        : { headers: { 'content-type': 'application/json' }, body: manifest() }
    }
    return files[url] ?? { status: 404, body: { resourceType: 'OperationOutcome', issue: [] } }
  }
}

const ndjson = (body: string): Scripted => ({
  headers: { 'content-type': 'application/fhir+ndjson', 'x-total': '4' },
  body,
})

async function started(scope: string, target = '$export'): Promise<string> {
  const answer = await rig.ask(`GET /fhir/R4/${target}`, { scope, headers: { prefer: 'respond-async' } })
  expect(verdictOf(answer)).toBe('202')
  return local(answer.headers['content-location']!)
}

const get = (url: string, scope: string): Promise<Answer> => rig.ask(`GET ${local(url)}`, { scope })

describe('files', () => {
  test.each([
    ['system/Patient.rs', [PATIENT]],
    ['system/Patient.rs system/Observation.rs?category=laboratory', [PATIENT, LABORATORY]],
    ['system/Observation.rs?category=laboratory system/Observation.rs?category=social-history', [SOCIAL, LABORATORY]],
    ['system/*.rs', undefined],
  ])('T38: %s gets its own lines only', async (scope, wanted) => {
    job(
      () => ({
        transactionTime: 'now',
        output: [
          { type: 'Patient', url: `${up()}/base/files/1` },
          { type: 'Observation', url: `${up()}/base/files/1` },
        ],
      }),
      { '/base/files/1': ndjson(MIXED) },
    )
    const status = await started(scope)
    const { output } = (await get(PUBLIC_URL + status, scope)).json
    const file = await get(output[0].url, scope)
    expect(file.text).toBe(wanted === undefined ? MIXED : wanted.map((one) => `${line(one)}\n`).join(''))
    // Nothing beside the body counts what was withheld.
    expect(file.headers['x-total']).toBe(wanted === undefined ? '4' : undefined)
  })

  test.each([
    ['a line that is no JSON', ndjson(`${line(PATIENT)}\nPatient`)],
    [
      'a whole Bundle',
      {
        headers: { 'content-type': 'application/fhir+json' },
        body: { resourceType: 'Bundle', entry: [{ resource: SOCIAL }] },
      },
    ],
    [
      'compressed lines',
      { headers: { 'content-type': 'application/fhir+ndjson', 'content-encoding': 'gzip' }, body: line(PATIENT) },
    ],
    ['a redirect', { status: 302, headers: { location: 'https://elsewhere.example/1' }, body: '' }],
  ])('%s is not passed on', async (_, scripted) => {
    job(() => ({ transactionTime: 'now', output: [{ type: 'Patient', url: `${up()}/base/files/1` }] }), {
      '/base/files/1': scripted,
    })
    const { output } = (await get(PUBLIC_URL + (await started('system/Patient.rs')), 'system/Patient.rs')).json
    const answer = await get(output[0].url, 'system/Patient.rs').catch(() => undefined)
    expect(answer?.status ?? 502).toBe(502)
    expect(answer?.text ?? '').not.toContain('Patient"')
  })

  test('a Bundle, Parameters or containers among the lines do not smuggle', async () => {
    const smuggled = [
      { resourceType: 'Bundle', type: 'collection', entry: [{ resource: SOCIAL }] },
      { resourceType: 'Parameters', parameter: [{ name: 'x', resource: SOCIAL }] },
      { resourceType: 'OperationOutcome', contained: [SOCIAL] },
      { resourceType: 'Observations' },
      [SOCIAL],
      null,
      'Patient',
      {},
    ]
    const body = smuggled.map((one) => JSON.stringify(one)).join('\r\n')
    job(() => ({ transactionTime: 'now', output: [{ type: 'Patient', url: `${up()}/base/files/1` }] }), {
      '/base/files/1': ndjson(body),
    })
    const { output } = (await get(PUBLIC_URL + (await started('system/Patient.rs')), 'system/Patient.rs')).json
    expect((await get(output[0].url, 'system/Patient.rs')).text).toBe('')
  })

  test('what was deleted is named by type only where all of the type is allowed', async () => {
    const gone = (url: string): object => ({ request: { method: 'DELETE', url } })
    const body = [
      {
        resourceType: 'Bundle',
        type: 'transaction',
        entry: [gone('Patient/1'), gone('Group/2'), gone('Observation/3'), { ...gone('Patient/4'), resource: SOCIAL }],
      },
      { resourceType: 'Bundle', type: 'transaction', entry: [gone('Group/5')] },
      PATIENT,
    ]
    job(
      () => ({
        transactionTime: 'now',
        output: [],
        deleted: [{ type: 'Bundle', url: `${up()}/base/files/gone`, count: 3 }],
      }),
      { '/base/files/gone': ndjson(body.map(line).join('\n')) },
    )
    const scope = 'system/Patient.rs system/Observation.rs?category=laboratory'
    const { deleted } = (await get(PUBLIC_URL + (await started(scope)), scope)).json
    expect(deleted).toEqual([{ type: 'Bundle', url: expect.stringContaining(`${BASE}/_export/`) }])
    const kept = { resourceType: 'Bundle', type: 'transaction', entry: [gone('Patient/1'), gone('Patient/4')] }
    expect((await get(deleted[0].url, scope)).text).toBe(`${line(kept)}\n`)
  })
})

describe('the manifest', () => {
  test('shows known members, sealed URLs and nothing of the upstream', async () => {
    job(() => ({
      transactionTime: '2026-01-01T00:00:00Z',
      request: `${up()}/base/$export?_secret=1`,
      requiresAccessToken: false,
      output: [
        { type: 'Patient', url: `${up()}/base/files/1`, count: 7, extension: { at: up() } },
        { type: 'Group', url: `${up()}/base/files/2`, count: 1 },
        { type: 'Patient', url: `${up()}/elsewhere/3?sig=x` },
        { type: 'Patient', url: 'https://bucket.example/4' },
        { type: 'Patient', url: 'http://127.0.0.1:1/5' },
        { type: 'Patient', url: 'file:///etc/passwd' },
        { type: 'Patient' },
        'nonsense',
      ],
      error: [{ type: 'OperationOutcome', url: `${up()}/base/files/6`, count: 9 }],
      link: [{ relation: 'next', url: `${up()}/base/jobs/1?page=2` }],
      extension: { at: up() },
      secret: up(),
    }))
    const status = await started('system/Patient.rs', 'Patient/$export?_since=2020-01-01T00:00:00Z')
    const answer = await get(PUBLIC_URL + status, 'system/Patient.rs')
    const sealed = expect.stringMatching(/^https:\/\/api\.example\.org\/fhir\/R4\/_export\/[\w-]+$/)
    expect(answer.json).toEqual({
      transactionTime: '2026-01-01T00:00:00Z',
      request: `${BASE}/Patient/$export?_since=2020-01-01T00:00:00Z`,
      requiresAccessToken: true,
      output: [
        { type: 'Patient', url: sealed, count: 7 },
        { type: 'Patient', url: sealed },
      ],
      error: [{ type: 'OperationOutcome', url: sealed }],
      link: [{ relation: 'next', url: sealed }],
      extension: { 'urn:scopegate:left-out': 3 },
    })
    expect(answer.text).not.toContain(up())
    await get(answer.json.output[1].url, 'system/Patient.rs')
    expect(rig.upstream.arrived.at(-1)!.url).toBe('/elsewhere/3?sig=x')
    await get(answer.json.link[0].url, 'system/Patient.rs')
    expect(rig.upstream.arrived.at(-1)!.url).toBe('/base/jobs/1?page=2')
  })

  test.each([
    ['no object', []],
    ['no output', { transactionTime: 'now' }],
    ['no time', { output: [] }],
  ])('one with %s is not passed on', async (_, manifest) => {
    job(() => manifest as Manifest)
    const status = await started('system/*.rs')
    expect(verdictOf(await get(PUBLIC_URL + status, 'system/*.rs'))).toBe('502 upstream-broken')
  })
})

describe('status', () => {
  test('202 comes with its progress and nothing else', async () => {
    const status = await startedWith({
      status: 202,
      headers: { 'x-progress': '50 %', 'retry-after': '3' },
      body: { secret: 1 },
    })
    const answer = await get(PUBLIC_URL + status, 'system/*.rs')
    expect([answer.status, answer.headers['x-progress'], answer.headers['retry-after'], answer.text]).toEqual([
      202,
      '50 %',
      '3',
      '',
    ])
  })

  const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'exception' }] }
  test.each([
    ['a failed job', { status: 500, headers: { 'content-type': 'application/fhir+json' }, body: outcome }, 500],
    ['polling too fast', { status: 429, headers: { 'retry-after': '9' }, body: 'slow down' }, 429],
    ['an error page', { status: 500, headers: { 'content-type': 'text/html' }, body: '<p>stack' }, 502],
    [
      'an outcome with more in it',
      { status: 400, headers: { 'content-type': 'application/json' }, body: { ...outcome, contained: [PATIENT] } },
      502,
    ],
    ['another place', { status: 303, headers: { location: 'https://elsewhere.example' }, body: '' }, 502],
    ['a challenge of its own', { status: 401, headers: { 'www-authenticate': 'Basic' }, body: outcome }, 502],
    ['nothing', { status: 404, body: { at: 'http://internal' } }, 404],
  ])('%s', async (_, scripted, wanted) => {
    const status = await startedWith(scripted)
    const answer = await get(PUBLIC_URL + status, 'system/*.rs')
    expect(answer.status).toBe(wanted)
    expect(answer.text).not.toMatch(/stack|elsewhere|internal|slow|p1/)
  })

  test.each([
    ['no place', {}],
    ['a place on another server', { 'content-location': 'https://elsewhere.example/jobs/1' }],
    ['a place with a broken path', { 'content-location': '/base/../../x' }],
  ])('a kick-off that is answered with %s is broken', async (_, headers) => {
    rig.upstream.script = () => ({ status: 202, headers, body: '' })
    const answer = await rig.ask('GET /fhir/R4/$export', { scope: 'system/*.rs' })
    expect(verdictOf(answer)).toBe('502 upstream-broken')
  })

  async function startedWith(scripted: Scripted): Promise<string> {
    job(() => ({}))
    const status = await started('system/*.rs')
    rig.upstream.script = () => scripted
    return status
  }
})

describe('a Group', () => {
  const scope = 'system/Patient.rs system/Group.r?code=diabetes'
  test.each([
    ['that the limits allow', { resourceType: 'Group', id: 'g1', code: { coding: [{ code: 'diabetes' }] } }, '202'],
    ['that they do not', { resourceType: 'Group', id: 'g1', code: { coding: [{ code: 'staff' }] } }, '404 not-found'],
    ['by another id', { resourceType: 'Group', id: 'g2', code: { coding: [{ code: 'diabetes' }] } }, '404 not-found'],
    ['that is none', PATIENT, '404 not-found'],
  ])('%s', async (_, group, verdict) => {
    rig.upstream.script = ({ url }) =>
      url.includes('$export')
        ? { status: 202, headers: { 'content-location': `${up()}/base/jobs/1` }, body: '' }
        : { body: group }
    const answer = await rig.ask('GET /fhir/R4/Group/g1/$export?_type=Patient', { scope })
    expect(verdictOf(answer)).toBe(verdict)
    expect(rig.upstream.arrived.some(({ url }) => url.includes('$export'))).toBe(verdict === '202')
  })
})
