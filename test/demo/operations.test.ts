import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { type Call, call, keys } from './fhir-client.ts'
import { SAMPLES } from './sample-resources.ts'

let server: FhirServer
let clock = Date.parse('2026-05-01T00:00:00Z')
beforeAll(async () => {
  const elsewhere = {
    resourceType: 'Observation',
    id: 'older',
    status: 'final',
    code: { coding: [{ system: 'http://loinc.org', code: '718-7' }] },
    subject: { reference: 'Patient/a' },
    effectiveDateTime: '2023-01-01',
  }
  server = await startFhirServer({
    resources: [...SAMPLES, elsewhere],
    mounts: { '/r5': '5.0.0' },
    exportDelay: 1000,
    now: () => new Date(clock),
  })
})
afterAll(() => server.close())

const at = (path: string, options?: Call) => call(`${server.url}/${path}`, options)

test('Patient/$everything: the compartment and what it refers to, no other patient, no Group', async () => {
  const all = keys(await at('Patient/a/$everything'))
  expect(all[0]).toBe('Patient/a')
  expect([...all].sort()).toEqual(
    [
      'Encounter/e',
      'Observation/lab',
      'Observation/older',
      'Observation/vital',
      'Organization/north',
      'Patient/a',
      'Practitioner/pr',
      'Provenance/p',
      'RiskAssessment/r',
    ].sort(),
  )
  expect(keys(await at('Patient/a/$everything?_type=Encounter'))).toEqual(['Encounter/e'])
  expect(keys(await at('Patient/a/$everything', { method: 'POST' }))).toEqual(all)
  expect((await at('Patient/absent/$everything')).status).toBe(404)
  expect((await at('Patient/a/$everything?_count=2')).body.link).toHaveLength(2)
})

test('Observation/$lastn: the newest of each code', async () => {
  expect(keys(await at('Observation/$lastn?patient=a'))).toEqual(['Observation/vital', 'Observation/lab'])
  expect(keys(await at('Observation/$lastn?patient=a&code=718-7&max=2'))).toEqual([
    'Observation/lab',
    'Observation/older',
  ])
})

test('Patient/$match grades its matches', async () => {
  const match = (resource: object) =>
    at('Patient/$match', {
      method: 'POST',
      body: { resourceType: 'Parameters', parameter: [{ name: 'resource', resource }] },
    })
  const certain = await match({ resourceType: 'Patient', identifier: [{ system: 'urn:mrn', value: '7' }] })
  expect(certain.body.entry[0].search).toMatchObject({ score: 1, mode: 'match' })
  expect(keys(certain)).toEqual(['Patient/a'])
  const probable = await match({ resourceType: 'Patient', name: [{ family: 'MULLER' }], birthDate: '1980-03-14' })
  expect(probable.body.entry[0].search.extension[0].valueCode).toBe('probable')
})

test('$validate looks at the structure', async () => {
  const validate = (body: object) => at('Observation/$validate', { method: 'POST', body })
  const good = await validate({ resourceType: 'Observation', status: 'final', code: { text: 'x' } })
  expect(good.body.issue[0].severity).toBe('information')
  const bad = await validate({ resourceType: 'Observation', category: [], subject: { reference: 'not a reference' } })
  expect(bad.body.issue.map((issue: { expression: string[] }) => issue.expression[0])).toEqual([
    'Observation.status',
    'Observation.code',
    'Observation.category',
    'Observation.subject.reference',
  ])
})

test.each(['$graphql', 'Patient/$export-all', 'Observation/lab/$everything', 'Patient/a/$meta'])(
  '%s is not known',
  async (path) => {
    expect((await at(path)).status).toBe(404)
  },
)

test('metadata says what is supported, for the version of the mount', async () => {
  const { body } = await at('metadata')
  expect(body.fhirVersion).toBe('4.0.1')
  const observation = body.rest[0].resource.find((r: { type: string }) => r.type === 'Observation')
  expect(observation.searchParam).toContainEqual({ name: 'patient', type: 'reference' })
  expect(observation.operation.map((o: { name: string }) => o.name).sort()).toEqual(['lastn', 'validate'])
  const r5 = new URL(server.url).origin
  expect((await call(`${r5}/r5/metadata`)).body.fhirVersion).toBe('5.0.0')
  const patients = await call(`${r5}/r5/Patient?_count=1`)
  expect(patients.body.entry[0].fullUrl).toBe(`${r5}/r5/Patient/a`)
  expect((await call(`${r5}/other/Patient`)).status).toBe(404)
})

describe('$export', () => {
  const ASYNC = { prefer: 'respond-async', accept: 'application/fhir+json' }

  async function exported(path: string, options: Call = {}): Promise<Record<string, string[]>> {
    const kickOff = await at(path, { ...options, headers: { ...ASYNC, ...options.headers } })
    expect(kickOff.status).toBe(202)
    const status = kickOff.headers.get('content-location')!
    const running = await call(status)
    expect([running.status, running.headers.get('retry-after')]).toEqual([202, '1'])
    clock += 2000
    const { body } = await call(status)
    expect(body).toMatchObject({ requiresAccessToken: true, error: [] })
    const files: Record<string, string[]> = {}
    for (const { type, url } of body.output) {
      const file = await call(url)
      expect(file.headers.get('content-type')).toBe('application/fhir+ndjson')
      files[type] = file.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id)
    }
    expect((await call(status, { method: 'DELETE' })).status).toBe(202)
    expect((await call(status)).status).toBe(404)
    return files
  }

  test('of the system, of all patients, of a group', async () => {
    const system = await exported('$export')
    expect(Object.keys(system)).toContain('Organization')
    expect(system['Patient']).toEqual(['a', 'b'])
    const patients = await exported('Patient/$export')
    expect(Object.keys(patients)).not.toContain('Organization')
    const group = await exported('Group/g/$export')
    expect(group['Patient']).toEqual(['a'])
    expect(group['Observation']).toEqual(['lab', 'vital', 'older'])
  })

  test('_type, _typeFilter as alternatives, _since, patient', async () => {
    expect(Object.keys(await exported('$export?_type=Patient,Group')).sort()).toEqual(['Group', 'Patient'])
    const filter = ['category=laboratory', 'category=survey'].map(
      (f) => `_typeFilter=${encodeURIComponent(`Observation?${f}`)}`,
    )
    expect(await exported(`$export?_type=Observation&${filter.join('&')}`)).toEqual({ Observation: ['lab', 'vital'] })
    expect(await exported('$export?_since=2099-01-01T00:00:00Z')).toEqual({})
    const parameter = [
      { name: 'patient', valueReference: { reference: 'Patient/b' } },
      { name: '_type', valueString: 'Patient' },
    ]
    const body = { resourceType: 'Parameters', parameter }
    expect(await exported('Patient/$export', { method: 'POST', body })).toEqual({ Patient: ['b'] })
    expect(await exported('Group/g/$export', { method: 'POST', body })).toEqual({})
  })

  test.each([
    ['$export', {}, 400],
    ['$export?_outputFormat=csv', ASYNC, 400],
    ['$export?_type=Nonsense', ASYNC, 400],
    ['$export?_typeFilter=Observation%3Fnonsense%3D1', ASYNC, 400],
    ['Group/absent/$export', ASYNC, 404],
    ['$export?patient=Patient/a', ASYNC, 400],
  ])('%s %o is refused', async (path, headers, status) => {
    expect((await at(path, { headers })).status).toBe(status)
  })
})
