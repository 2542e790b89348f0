// A real HAPI FHIR JPA server behind the gateway: the verdicts that matter, with what that server makes of the requests that we send.
// HAPI_URL asks a server that runs already, with an empty store; else one is started from Maven Central, which takes a minute or more.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { BASE, fhirMap, type Rig, type RigAsk, startRig } from '../support/rig.ts'
import { type JavaProgram, runsInterop, startJava } from './support/java.ts'

// The server warms up while it is asked.
vi.setConfig({ testTimeout: 180_000 })

const LAB = 'laboratory'
const CATEGORY = 'http://terminology.hl7.org/CodeSystem/observation-category'
const ROUTE = `
operations:
  "Patient/{id}/$everything": { requires: "*.rs" }
  "{type}/$validate": { requires: "{type}.r", methods: [POST] }
limits: { guardedBody: 10MiB }
`

interface Entry {
  readonly resource: { readonly resourceType: string; readonly id?: string }
  readonly response?: { readonly status: string }
}

const idsIn = ({ json }: { json: { entry?: Entry[] } }): string[] =>
  (json.entry ?? []).map(({ resource }) => `${resource.resourceType}/${resource.id}`).sort()

function observation(id: string | undefined, patient: string, category: string, code = '718-7') {
  return {
    resourceType: 'Observation',
    id,
    status: 'final',
    category: [{ coding: [{ system: CATEGORY, code: category }] }],
    code: { coding: [{ system: 'http://loinc.org', code }] },
    subject: { reference: `Patient/${patient}` },
  }
}

const RESOURCES = [
  { resourceType: 'Practitioner', id: 'dr', name: [{ family: 'Who' }] },
  ...['p1', 'p2', 'p3'].map((id) => ({
    resourceType: 'Patient',
    id,
    identifier: [{ system: 'urn:mrn', value: `mrn-${id}` }],
    name: [{ family: `Family${id}` }],
    generalPractitioner: [{ reference: 'Practitioner/dr' }],
  })),
  observation('o1', 'p1', LAB),
  observation('o2', 'p1', 'vital-signs', '8867-4'),
  observation('o3', 'p2', LAB),
  observation('o4', 'p2', 'vital-signs', '8867-4'),
  observation('o5', 'p1', LAB, '2345-7'),
  { resourceType: 'Condition', id: 'c1', subject: { reference: 'Patient/p1' }, code: { text: 'cold' } },
  { resourceType: 'Condition', id: 'c2', subject: { reference: 'Patient/p2' }, code: { text: 'flu' } },
]

const P1 = { patient: 'p1' }
/** This server answers a search that it has answered within a minute from what it found then. */
const FRESH = { headers: { 'cache-control': 'no-cache' } }
const labScope = (letters: string): string => `patient/Observation.${letters}?category=${CATEGORY}|${LAB}`

