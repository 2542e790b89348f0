// Whoever may write and not read learns no content by writing (spec §2.7; hapi-fhir #8253): answers to writes carry no body, whatever
// `Prefer` asks for and whatever the server sends; those who may read get what a read would have shown.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { type StoreRig, startStoreRig } from '../support/store-rig.ts'

let rig: StoreRig
beforeAll(async () => {
  rig = await startStoreRig()
})
afterAll(() => rig.close())

const SECRET = 'only who may read sees this'
const observation = (id: string | undefined, patient = 'p1') => ({
  resourceType: 'Observation',
  ...(id !== undefined && { id }),
  subject: { reference: `Patient/${patient}` },
  identifier: [{ system: 'urn:x', value: id ?? 'new' }],
})
beforeEach(() => {
  rig.fill([
    { ...observation('o1'), note: [{ text: SECRET }] },
    { ...observation('o2', 'p2'), note: [{ text: SECRET }] },
  ])
})

/** What a server may say of a write, in words that repeat what it stores. */
const OUTCOME = {
  resourceType: 'OperationOutcome',
  text: { status: 'generated', div: `<div>${SECRET}</div>` },
  issue: [
    {
      severity: 'error',
      code: 'value',
      details: { text: SECRET, coding: [{ code: SECRET }] },
      diagnostics: `it is ${SECRET}`,
      location: [`Observation.note('${SECRET}')`],
      expression: ['Observation.value', `Observation.note.where(text='${SECRET}')`],
      extension: [{ url: 'urn:x', valueString: SECRET }],
    },
    { severity: 'information', code: SECRET, diagnostics: SECRET },
  ],
}

const REPRESENTATION = { Prefer: 'return=representation' }
const PATCH = { ...REPRESENTATION, 'content-type': 'application/json-patch+json' }
const PATCH_OPERATIONS = [{ op: 'add', path: '/status', value: 'final' }]
const ask = (
  scope: string,
  line: string,
  body?: object,
  headers: Record<string, string> = REPRESENTATION,
): Promise<Answer> => rig.ask(line, { scope, claims: { patient: 'p1' }, headers, ...(body && { body }) })

/** Every kind of write that a server answers with what it stores. */
const WRITES: [line: string, body: object, headers: Record<string, string>][] = [
  ['POST /fhir/R4/Observation', observation(undefined), REPRESENTATION],
  ['PUT /fhir/R4/Observation/o1', observation('o1'), REPRESENTATION],
  ['PATCH /fhir/R4/Observation/o1', PATCH_OPERATIONS, PATCH],
  ['PUT /fhir/R4/Observation?_id=o1', observation('o1'), REPRESENTATION],
  ['PATCH /fhir/R4/Observation?_id=o1', PATCH_OPERATIONS, PATCH],
  ['POST /fhir/R4/Observation', observation(undefined), { ...REPRESENTATION, 'If-None-Exist': '_id=o1' }],
]

