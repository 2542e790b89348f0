// What is left of a request in logs, metrics and refusals: names of routes, interactions and codes, never a token, an id, a query
// value, a header value or a body.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Answer } from '../support/http-client.ts'
import { exchangeRaw, requestText } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

/** Stands in every place where a client can put something. */
const MARK = 'mark3r'

let rig: Rig
beforeAll(async () => {
  rig = await startRig({
    map: fhirMap({
      more: `
  - { name: app, upstream: store, match: { "GET /app/{id}": app.read } }
scopes: { App: { app.read: { description: Read., credentials: [oauth2] } } }
`,
    }),
  })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const claims = { sub: MARK, client_id: MARK, fhirUser: `Practitioner/${MARK}`, jti: MARK }
const resource = { resourceType: 'Patient', id: MARK, name: [{ text: MARK }] }

test('after requests of every fate, nothing that a client sent is left', async () => {
  const answers: Answer[] = []
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const lines: readonly (readonly [
    line: string,
    body?: string | object | undefined,
    headers?: Record<string, string>,
  ])[] = [
    [`GET /fhir/R4/Patient/${MARK}`],
    [`GET /fhir/R4/Patient?name=${MARK}&${MARK}=1&_include=${MARK}`],
    [`GET /fhir/R4/Patient/${MARK}/Observation?code=${MARK}`],
    ['POST /fhir/R4/Patient/_search', `name=${MARK}`, form],
    ['POST /fhir/R4/Patient', resource, { 'If-None-Exist': `identifier=${MARK}` }],
    [`PUT /fhir/R4/Patient/${MARK}`, resource],
    [
      'POST /fhir/R4',
      { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Patient?name=${MARK}` } }] },
    ],
    [
      'POST /fhir/R4',
      { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Unicorn/${MARK}` } }] },
    ],
    [`GET /fhir/R4/${MARK}/1`],
    [`GET /fhir/R4/Patient/${MARK};x`],
    [`GET /fhir/R4/Patient?_${MARK}=1`],
    [`GET /fhir/R4/Patient?access_token=${MARK}`],
    [`GET /fhir/R4/_page/${MARK}`],
    [`GET /fhir/R4/Patient/$${MARK}`],
    [`GET /${MARK}`],
    [`GET /app/${MARK}?x=${MARK}`],
    [`GET /fhir/R4/Patient/1?x=${MARK}`, undefined, { X_Auth_Subject: MARK }],
    [`GET /fhir/R4/Patient/1`, undefined, { 'x-long': MARK.repeat(3000) }],
    [`GET /fhir/R4/Patient?x=${MARK.repeat(1500)}`],
  ]
  for (const scope of ['system/*.cruds app.read', `user/Group.r ${MARK}`]) {
    for (const [line, body, headers] of lines) {
      answers.push(
        await rig.ask(line, { scope, claims, ...(body !== undefined && { body }), ...(headers && { headers }) }),
      )
    }
  }
  for (const token of [MARK, `${MARK}.${MARK}.${MARK}`, `${await rig.token('user/*.rs', claims)}${MARK}`]) {
    answers.push(await rig.ask(`GET /fhir/R4/Patient/${MARK}`, { token }))
  }
  for (const text of [
    `${MARK} /${MARK} HTTP/1.1\r\n\r\n`,
    requestText(`GET /${MARK}`, [`X-A: ${MARK}\0`]),
    requestText(`${MARK.toUpperCase()} /x`),
  ]) {
    expect((await exchangeRaw(rig.port, text)).text).not.toMatch(/mark3r/i)
  }
  rig.upstream.raw = (request) => request.socket.end(`${MARK}\r\n\r\n`)
  answers.push(await rig.ask('GET /fhir/R4/Patient/1', { scope: 'system/*.rs', claims }))

  const refusals = answers.filter(({ status }) => status >= 400)
  expect(refusals.length).toBeGreaterThan(answers.length / 2)
  for (const { text, headers } of refusals) expect(text + JSON.stringify(headers)).not.toMatch(/mark3r/i)
  await expect.poll(() => rig.log().split('"msg":"request"').length).toBeGreaterThan(answers.length)
  expect(rig.log()).not.toMatch(/mark3r/i)
  expect(rig.log()).not.toMatch(/ey[A-Za-z0-9_-]{20}/)
  const metrics = (await rig.askAdmin('GET /metrics')).text
  expect(metrics).not.toMatch(/mark3r/i)
})

