// A patch is a write that can ask: `test` is a yes/no question about what is stored, and so are the paths of a FHIRPath or XML Patch;
// `copy` and `move` put what nobody may read where its validity tells of it. Whoever may write and not read cannot ask by patching.

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
  status: 'preliminary',
  subject: { reference: `Patient/${patient}` },
  valueString: 'a secret',
})
beforeEach(() => rig.fill([observation('o1', 'p1'), observation('o2', 'p2')]))

const JSON_PATCH = 'application/json-patch+json'
const XML_PATCH = 'application/xml-patch+xml'
const FHIR_JSON = 'application/fhir+json'
const DONE = { op: 'replace', path: '/status', value: 'final' }
const fhirPath = (path: string, value = 'final') => ({
  resourceType: 'Parameters',
  parameter: [
    {
      name: 'operation',
      part: [
        { name: 'type', valueCode: 'replace' },
        { name: 'path', valueString: path },
        { name: 'value', valueString: value },
      ],
    },
  ],
})
const FHIRPATH = fhirPath("Observation.where(value.ofType(string).startsWith('a')).status")
const XML = '<diff><replace sel="Observation[valueString/@value=\'a secret\']/status/@value">final</replace></diff>'

/** Each with its media type, and what it is called in a refusal. */
const QUESTIONS: [what: string, type: string, patch: object | string, name: string][] = [
  ['test', JSON_PATCH, [{ op: 'test', path: '/valueString', value: 'a guess' }, DONE], 'a patch with test'],
  [
    'a test that holds',
    JSON_PATCH,
    [{ op: 'test', path: '/valueString', value: 'a secret' }, DONE],
    'a patch with test',
  ],
  ['copy', JSON_PATCH, [{ op: 'copy', from: '/valueString', path: '/status' }], 'a patch with test, copy or move'],
  ['a move onto itself', JSON_PATCH, [{ op: 'move', from: '/valueString', path: '/valueString' }], 'copy or move'],
  [
    'an operation that nobody knows',
    JSON_PATCH,
    [{ op: 'Test', path: '/valueString', value: 'x' }, DONE],
    'a patch with',
  ],
  ['an operation in another spelling', JSON_PATCH, [{ OP: 'test', path: '/valueString', value: 'x' }], 'a patch with'],
  ['a JSON Patch that is called otherwise', FHIR_JSON, [DONE], 'a patch of this kind'],
  ['a FHIRPath Patch', FHIR_JSON, FHIRPATH, 'a FHIRPath patch'],
  ['an XML Patch', XML_PATCH, XML, 'an XML patch'],
  ['a FHIRPath Patch in XML', 'application/fhir+xml', '<Parameters xmlns="http://hl7.org/fhir"/>', 'an XML patch'],
  ['no known patch', 'application/merge-patch+json', { status: 'final' }, 'a patch of this kind'],
]

const patch = (scope: string, type: string, body: object | string, id = 'o1'): Promise<Answer> =>
  rig.ask(`PATCH /fhir/R4/Observation/${id}`, {
    scope,
    claims: { patient: 'p1' },
    headers: { 'content-type': type },
    body,
  })
const entryOf = (type: string, body: object | string, id = 'o1') => {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const data = Buffer.from(text).toString('base64')
  return {
    resource: { resourceType: 'Binary', contentType: type, data },
    request: { method: 'PATCH', url: `Observation/${id}` },
  }
}
const bundle = (scope: string, code: string, entry: readonly object[]): Promise<Answer> =>
  rig.ask('POST /fhir/R4', { scope, claims: { patient: 'p1' }, body: { resourceType: 'Bundle', type: code, entry } })