describe.each([
  'patient/Observation.cus',
  'system/Observation.cus',
  'patient/Observation.cus?_tag=a system/Observation.cus',
])('with %s', (scope) => {
  test.each(WRITES)('%s %j %j: no body', async (line, body, headers) => {
    const answer = await ask(scope, line, body, headers)
    expect(answer.status, answer.text).toBeLessThan(300)
    expect(answer.text).toBe('')
    expect(rig.upstream.arrived.at(-1)!.headers['prefer']).toBe('return=minimal')
  })

  test.each(WRITES)('%s %j %j: nor from a server that answers with one all the same', async (line, body, headers) => {
    const stored = { ...observation('o1'), note: [{ text: SECRET }] }
    const fields = { etag: 'W/"1"', location: `${rig.upstream.url}/base/Observation/o1/_history/1` }
    rig.before = ({ method }) => (method === 'GET' ? undefined : { status: 201, headers: fields, body: stored })
    const answer = await ask(scope, line, body, headers)
    expect(answer.status).toBe(201)
    expect(answer.text).toBe('')
    expect(answer.headers['location']).toBe('https://api.example.org/fhir/R4/Observation/o1/_history/1')
  })

  test.each(WRITES)('%s %j %j: nor with an error', async (line, body, headers) => {
    const stored = { ...observation('o1'), note: [{ text: SECRET }] }
    rig.before = ({ method }) => (method === 'GET' ? undefined : { status: 422, body: stored })
    const answer = await ask(scope, line, body, headers)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.text).not.toContain(SECRET)
  })

  test.each(WRITES.flatMap((write) => [422, 400, 200].map((status) => [status, ...write] as const)))(
    '%i to %s %j %j: nor in the words of an OperationOutcome',
    async (status, line, body, headers) => {
      rig.before = ({ method }) => (method === 'GET' ? undefined : { status, body: OUTCOME })
      const answer = await ask(scope, line, body, headers)
      expect(answer.status).toBe(status)
      expect(answer.text).not.toContain(SECRET)
      expect(answer.json.issue).toMatchObject([{ severity: 'error', code: 'value' }, { severity: 'information' }])
      expect(Object.keys(answer.json)).toEqual(['resourceType', 'issue'])
      expect(answer.text).not.toMatch(/diagnostics|details|text/)
      // Of what the client sent whole, the place is told.
      const whole = line.startsWith('PATCH') ? undefined : ['Observation.value']
      expect(answer.json.issue[0].expression).toEqual(whole)
    },
  )

  test('nor with a deletion that fails', async () => {
    rig.before = ({ method }) => (method === 'GET' ? undefined : { status: 400, body: OUTCOME })
    const deleting = scope.replaceAll('.cus', '.d')
    const answer = await ask(deleting, 'DELETE /fhir/R4/Observation/o1')
    expect([answer.status, answer.json.issue[0]]).toEqual([400, { severity: 'error', code: 'value' }])
  })

  test.each(['batch', 'transaction'])('%s: nor in the words of an entry', async (type) => {
    const entry = [
      { resource: observation(undefined), request: { method: 'POST', url: 'Observation' } },
      { resource: observation('o1'), request: { method: 'PUT', url: 'Observation/o1' } },
    ]
    const answers = [
      { response: { status: '422', outcome: OUTCOME } },
      { resource: OUTCOME, response: { status: '200' } },
    ]
    rig.before = ({ method }) =>
      method === 'GET' ? undefined : { body: { resourceType: 'Bundle', type: `${type}-response`, entry: answers } }
    const answer = await ask(scope, 'POST /fhir/R4', { resourceType: 'Bundle', type, entry })
    expect(answer.status, answer.text).toBe(200)
    expect(answer.text).not.toContain(SECRET)
    expect(answer.json.entry[0].response.outcome.issue[0].code).toBe('value')
    rig.before = ({ method }) => (method === 'GET' ? undefined : { status: 400, body: OUTCOME })
    const failed = await ask(scope, 'POST /fhir/R4', { resourceType: 'Bundle', type, entry })
    expect([failed.status, failed.json.issue[0].code]).toEqual([400, 'value'])
    expect(failed.text).not.toContain(SECRET)
  })

  test.each(['batch', 'transaction'])('%s: no entry has a resource', async (type) => {
    const data = Buffer.from(JSON.stringify(PATCH_OPERATIONS)).toString('base64')
    const entry = [
      { resource: observation(undefined), request: { method: 'POST', url: 'Observation' } },
      { resource: observation('o1'), request: { method: 'PUT', url: 'Observation/o1' } },
      {
        resource: observation(undefined),
        request: { method: 'POST', url: 'Observation', ifNoneExist: 'identifier=urn:x|o1' },
      },
      ...(type === 'batch'
        ? [
            {
              resource: { resourceType: 'Binary', contentType: 'application/json-patch+json', data },
              request: { method: 'PATCH', url: 'Observation/o1' },
            },
          ]
        : []),
    ]
    const answer = await ask(scope, 'POST /fhir/R4', { resourceType: 'Bundle', type, entry })
    expect(answer.status, answer.text).toBe(200)
    expect(answer.json.entry).toHaveLength(entry.length)
    expect(answer.text).not.toContain('"resource"')
    expect(answer.text).not.toContain(SECRET)
    expect(rig.upstream.arrived.at(-1)!.headers['prefer']).toBe('return=minimal')
  })
})