test('the metrics have the names and labels of the contract, and count what happened', async () => {
  await settled()
  const before = await counts()
  await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.rs' })
  await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.rs' })
  await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/Group.rs' })
  await rig.ask('GET /fhir/R4/Patient/p1')
  await rig.ask('GET /nowhere')
  await rig.ask('GET /fhir/R4/metadata')
  await rig.ask('GET /app/1', { scope: 'app.read' })
  // What is forwarded is recorded when its answer has left.
  const own = 'scopegate_gateway_seconds_count'
  await expect.poll(async () => (await counts()).get(own)).toBe((before.get(own) ?? 0) + 7)
  const after = await counts()
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0)
  expect({
    forwarded: grown('scopegate_requests_total{route="r4",interaction="read",outcome="forward",status="200"}'),
    denied: grown('scopegate_requests_total{route="r4",interaction="read",outcome="deny",status="403"}'),
    anonymous: grown('scopegate_requests_total{route="r4",interaction="none",outcome="none",status="401"}'),
    nowhere: grown('scopegate_requests_total{route="none",interaction="none",outcome="none",status="404"}'),
    open: grown('scopegate_requests_total{route="r4",interaction="capabilities",outcome="open",status="200"}'),
    product: grown('scopegate_requests_total{route="app",interaction="http",outcome="forward",status="200"}'),
    decidedForward: grown('scopegate_decisions_total{route="r4",outcome="forward",code="none"}'),
    decidedDeny: grown('scopegate_decisions_total{route="r4",outcome="deny",code="scope-insufficient"}'),
    tokenHits: grown('scopegate_cache_lookups_total{cache="token",result="hit"}'),
    tokenMisses: grown('scopegate_cache_lookups_total{cache="token",result="miss"}'),
    decisionHits: grown('scopegate_cache_lookups_total{cache="decision",result="hit"}'),
    upstream: grown('scopegate_upstream_seconds_count{upstream="store"}'),
  }).toEqual({
    forwarded: 2,
    denied: 1,
    anonymous: 1,
    nowhere: 1,
    open: 1,
    product: 1,
    decidedForward: 2,
    decidedDeny: 1,
    tokenHits: 1,
    tokenMisses: 3,
    decisionHits: 1,
    upstream: 3,
  })
  expect(after.get('scopegate_config_generation')).toBe(1)
  expect(after.get('scopegate_jwks_refreshes_total{issuer="ehr",result="success"}')).toBe(1)
})

test('one line a request, with what an operator needs', async () => {
  const before = rig.log().length
  const answer = await rig.ask('GET /fhir/R4/Observation?patient=1&code:in=x&_count=5', {
    scope: 'system/Observation.rs',
  })
  await expect.poll(() => rig.log().length).toBeGreaterThan(before)
  const lines = rig.log().slice(before).trim().split('\n')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    requestId: answer.headers['x-request-id'],
    route: 'r4',
    method: 'GET',
    interaction: 'search-type',
    outcome: 'forward',
    status: 200,
    durationMs: expect.any(Number),
    upstreamMs: expect.any(Number),
    ownMs: expect.any(Number),
    bytes: answer.bytes.length,
    upstream: 'store',
    issuer: 'ehr',
    parameters: ['patient', 'code:in', '_count'],
    msg: 'request',
  })
})

test('health', async () => {
  expect((await rig.askAdmin('GET /health/live')).json).toEqual({ status: 'alive' })
  expect((await rig.askAdmin('GET /health/ready')).json).toMatchObject({ status: 'ready', generation: 1 })
  expect((await rig.ask('GET /health/live')).status).toBe(404)
  expect((await rig.ask('GET /metrics')).status).toBe(404)
})

/** Until everything that was answered is recorded. */
async function settled(): Promise<void> {
  let last = -1
  await expect
    .poll(() => {
      const grown = rig.log().length - last
      last = rig.log().length
      return grown
    })
    .toBe(0)
}

async function counts(): Promise<ReadonlyMap<string, number>> {
  const { text } = await rig.askAdmin('GET /metrics')
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}
