// What `explain` says on the admin port, what it says on the command line and what happens to the request are one verdict.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ExplainOptions, runExplain } from '../../src/cli/explain.ts'
import type { Explanation } from '../../src/server/explain/explain.ts'
import { codeOf } from '../support/http-client.ts'
import { BASE, fhirMap, type Rig, startRig } from '../support/rig.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'scopegate-'))
const MAP = join(FOLDER, 'routes.yaml')

let rig: Rig
beforeAll(async () => {
  const map = fhirMap({
    more: `
  - { name: app, upstream: store, match: { POST /app/*: { allOf: [app.read, app.write] }, GET /open: public } }
scopes:
  App:
    app.read: { description: Read., credentials: [oauth2, api-key] }
    app.write: { description: Write., credentials: [api-key] }
`,
  })
  rig = await startRig({
    map: (at) =>
      map(at).replace(
        ', jwks:',
        ', scopeMap: { reader: user/*.rs }, mayGrant: ["user/*", "patient/*", "system/*", reader, "app.*"], jwks:',
      ),
  })
  writeFileSync(MAP, rig.map)
})
afterAll(async () => {
  await rig.close()
  rmSync(FOLDER, { recursive: true })
})
beforeEach(() => rig.upstream.reset())

interface Case {
  readonly line: string
  readonly scope?: string
  readonly patient?: string
  readonly fhirUser?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** What the upstream has: a guarded read is permitted only when it is inside. */
  readonly stored?: object
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const batch = (url: string): string =>
  JSON.stringify({ resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url } }] })

const CATEGORY = 'http://terminology.hl7.org/CodeSystem/condition-category'
const PROBLEM = {
  resourceType: 'Condition',
  id: 'c1',
  category: [{ coding: [{ system: CATEGORY, code: 'problem-list-item' }] }],
}