describe('who may read', () => {
  test.each(['patient/Observation.crus', 'system/Observation.crus'])('%s hears what the server says', async (scope) => {
    for (const [line, body, headers] of WRITES) {
      rig.before = ({ method }) => (method === 'GET' ? undefined : { status: 422, body: OUTCOME })
      expect((await ask(scope, line, body, headers)).json, line).toEqual(OUTCOME)
    }
  })

  test('of what is beyond its reading a limited reader hears no words', async () => {
    rig.before = ({ method }) => (method === 'GET' ? undefined : { status: 422, body: OUTCOME })
    for (const scope of [
      'system/Observation.u patient/Observation.r',
      'system/Observation.u?_id=o2 patient/Observation.r',
    ]) {
      const answer = await ask(scope, 'PUT /fhir/R4/Observation/o2', observation('o2', 'p2'))
      expect([answer.status, answer.json.issue[0].code], scope).toEqual([422, 'value'])
      expect(answer.text, scope).not.toContain(SECRET)
    }
  })

  test.each(['patient/Observation.crus', 'system/Observation.crus'])('%s gets what was asked for', async (scope) => {
    for (const [line, body, headers] of WRITES) {
      const answer = await ask(scope, line, body, headers)
      expect(answer.json, line).toMatchObject({ resourceType: 'Observation', subject: { reference: 'Patient/p1' } })
    }
    const minimal = await ask(scope, 'PUT /fhir/R4/Observation/o1', observation('o1'), { Prefer: 'return=minimal' })
    expect([minimal.status, minimal.text]).toEqual([200, ''])
  })

  test('a limited reader gets no body of what a read would not show', async () => {
    const scope = 'system/Observation.cus patient/Observation.r'
    const own = await ask(scope, 'PUT /fhir/R4/Observation/o1', observation('o1'))
    expect(own.json.id).toBe('o1')
    const other = await ask(scope, 'PUT /fhir/R4/Observation/o2', observation('o2', 'p2'))
    expect([other.status, other.text]).toEqual([200, ''])
  })
})

describe('T33: If-None-Exist', () => {
  const create = (scope: string, condition: string): Promise<Answer> =>
    ask(scope, 'POST /fhir/R4/Observation', observation(undefined), { ...REPRESENTATION, 'If-None-Exist': condition })

  test('needs s, so that it is no question about what exists', async () => {
    expect(verdictOf(await create('patient/Observation.cr', 'identifier=urn:x|o2'))).toBe('403 scope-insufficient')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('finds nothing of another patient', async () => {
    const answer = await create('patient/Observation.crs', 'identifier=urn:x|o2')
    expect(answer.status).toBe(201)
    expect(rig.upstream.arrived[0]!.headers['if-none-exist']).toBe('identifier=urn:x%7Co2&patient=Patient/p1')
  })

  test('finds the own', async () => {
    const answer = await create('patient/Observation.crs', 'identifier=urn:x|o1')
    expect([answer.status, answer.json.id]).toEqual([200, 'o1'])
  })

  test('naming another patient is refused before anything is asked', async () => {
    expect(verdictOf(await create('patient/Observation.crs', 'patient=p2'))).toBe('403 patient-mismatch')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('is refused where no one search can ask for what several scopes cover', async () => {
    const scope = 'patient/Observation.cs?category=a patient/Observation.cs?code=b patient/Observation.c'
    expect(verdictOf(await create(scope, 'identifier=urn:x|o2'))).toBe('403 constraint-unenforceable')
    expect(rig.upstream.arrived).toEqual([])
  })
})