describe.each([
  'system/Observation.u',
  'user/*.cud',
  'patient/Observation.u',
  'system/Observation.u?status=preliminary',
  'system/Observation.us',
])('with %s', (scope) => {
  test.each(QUESTIONS)('%s is refused, and nothing is asked', async (_, type, body, name) => {
    const answer = await patch(scope, type, body)
    expect(verdictOf(answer)).toBe('403 scope-insufficient')
    expect(answer.json.issue[0].diagnostics).toContain('covers r on Observation, which ')
    expect(answer.json.issue[0].diagnostics).toContain(name)
    expect(rig.upstream.arrived).toEqual([])
  })

  test.each(QUESTIONS)('%s in a Bundle, too', async (_, type, body) => {
    expect(entryVerdicts(await bundle(scope, 'batch', [entryOf(type, body)]))).toEqual(['403 scope-insufficient'])
    expect(verdictOf(await bundle(scope, 'transaction', [entryOf(type, body)]))).toBe('403 scope-insufficient')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('a patch that only writes is made', async () => {
    const answer = await patch(scope, JSON_PATCH, [DONE, { op: 'add', path: '/note', value: [{ text: 'x' }] }])
    // Within `status=preliminary` the result is outside.
    if (scope.includes('?')) expect(verdictOf(answer)).toBe('403 scope-insufficient')
    else expect([answer.status, answer.text]).toEqual([200, ''])
  })
})

test('the smallest set that would do adds r', async () => {
  const answer = await patch('system/Observation.u', JSON_PATCH, [{ op: 'test', path: '/status', value: 'final' }])
  expect(answer.headers['www-authenticate']).toContain('scope="system/Observation.ru"')
  const [own] = (await bundle('patient/Observation.u', 'batch', [entryOf(JSON_PATCH, QUESTIONS[0]![2])])).json.entry
  expect(own.response.outcome.issue[0].diagnostics).toContain('patient/Observation.ru')
})

describe('who may read what is stored may ask', () => {
  const [[, , asking]] = [QUESTIONS[1]!]
  test.each(['system/Observation.ru', 'user/*.cruds', 'patient/Observation.ru', 'patient/*.cruds'])(
    '%s',
    async (scope) => {
      expect((await patch(scope, JSON_PATCH, asking)).json).toMatchObject({ id: 'o1', status: 'final' })
      expect((await patch(scope, JSON_PATCH, QUESTIONS[0]![2])).status).toBeGreaterThanOrEqual(400)
      rig.fill([observation('o1', 'p1')])
      expect(entryVerdicts(await bundle(scope, 'batch', [entryOf(JSON_PATCH, asking)]))).toEqual(['200'])
      rig.fill([observation('o1', 'p1')])
      expect((await bundle(scope, 'transaction', [entryOf(JSON_PATCH, asking)])).status).toBe(200)
    },
  )

  test('and so may who may read only some, of that', async () => {
    const scope = 'system/Observation.u patient/Observation.r'
    expect((await patch(scope, JSON_PATCH, asking)).status).toBe(200)
    expect(rig.upstream.arrived.at(-1)!.headers['if-match']).toBe('W/"1"')
    expect(verdictOf(await patch(scope, JSON_PATCH, asking, 'o2'))).toBe('403 scope-insufficient')
    expect(rig.stored('Observation', 'o2').status).toBe('preliminary')
    rig.fill([observation('o1', 'p1'), observation('o2', 'p2')])
    const entries = [entryOf(JSON_PATCH, asking), entryOf(JSON_PATCH, asking, 'o2')]
    expect(entryVerdicts(await bundle(scope, 'batch', entries))).toEqual(['200', '403 scope-insufficient'])
  })

  test('that of a FHIRPath Patch the server answers, when the write itself has no limits', async () => {
    rig.before = ({ method }) => (method === 'PATCH' ? { status: 200, body: observation('o1', 'p1') } : undefined)
    for (const scope of ['system/Observation.ru', 'system/Observation.u patient/Observation.r']) {
      expect((await patch(scope, FHIR_JSON, FHIRPATH)).status, scope).toBe(200)
    }
    expect(JSON.parse(rig.upstream.arrived.at(-1)!.text)).toEqual(FHIRPATH)
    expect(verdictOf(await patch('patient/Observation.ru', FHIR_JSON, FHIRPATH))).toBe('400 body-invalid')
  })

  test('within limits the result must still be within them', async () => {
    const move = [...(asking as object[]), { op: 'add', path: '/subject', value: { reference: 'Patient/p2' } }]
    expect(verdictOf(await patch('patient/Observation.ru', JSON_PATCH, move))).toBe('403 scope-insufficient')
  })
})

describe('a FHIRPath Patch that only puts at places is a write like any other', () => {
  const operation = (...part: object[]) => ({ resourceType: 'Parameters', parameter: [{ name: 'operation', part }] })
  const type = (valueCode: string) => ({ name: 'type', valueCode })
  const path = (valueString: string) => ({ name: 'path', valueString })
  const value = { name: 'value', valueCode: 'final' }

  test.each([
    ['replace', operation(type('replace'), path('Observation.status'), value)],
    ['add', operation(type('add'), path('Observation'), { name: 'name', valueString: 'status' }, value)],
    ['insert', operation(type('insert'), path('Observation.note'), { name: 'index', valueInteger: 0 }, value)],
    ['delete', operation(type('delete'), path('Observation.component[1].code'))],
  ])('%s', async (_, body) => {
    rig.before = () => ({ status: 200, body: observation('o1', 'p1') })
    for (const scope of ['system/Observation.u', 'user/Observation.write']) {
      const answer = await patch(scope, FHIR_JSON, body)
      expect([answer.status, answer.text]).toEqual([200, ''])
    }
    expect(JSON.parse(rig.upstream.arrived.at(-1)!.text)).toEqual(body)
    expect(verdictOf(await patch('patient/Observation.u', FHIR_JSON, body))).toBe('400 body-invalid')
  })

  test.each([
    ['a function', operation(type('replace'), path('Observation.status.first()'), value)],
    ['a comparison', operation(type('replace'), path('Observation.component[value = 1]'), value)],
    ['two paths', operation(type('replace'), path('Observation.status'), path("Observation.where(id = 'a')"), value)],
    ['a move', operation(type('move'), path('Observation.component'))],
    ['a member in another spelling', operation({ Name: 'path', valueString: 'x()' }, type('replace'), value)],
    ['a path of two values', operation({ ...path('Observation.status'), valueMarkdown: 'x()' }, type('replace'))],
    ['another parameter', { resourceType: 'Parameters', parameter: [{ name: 'operation', part: [] }, { name: 'x' }] }],
    ['another member', { ...operation(type('replace'), path('Observation.status'), value), Parameter: [] }],
    ['none', { resourceType: 'Parameters' }],
  ])('%s may ask', async (_, body) => {
    expect((await patch('system/Observation.u', FHIR_JSON, body)).status).toBeGreaterThanOrEqual(400)
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('a patch that two readers would read differently is refused', () => {
  test.each([
    ['no JSON', '[{"op":"replace"'],
    ['a member twice', '[{"op":"add","op":"test","path":"/status","value":"final"}]'],
    ['a member in two spellings', '[{"op":"add","OP":"test","path":"/status","value":"final"}]'],
    ['nothing', ''],
  ])('%s', async (_, body) => {
    expect(verdictOf(await patch('system/*.cruds', JSON_PATCH, body))).toBe('400 body-invalid')
    expect(verdictOf(await bundle('system/*.cruds', 'transaction', [entryOf(JSON_PATCH, body)]))).toBe(
      '400 body-invalid',
    )
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('a conditional reference in a patch is a search', () => {
  const put = (reference: string) => [{ op: 'add', path: '/subject', value: { reference } }]
  const direct = (reference: string) => [{ op: 'replace', path: '/subject/reference', value: reference }]
  const LOOKUP = 'Patient?identifier=x'
  const LOOKUPS: [what: string, type: string, patch: object | string][] = [
    ['in a value', JSON_PATCH, put(LOOKUP)],
    ['as a value', JSON_PATCH, direct(LOOKUP)],
    [
      'as a value, at a path in another spelling',
      JSON_PATCH,
      [{ op: 'add', path: '/subject/Reference', value: LOOKUP }],
    ],
    ['in a FHIRPath Patch', FHIR_JSON, fhirPath('Observation.subject.reference', LOOKUP)],
  ]

  test.each(LOOKUPS)('%s: needs s', async (_, type, body) => {
    for (const scope of ['system/Observation.ru', 'system/Observation.ru patient/Patient.s']) {
      expect((await patch(scope, type, body)).status, scope).toBe(403)
      expect((await bundle(scope, 'transaction', [entryOf(type, body)])).status, scope).toBe(403)
    }
    expect(rig.upstream.arrived).toEqual([])
    rig.before = () => ({ status: 200, body: observation('o1', 'p1') })
    expect((await patch('system/Observation.ru system/Patient.s', type, body)).status).toBe(200)
  })

  test('text that becomes one, and what cannot be read, may look anything up', async () => {
    const UNTOLD: [string, object | string][] = [
      [JSON_PATCH, [{ op: 'copy', from: '/valueString', path: '/subject/reference' }]],
      [XML_PATCH, XML.replace('>final<', '>Patient?identifier=x<')],
      [XML_PATCH, XML.replace('>final<', '>Patient&#63;identifier=x<')],
      [XML_PATCH, `<!DOCTYPE diff [<!ENTITY q "x">]>${XML}`],
      [XML_PATCH, `<?xml version="1.0" encoding="utf-7"?>${XML}`],
    ]
    for (const [type, body] of UNTOLD) {
      expect((await patch('system/Observation.ru system/Patient.s', type, body)).status).toBe(403)
      rig.before = () => ({ status: 200, body: observation('o1', 'p1') })
      expect((await patch('system/*.rus', type, body)).status).toBe(200)
    }
  })

  test('none that can be read is refused', async () => {
    expect(verdictOf(await patch('system/*.cruds', JSON_PATCH, put('Patient?')))).toBe('400 body-invalid')
  })

  test('a question mark alone is none', async () => {
    rig.before = () => ({ status: 200, body: observation('o1', 'p1') })
    for (const declared of ['', '<?xml version="1.0" encoding="UTF-8"?>\n'])
      expect((await patch('system/Observation.ru', XML_PATCH, declared + XML)).status).toBe(200)
    const words = fhirPath('Observation.note.text', 'How are you? Fine = well.')
    expect((await patch('system/Observation.ru', FHIR_JSON, words)).status).toBe(200)
    const note = [{ op: 'add', path: '/note', value: [{ text: 'Patient?identifier=x' }] }]
    expect((await patch('system/Observation.u', JSON_PATCH, note)).status).toBe(200)
  })
})