const CASES: readonly Case[] = [
  { line: 'GET /fhir/R4/Patient/p1', scope: 'user/Patient.r' },
  { line: 'GET /fhir/R4/Patient/p1', scope: 'user/Patient.s' },
  { line: 'GET /fhir/R4/Patient/p1', scope: 'reader' },
  { line: 'GET /fhir/R4/Patient/p1', scope: 'launch openid' },
  { line: 'HEAD /fhir/R4/Patient?name=x', scope: 'user/Patient.s' },
  { line: 'GET /fhir/R4/Observation?_include=Observation:subject:Patient', scope: 'user/Observation.rs' },
  { line: 'GET /fhir/R4/Patient/p1', scope: 'patient/*.rs' },
  { line: 'GET /fhir/R4/Patient/p2', scope: 'patient/*.rs', patient: 'p1' },
  { line: 'GET /fhir/R4/Patient/p1', scope: 'patient/*.rs', patient: 'p1' },
  { line: 'GET /fhir/R4/Patient/p2', scope: 'patient/*.rs', patient: '../p2' },
  { line: 'GET /fhir/R4/Patient/p2', scope: 'user/*.rs', fhirUser: 'Patient/p1' },
  { line: 'GET /fhir/R4/Patient/p2', scope: 'user/*.rs', fhirUser: `${BASE}/Patient/p1` },
  { line: 'GET /fhir/R4/Patient/p2', scope: 'user/*.rs', fhirUser: 'https://elsewhere.example/Patient/p1' },
  { line: 'GET /fhir/R4/Patient/p2', scope: 'user/*.rs', fhirUser: 'Practitioner/1' },
  {
    line: 'GET /fhir/R4/Condition/c1',
    scope: 'user.Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item',
    fhirUser: 'Practitioner/1',
    stored: PROBLEM,
  },
  { line: 'POST /fhir/R4/Patient/_search?name=x', scope: 'system/Patient.s', headers: FORM, body: 'family=y' },
  { line: 'POST /fhir/R4/Patient/_search', scope: 'system/Patient.s', headers: FORM, body: 'organization.name=y' },
  {
    line: 'POST /fhir/R4/Patient/_search',
    scope: 'system/Patient.s',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  },
  { line: 'POST /fhir/R4', scope: 'system/Patient.r', body: batch('Patient/p1') },
  { line: 'POST /fhir/R4', scope: 'system/Patient.r', body: batch('Patient?name=x') },
  { line: 'POST /fhir/R4', scope: 'system/Patient.r', body: '{}' },
  { line: 'POST /fhir/R4/Patient', scope: 'system/Patient.c', body: '{"resourceType":"Patient"}' },
  { line: 'POST /fhir/R4/Patient', scope: 'system/Patient.c', body: '{"resourceType":"Group"}' },
  {
    line: 'POST /fhir/R4/Patient',
    scope: 'system/Patient.c',
    body: '{"resourceType":"Patient"}',
    headers: { 'if-none-exist': 'name=x' },
  },
  { line: 'PUT /fhir/R4/Patient/p1', scope: 'system/Patient.u', body: '{"resourceType":"Patient","id":"p2"}' },
  {
    line: 'PATCH /fhir/R4/Patient/p1',
    scope: 'system/Patient.u',
    body: '[]',
    headers: { 'content-type': 'application/json-patch+json' },
  },
  {
    line: 'POST /fhir/R4/Subscription',
    scope: 'system/Subscription.c system/Goal.rs',
    body: '{"resourceType":"Subscription","criteria":"Goal?lifecycle-status=x","channel":{"type":"rest-hook"}}',
  },
  { line: 'POST /fhir/R4/Subscription', scope: 'system/Subscription.c', body: '{"resourceType":"Subscription"}' },
  { line: 'DELETE /fhir/R4/Patient/p1', scope: 'system/Patient.d' },
  { line: 'DELETE /fhir/R4/Patient/p1', scope: 'system/Patient.d', body: '{}' },
  { line: 'GET /fhir/R4/Patient/$match', scope: 'system/*.cruds' },
  { line: 'GET /fhir/R4/Unicorn/1', scope: 'system/*.cruds' },
  { line: 'OPTIONS /fhir/R4/Patient', scope: 'system/*.cruds' },
  { line: 'GET /fhir/R4/Patient/p1;x', scope: 'system/*.cruds' },
  { line: 'GET /fhir/R4/Patient?access_token=x', scope: 'system/*.cruds' },
  { line: 'GET /fhir/R4/Patient?name=x', scope: 'system/*.cruds', headers: { X_Auth_Subject: 'root' } },
  { line: 'GET /nowhere', scope: 'system/*.cruds' },
  { line: 'GET /open' },
  { line: 'POST /app/x/y', scope: 'app.read app.write' },
  { line: 'POST /app/x/y', scope: 'app.read' },
  { line: 'GET /app/x', scope: 'app.read' },
  { line: 'GET /fhir/R4/metadata' },
  { line: 'DELETE /fhir/R4/metadata' },
]