describe.skipIf(!runsInterop())('HAPI FHIR JPA server', () => {
  let java: JavaProgram | undefined
  let rig: Rig
  const ask = (line: string, scope: string, more: RigAsk = {}) =>
    rig.ask(line.replace(' /', ' /fhir/R4/').replace(/\/$/, ''), { scope, ...more })
  const put = (resource: object, headers = {}) => ({
    body: resource,
    headers: { 'content-type': 'application/fhir+json', ...headers },
  })

  beforeAll(async () => {
    let url = process.env['HAPI_URL']
    if (url === undefined) {
      java = startJava('hapi', 'HapiServer.java', ['-Xmx700m'])
      url = (await java.prints(/hapi (http:\S+)/, 600_000))[1]!
    }
    rig = await startRig({
      map: (at) =>
        fhirMap({ route: ROUTE, store: url! })(at).replace('timeout: 2s', 'timeout: 120s, idleTimeout: 120s'),
    })
    const entry = RESOURCES.map((resource) => ({
      resource,
      request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` },
    }))
    const loaded = await ask('POST /', 'system/*.cruds', {
      body: { resourceType: 'Bundle', type: 'transaction', entry },
    })
    expect(loaded.status, loaded.text).toBe(200)
    expect(loaded.json.entry.map(({ response }: Entry) => response!.status.slice(0, 3))).toEqual(
      RESOURCES.map(() => '201'),
    )
  }, 900_000)
  afterAll(async () => {
    await rig?.close()
    await java?.end()
  })

  test('its statement is open to everybody', async () => {
    const answer = await rig.ask('GET /fhir/R4/metadata')
    expect([answer.status, answer.json.fhirVersion]).toEqual([200, '4.0.1'])
  })

  describe('reading', () => {
    test('a record of one’s own, and nobody else’s', async () => {
      const own = await ask('GET /Observation/o1', 'patient/Observation.rs', { claims: P1 })
      expect([own.status, own.json.id, own.headers['etag']]).toEqual([200, 'o1', 'W/"1"'])
      const verdicts = [
        await ask('GET /Observation/o3', 'patient/Observation.rs', { claims: P1 }),
        await ask('GET /Observation/absent', 'patient/Observation.rs', { claims: P1 }),
        await ask('GET /Observation/o2', labScope('rs'), { claims: P1 }),
        await ask('GET /Observation/o1', labScope('rs'), { claims: P1 }),
        await ask('GET /Patient/p1', 'patient/Patient.r', { claims: P1 }),
        await ask('GET /Practitioner/dr', 'patient/Practitioner.r', { claims: P1 }),
        await ask('GET /Observation/o1/_history/1', 'patient/Observation.r', { claims: P1 }),
        await ask('GET /Observation/o3/_history/1', 'patient/Observation.r', { claims: P1 }),
      ].map(verdictOf)
      expect(verdicts).toEqual([
        '404 not-found',
        '404 not-found',
        '404 not-found',
        '200',
        '200',
        '200',
        '200',
        '404 not-found',
      ])
      expect(verdictOf(await ask('GET /Patient/p2', 'patient/Patient.r', { claims: P1 }))).toMatch(/^40[34] /)
    })

    test('a search is narrowed, by GET and by POST, and counts nothing that is withheld', async () => {
      for (const line of [
        'GET /Observation',
        'GET /Observation?code=http://loinc.org|718-7,8867-4,2345-7',
        'POST /Observation/_search',
      ]) {
        const form = line.startsWith('POST')
          ? { body: '_count=20', headers: { 'content-type': 'application/x-www-form-urlencoded' } }
          : {}
        const all = await ask(line, 'patient/Observation.rs', { claims: P1, ...form })
        expect(idsIn(all), all.text).toEqual(['Observation/o1', 'Observation/o2', 'Observation/o5'])
        expect(all.json.total).toBeUndefined()
        const labs = await ask(line, labScope('rs'), { claims: P1, ...form })
        expect(idsIn(labs), labs.text).toEqual(['Observation/o1', 'Observation/o5'])
      }
      const whole = await ask('GET /Observation', 'system/Observation.rs')
      expect(idsIn(whole)).toHaveLength(5)
      expect(verdictOf(await ask('GET /Observation?patient=p2', 'patient/Observation.rs', { claims: P1 }))).toBe(
        '403 patient-mismatch',
      )
      expect(
        verdictOf(
          await ask('GET /Observation?subject:Patient.name=Familyp2', 'patient/Observation.rs', { claims: P1 }),
        ),
      ).toMatch(/^403 /)
    })

    test('includes come along where their scope is there', async () => {
      const scope = 'patient/Observation.rs patient/Patient.rs patient/Practitioner.rs'
      const included = await ask(
        'GET /Observation?_include=Observation:subject&_include:iterate=Patient:general-practitioner',
        scope,
        { claims: P1 },
      )
      expect(idsIn(included), included.text).toEqual([
        'Observation/o1',
        'Observation/o2',
        'Observation/o5',
        'Patient/p1',
        'Practitioner/dr',
      ])
      const reversed = await ask(
        'GET /Patient?_revinclude=Observation:subject',
        `patient/Patient.rs ${labScope('rs')}`,
        { claims: P1 },
      )
      expect(verdictOf(reversed)).toBe('200')
      expect(idsIn(reversed).filter((id) => /o2|o3|o4|p2|p3/.test(id))).toEqual([])
      const uncovered = 'patient/Observation.rs'
      const cut = await ask('GET /Observation?_include=Observation:subject', uncovered, { claims: P1 })
      expect(idsIn(cut)).toEqual(['Observation/o1', 'Observation/o2', 'Observation/o5'])
      const named = await ask('GET /Observation?_include=Observation:subject:Patient', uncovered, { claims: P1 })
      expect(verdictOf(named)).toBe('403 scope-insufficient')
    })

    test('histories', async () => {
      const own = await ask('GET /Observation/o1/_history', 'patient/Observation.r', { claims: P1 })
      expect(idsIn(own), own.text).toEqual(['Observation/o1'])
      expect(verdictOf(await ask('GET /Observation/o3/_history', 'patient/Observation.r', { claims: P1 }))).toMatch(
        /^(?:404 not-found|200)$/,
      )
      const type = await ask('GET /Observation/_history', 'patient/Observation.s', { claims: P1 })
      expect(
        idsIn(type).filter((id) => /o3|o4/.test(id)),
        type.text,
      ).toEqual([])
    })

    test('pages are sealed, go on to the end, and are nobody else’s', async () => {
      const first = await ask('GET /Observation?_count=1', 'patient/Observation.rs', { claims: P1 })
      const seen = idsIn(first)
      const next = (answer: typeof first): string | undefined =>
        answer.json.link?.find(({ relation }: { relation: string }) => relation === 'next')?.url
      const link = next(first)!
      expect(link).toMatch(new RegExp(`^${BASE}/_page/`))
      expect(first.text).not.toMatch(/_getpages|127\.0\.0\.1/)
      let page = first
      for (let url = next(page); url !== undefined; url = next(page)) {
        page = await ask(`GET ${url.slice(BASE.length)}`, 'patient/Observation.rs', { claims: P1 })
        expect(page.status, page.text).toBe(200)
        seen.push(...idsIn(page))
      }
      expect(seen.sort()).toEqual(['Observation/o1', 'Observation/o2', 'Observation/o5'])
      for (const claims of [{ patient: 'p2' }, { ...P1, sub: 'else' }]) {
        expect(verdictOf(await ask(`GET ${link.slice(BASE.length)}`, 'patient/Observation.rs', { claims }))).toBe(
          '404 not-found',
        )
      }
    })

    test('a compartment search, which this server does not know, gives its answer and nothing else', async () => {
      const answer = await ask('GET /Patient/p1/Observation', 'patient/Observation.rs', { claims: P1 })
      expect([200, 400, 404]).toContain(answer.status)
      expect(verdictOf(await ask('GET /Patient/p2/Observation', 'patient/Observation.rs', { claims: P1 }))).toMatch(
        /^40[34] /,
      )
    })

    test('$everything gives what the scopes cover of one record', async () => {
      const own = await ask('GET /Patient/p1/$everything', 'patient/*.rs', { claims: P1 })
      expect(
        idsIn(own).filter((id) => /o3|o4|c2|p2|p3/.test(id)),
        own.text,
      ).toEqual([])
      expect(idsIn(own)).toEqual(
        expect.arrayContaining(['Condition/c1', 'Observation/o1', 'Observation/o2', 'Patient/p1']),
      )
      const labs = await ask('GET /Patient/p1/$everything', `patient/Patient.rs ${labScope('rs')}`, { claims: P1 })
      expect(verdictOf(labs)).toMatch(/^(?:200|403 scope-insufficient)$/)
      expect(verdictOf(await ask('GET /Patient/p2/$everything', 'patient/*.rs', { claims: P1 }))).toMatch(/^40[34] /)
    })

    test('a batch is judged entry by entry', async () => {
      const entry = ['Observation/o1', 'Observation/o3', 'Observation?code=718-7', 'Condition/c1'].map((url) => ({
        request: { method: 'GET', url },
      }))
      const answer = await ask('POST /', 'patient/Observation.rs', {
        claims: P1,
        body: { resourceType: 'Bundle', type: 'batch', entry },
      })
      expect(answer.status, answer.text).toBe(200)
      expect(answer.json.entry.map(({ response }: Entry) => response!.status.slice(0, 3))).toEqual([
        '200',
        '404',
        '200',
        '403',
      ])
      expect(answer.text).not.toMatch(/"o3"|Patient\/p2/)
    })
  })

  describe('writing', () => {
    test('within the limits of a patient, guarded by the version that was looked at', async () => {
      const scope = 'patient/Observation.cruds'
      const claims = P1
      const created = await ask('POST /Observation', scope, { claims, ...put(observation(undefined, 'p1', LAB)) })
      expect(created.status, created.text).toBe(201)
      const [, id = ''] = /Observation\/([^/]+)/.exec(created.headers['location'] ?? '') ?? []
      expect(created.headers['location']).toMatch(new RegExp(`^${BASE}/Observation/${id}/_history/1$`))
      const at = `/Observation/${id}`
      const verdicts = [
        await ask(`PUT ${at}`, scope, { claims, ...put({ ...observation(id, 'p1', LAB), status: 'amended' }) }),
        await ask(`PUT ${at}`, scope, { claims, ...put(observation(id, 'p2', LAB)) }),
        await ask('PUT /Observation/o3', scope, { claims, ...put(observation('o3', 'p1', LAB)) }),
        await ask('POST /Observation', scope, { claims, ...put(observation(undefined, 'p2', LAB)) }),
        await ask(`PUT ${at}`, scope, {
          claims,
          ...put({ ...observation(id, 'p1', LAB), status: 'final' }, { 'if-match': 'W/"1"' }),
        }),
        await ask(`PUT ${at}`, scope, {
          claims,
          ...put({ ...observation(id, 'p1', LAB), status: 'final' }, { 'if-match': 'W/"nope"' }),
        }),
        await ask(`PUT ${at}`, scope, {
          claims,
          ...put({ ...observation(id, 'p1', LAB), status: 'final' }, { 'if-match': 'W/"2"' }),
        }),
      ].map(verdictOf)
      expect(verdicts[0]).toBe('200')
      expect(verdicts[1]).toMatch(/^40[34] /)
      expect(verdicts[2]).toMatch(/^40[34] /)
      expect(verdicts[3]).toMatch(/^40[34] /)
      expect(verdicts.slice(4)).toEqual(['412 version-conflict', '412 version-conflict', '200'])
      const patch = {
        body: [{ op: 'replace', path: '/status', value: 'corrected' }],
        headers: { 'content-type': 'application/json-patch+json' },
      }
      expect((await ask(`PATCH ${at}`, scope, { claims, ...patch })).status).toBe(200)
      expect(verdictOf(await ask('PATCH /Observation/o3', scope, { claims, ...patch }))).toMatch(/^40[34] /)
      const away = {
        body: [{ op: 'replace', path: '/subject/reference', value: 'Patient/p2' }],
        headers: patch.headers,
      }
      expect(verdictOf(await ask(`PATCH ${at}`, scope, { claims, ...away }))).toMatch(/^40[34] /)
      expect((await ask(`GET ${at}`, scope, { claims })).json).toMatchObject({
        status: 'corrected',
        subject: { reference: 'Patient/p1' },
      })
      expect((await ask(`DELETE ${at}`, scope, { claims, headers: { 'if-match': 'W/"1"' } })).status).toBe(412)
      expect(verdictOf(await ask('DELETE /Observation/o3', scope, { claims }))).toMatch(/^40[34] /)
      expect([200, 204]).toContain(
        (await ask(`DELETE ${at}`, scope, { claims, headers: { 'if-match': 'W/"4"' } })).status,
      )
      expect(verdictOf(await ask(`GET ${at}`, scope, { claims }))).toBe('404 not-found')
      expect((await ask('GET /Observation/o3', 'system/Observation.r')).json.meta.versionId).toBe('1')
    })

    test('without limits, with a version that is none', async () => {
      const headers = { 'if-match': 'W/"nope"' }
      const answer = await ask(
        'PUT /Condition/c1',
        'system/*.cruds',
        put({ ...RESOURCES.find(({ id }) => id === 'c1')! }, headers),
      )
      expect([400, 409, 412, 500]).toContain(answer.status)
      expect((await ask('GET /Condition/c1', 'system/*.r')).json.meta.versionId).toBe('1')
    })

    test('by a condition, with the scope to search', async () => {
      const patient = { resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value: 'mrn-p9' }] }
      const condition = { 'if-none-exist': 'identifier=urn:mrn|mrn-p9' }
      expect(verdictOf(await ask('POST /Patient', 'system/Patient.c', put(patient, condition)))).toBe(
        '403 scope-insufficient',
      )
      expect((await ask('POST /Patient', 'system/Patient.cs', put(patient, condition))).status).toBe(201)
      expect((await ask('POST /Patient', 'system/Patient.cs', put(patient, condition))).status).toBe(200)
      const named = { ...patient, name: [{ family: 'Nine' }] }
      expect((await ask('PUT /Patient?identifier=urn:mrn|mrn-p9', 'system/Patient.us', put(named))).status).toBe(200)
      const found = await ask('GET /Patient?identifier=urn:mrn|mrn-p9', 'system/Patient.s')
      expect(found.json.entry[0].resource.name).toEqual([{ family: 'Nine' }])
      expect(verdictOf(await ask('DELETE /Patient?identifier=urn:mrn|mrn-p9', 'system/Patient.d'))).toBe(
        '403 scope-insufficient',
      )
      expect([200, 204]).toContain((await ask('DELETE /Patient?identifier=urn:mrn|mrn-p9', 'system/Patient.ds')).status)
    })

    test('within limits by a condition: what is looked at is looked at afresh', async () => {
      const scope = 'patient/Observation.cruds'
      const marked = { ...observation(undefined, 'p1', LAB), identifier: [{ system: 'urn:marks', value: 'm1' }] }
      const line = 'Observation?identifier=urn:marks|m1'
      expect(idsIn(await ask(`GET /${line}`, scope, { claims: P1 }))).toEqual([])
      const before = await ask(`PUT /${line}`, scope, { claims: P1, ...put(marked) })
      expect(before.status, before.text).toBeGreaterThanOrEqual(400)
      const made = await ask('POST /Observation', scope, { claims: P1, ...put(marked) })
      expect(made.status, made.text).toBe(201)
      const updated = await ask(`PUT /${line}`, scope, { claims: P1, ...put({ ...marked, status: 'amended' }) })
      expect(updated.status, updated.text).toBe(200)
      expect(verdictOf(await ask(`PUT /${line}`, scope, { claims: { patient: 'p2' }, ...put(marked) }))).toMatch(
        /^40[034] |^412 /,
      )
      expect([200, 204]).toContain((await ask(`DELETE /${line}`, scope, { claims: P1 })).status)
    })

    test('a transaction goes in whole or not at all', async () => {
      const entry = [
        {
          fullUrl: 'urn:uuid:7b1a7d0e-0a52-4d5b-9d43-2f3b8a3f6a11',
          resource: observation(undefined, 'p1', LAB),
          request: { method: 'POST', url: 'Observation' },
        },
        { resource: observation('o2', 'p1', 'vital-signs'), request: { method: 'PUT', url: 'Observation/o2' } },
      ]
      const bundle = { resourceType: 'Bundle', type: 'transaction', entry }
      const before = idsIn(await ask('GET /Observation?_count=50', 'system/Observation.s', FRESH)).length
      const foreign = {
        ...bundle,
        entry: [
          ...entry,
          { resource: observation('o3', 'p2', LAB), request: { method: 'PUT', url: 'Observation/o3' } },
        ],
      }
      expect(verdictOf(await ask('POST /', 'patient/Observation.cruds', { claims: P1, body: foreign }))).toMatch(
        /^40[34] /,
      )
      expect(idsIn(await ask('GET /Observation?_count=50', 'system/Observation.s', FRESH))).toHaveLength(before)
      const done = await ask('POST /', 'patient/Observation.cruds', { claims: P1, body: bundle })
      expect(done.status, done.text).toBe(200)
      expect(done.json.entry.map(({ response }: Entry) => response!.status.slice(0, 3))).toEqual(['201', '200'])
      expect(idsIn(await ask('GET /Observation?_count=50', 'system/Observation.s', FRESH))).toHaveLength(before + 1)
    })
  })
})