test.each(CASES)('$line $scope $body', async ({ line, scope, patient, fhirUser, headers = {}, body, stored }) => {
  if (stored !== undefined) rig.upstream.script = () => ({ body: stored })
  const [method = '', target = ''] = line.split(' ')
  const claims = { ...(patient && { patient }), ...(fhirUser && { fhirUser }) }
  const live = await rig.ask(line, {
    ...(scope !== undefined && { scope, claims }),
    headers,
    ...(body !== undefined && { body }),
  })
  const asked = { method, target, scope, patient, fhirUser, headers, body }
  const admin = await explainByAdmin(asked)
  const refusal =
    codeOf(live) ??
    codeOf({ json: live.json?.entry?.[0]?.response?.outcome, text: '' }) ??
    (line.startsWith('HEAD') && live.status >= 400 ? 'refused' : undefined)

  expect(admin.permitted, JSON.stringify(admin)).toBe(refusal === undefined)
  expect(admin.refusal?.code).toBe(refusal)
  if (refusal !== undefined) {
    expect(String(admin.refusal!.status)).toBe(live.json?.entry?.[0]?.response?.status ?? String(live.status))
  }
  const scopes = / scope="([^"]*)"/.exec(live.headers['www-authenticate'] ?? '')?.[1]
  expect(admin.refusal?.scopes?.join(' ')).toBe(scopes)
  // What it says would be forwarded is what was.
  const [arrived] = rig.upstream.arrived
  const forwarded = admin.forwarded && `${admin.forwarded.method} /base${admin.forwarded.path}`
  expect(forwarded).toBe(arrived && `${arrived.method} ${arrived.url}`)
  if (admin.forwarded?.body !== undefined) expect(admin.forwarded.body).toBe(arrived!.text)

  const bodyFile = body === undefined ? undefined : join(FOLDER, 'body')
  if (bodyFile !== undefined) writeFileSync(bodyFile, body!)
  const cli = await explainByCommand({
    ...asked,
    headers: Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    bodyFile,
  })
  expect(cli.explanation).toEqual(admin)
  expect(cli.exitCode).toBe(admin.permitted ? 0 : 3)
})

test('a conditional write within limits goes to what is said to be stored', async () => {
  const stored = JSON.stringify({ resourceType: 'Observation', id: 'o1', subject: { reference: 'Patient/p1' } })
  const asked = {
    method: 'DELETE',
    target: '/fhir/R4/Observation?identifier=x',
    scope: 'patient/Observation.ds',
    patient: 'p1',
  }
  expect(await explainByAdmin(asked)).toMatchObject({ permitted: true, unchecked: expect.any(String) })
  expect(await explainByAdmin({ ...asked, stored })).toMatchObject({
    permitted: true,
    forwarded: { path: '/Observation/o1' },
  })
  expect(await explainByAdmin({ ...asked, stored, patient: 'p2' })).toMatchObject({
    permitted: false,
    refusal: { code: 'not-found' },
  })
})

describe('with a token instead of stated facts', () => {
  test('a good one is verified and decides', async () => {
    const token = await rig.token('user/Patient.rs', { fhirUser: 'Practitioner/1' })
    const tokenFile = join(FOLDER, 'token')
    writeFileSync(tokenFile, `${token}\n`)
    const admin = await explainByAdmin({ method: 'GET', target: '/fhir/R4/Patient/p1', token })
    expect(admin).toMatchObject({
      permitted: true,
      scopes: [{ granted: 'user/Patient.rs', meaning: 'user/Patient.rs' }],
    })
    const { explanation, exitCode } = await explainByCommand({
      method: 'GET',
      target: '/fhir/R4/Patient/p1',
      headers: [],
      tokenFile,
    })
    expect([explanation, exitCode]).toEqual([admin, 0])
  })

  test('a bad one is refused as it would be', async () => {
    const token = await rig.token('user/Patient.rs', { aud: 'https://other.example' })
    const admin = await explainByAdmin({ method: 'GET', target: '/fhir/R4/Patient/p1', token })
    expect(admin).toMatchObject({ permitted: false, refusal: { code: 'token-invalid', status: 401 } })
    expect(JSON.stringify(admin)).not.toContain(token)
  })
})

async function explainByAdmin(asked: object): Promise<Explanation> {
  const { status, json, text } = await rig.askAdmin('POST /explain', {
    headers: { 'content-type': 'application/json' },
    body: asked,
  })
  expect(status, text).toBe(200)
  return json
}

async function explainByCommand(
  asked: Partial<ExplainOptions>,
): Promise<{ explanation: Explanation; exitCode: number }> {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    const exitCode = await runExplain({ config: MAP, json: true, headers: [], method: '', target: '', ...asked })
    return { explanation: JSON.parse(print.mock.calls.join('\n')), exitCode }
  } finally {
    print.mockRestore()
  }
}
