import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FhirServer, startFhirServer } from '../../src/demo/fhir/fhir-server.ts'
import { call, keys, link } from './fhir-client.ts'
import { CATEGORY, SAMPLES } from './sample-resources.ts'

let server: FhirServer

beforeAll(async () => {
  server = await startFhirServer({ resources: SAMPLES })
})
afterAll(() => server.close())

const LAB = `${CATEGORY}|laboratory`

const found: readonly [search: string, matches: readonly string[]][] = [
  // token: code, system|code, |code, system|, alternatives, modifiers
  ['Observation?category=laboratory', ['lab']],
  [`Observation?category=${LAB}`, ['lab']],
  ['Observation?category=urn:wrong|laboratory', []],
  [`Observation?category=${CATEGORY}|`, ['lab', 'vital']],
  ['Observation?code=|local', ['vital']],
  ['Observation?code=|718-7', []],
  ['Observation?category=laboratory,survey', ['lab', 'vital']],
  ['Observation?category=vital-signs&category=survey', ['vital']],
  ['Observation?category=laboratory&category=survey', []],
  ['Observation?category:not=laboratory', ['vital', 'bare', 'far']],
  ['Observation?category:not=survey', ['lab', 'bare', 'far']],
  ['Observation?category:missing=true', ['bare', 'far']],
  ['Observation?category:missing=false', ['lab', 'vital']],
  ['Observation?code:text=hemo', ['lab']],
  ['Observation?code:text=HB', ['lab']],
  ['Observation?status=preliminary', ['bare']],
  ['Patient?active=true', ['a']],
  ['Patient?identifier=7', ['a', 'b']],
  ['Patient?identifier=urn:mrn|7', ['a']],
  ['Patient?identifier:of-type=urn:types|MR|7', ['a']],
  ['Patient?phone=555-1', ['a']],
  ['Patient?email=555-1', []],
  ['Patient?_tag=urn:tags|blue', ['a']],
  ['Patient?_id=a,b', ['a', 'b']],
  ['Patient?_id=A', []],
  // reference: bare id, Type/id, own and foreign absolute, :Type, :identifier
  ['Observation?patient=a', ['lab', 'vital']],
  ['Observation?patient=Patient/a', ['lab', 'vital']],
  ['Observation?patient=Group/a', []],
  ['Observation?subject=Patient/a,Patient/b', ['lab', 'vital', 'bare']],
  ['Observation?subject=b', ['bare']],
  ['Observation?subject:Patient=a', ['lab', 'vital']],
  ['Observation?subject:Group=a', []],
  ['Observation?subject=https://elsewhere.example/fhir/Patient/a', ['far']],
  ['Observation?subject:identifier=urn:mrn|9', ['bare']],
  // string: starts with, without case and accents; :exact, :contains
  ['Patient?family=muller', ['a', 'b']],
  ['Patient?family:exact=Müller', ['a']],
  ['Patient?family:contains=stone', ['b']],
  ['Patient?name=ann', ['a']],
  ['Questionnaire?title=Commas\\, bars \\| and \\$', ['q']],
  // date
  ['Patient?birthdate=1980-03-14', ['a']],
  ['Patient?birthdate=1980', ['a']],
  ['Patient?birthdate=1990-01-01', []],
  ['Patient?birthdate=lt1985', ['a']],
  ['Patient?birthdate=ge1990', ['b']],
  ['Observation?date=2024-03', ['lab', 'vital']],
  ['Observation?date=ge2024-03-05&date=le2024-03-12', ['lab', 'vital']],
  ['Observation?date=sa2024-03-05', ['lab']],
  ['Observation?date=eb2024-03-05', []],
  ['Observation?date=2024-03-10T12:00:00Z', ['lab']],
  ['Observation?date=2024-03-10T13:00:00%2B01:00', ['lab']],
  ['Observation?_lastUpdated=lt2000', []],
  // quantity, number, composite, uri
  ['Observation?value-quantity=13.4', ['lab']],
  ['Observation?value-quantity=13', ['lab']],
  ['Observation?value-quantity=14', []],
  ['Observation?value-quantity=gt13||g/dL', ['lab']],
  ['Observation?value-quantity=gt13|http://unitsofmeasure.org|mg', []],
  ['RiskAssessment?probability=gt0.2', ['r']],
  ['RiskAssessment?probability=gt0.3', []],
  ['Observation?component-code-value-quantity=8480-6$gt100', ['vital']],
  ['Observation?component-code-value-quantity=8462-4$gt100', []],
  ['Observation?code-value-quantity=718-7$lt13.5', ['lab']],
  ['Questionnaire?url=https://forms.example/q', ['q']],
  ['Questionnaire?url:below=https://forms.example', ['q']],
  ['Questionnaire?url=https://forms.example', []],
  ['Observation?combo-code-value-quantity=8480-6$gt100', ['vital']],
  ['Observation?combo-code-value-quantity=718-7$gt13', ['lab']],
  ['Patient?deceased=true', ['b']],
  ['Patient?deceased=false', ['a']],
  ['QuestionnaireResponse?questionnaire=https://forms.example/q', ['qr']],
  ['QuestionnaireResponse?questionnaire=https://forms.example', []],
  // chains and reverse chains
  ['Observation?patient.family=muller', ['lab', 'vital', 'bare']],
  ['Observation?subject:Patient.gender=male', ['bare']],
  ['Observation?patient.organization.name=north', ['lab', 'vital']],
  ['Patient?_has:Observation:patient:code=718-7', ['a']],
  ['Patient?_has:Observation:patient:_has:Provenance:target:agent=Practitioner/pr', ['a']],
  ['Patient?_has:Observation:performer:status=final', ['b']],
  // parameters without a value, and unknown ones, are ignored
  ['Observation?patient=', ['lab', 'vital', 'bare', 'far']],
  ['Patient?nonsense=1', ['a', 'b']],
  // compartments
  ['Patient/a/Observation', ['lab', 'vital']],
  ['Patient/b/Observation', ['vital', 'bare']],
  ['Patient/a/Observation?category=survey', ['vital']],
  ['Encounter/e/Observation', ['lab']],
  ['Patient/a/Organization', []],
]

test.each(found)('%s', async (search, ids) => {
  const answer = await call(`${server.url}/${search}`)
  expect(answer.status).toBe(200)
  const type = search.split('?')[0]!.split('/').at(-1)
  expect(keys(answer)).toEqual(ids.map((id) => `${type}/${id}`))
  expect(answer.body.total).toBe(ids.length)
})

const refused: readonly [search: string, says: RegExp][] = [
  ['Observation?category:in=http://x', /modifier :in/],
  ['Observation?subject:Nonsense=a', /modifier :Nonsense/],
  ['Patient?birthdate=yesterday', /birthdate takes a date/],
  ['RiskAssessment?probability=high', /takes a number/],
  ['Patient?active:missing=perhaps', /true or false/],
  ['Patient?_count=-1', /_count/],
  ['Patient?_summary=some', /_summary/],
  ['?_type=Nonsense', /not a resource type/],
  ['Observation?code.text=x', /not a reference/],
  ['Observation?_include=Observation:code', /not a reference/],
  ['Patient?_filter=name eq x', /_filter/],
  ['Patient?_query=current', /_query/],
  ['Patient?_has:Nonsense:patient:code=1', /not a resource type/],
]

test.each(refused)('%s is a mistake of the client', async (search, says) => {
  const answer = await call(`${server.url}/${search}`)
  expect(answer.status).toBe(400)
  expect(answer.body.resourceType).toBe('OperationOutcome')
  expect(answer.body.issue[0].diagnostics).toMatch(says)
})

describe('handling', () => {
  test('strict refuses what lenient ignores, and self names only what was used', async () => {
    const lenient = await call(`${server.url}/Patient?nonsense=1&gender=male`)
    expect(link(lenient, 'self')).toBe(`${server.url}/Patient?gender=male`)
    const strict = await call(`${server.url}/Patient?nonsense=1`, { headers: { prefer: 'handling=strict' } })
    expect(strict.status).toBe(400)
    expect(strict.body.issue[0].diagnostics).toContain('nonsense')
  })

  test('the own address means the relative reference', async () => {
    const answer = await call(`${server.url}/Observation?subject=${server.url}/Patient/b`)
    expect(keys(answer)).toEqual(['Observation/bare'])
  })

  test('POST _search counts the form and the address', async () => {
    const post = (path: string, body: string) =>
      call(`${server.url}/${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      })
    expect(keys(await post('Observation/_search?patient=a', 'category=survey'))).toEqual(['Observation/vital'])
    expect(keys(await post('Observation/_search?patient=a', 'patient=b'))).toEqual([])
    expect(keys(await post('_search', '_type=Patient&_id=b'))).toEqual(['Patient/b'])
    expect(keys(await post('Patient/a/Observation/_search', 'category=survey'))).toEqual(['Observation/vital'])
  })

  test('a search of the system, and of a whole compartment', async () => {
    expect(keys(await call(`${server.url}?_type=Patient,Practitioner`)).sort()).toEqual([
      'Patient/a',
      'Patient/b',
      'Practitioner/pr',
    ])
    const compartment = keys(await call(`${server.url}/Patient/a/*`)).sort()
    expect(compartment).toEqual(
      [
        'Encounter/e',
        'Group/g',
        'Observation/lab',
        'Observation/vital',
        'Patient/a',
        'Provenance/p',
        'RiskAssessment/r',
      ].sort(),
    )
  })
})

describe('result parameters', () => {
  test('_include, _revinclude and :iterate', async () => {
    const one = await call(
      `${server.url}/Observation?_id=lab&_include=Observation:encounter&_revinclude=Provenance:target`,
    )
    expect(keys(one, 'include').sort()).toEqual(['Encounter/e', 'Provenance/p'])
    const further = await call(
      `${server.url}/Observation?_id=lab&_include=Observation:encounter&_include:iterate=Encounter:service-provider`,
    )
    expect(keys(further, 'include').sort()).toEqual(['Encounter/e', 'Organization/north'])
    const all = await call(`${server.url}/Observation?_id=lab&_include=*`)
    expect(keys(all, 'include').sort()).toEqual(['Encounter/e', 'Patient/a'])
    const target = await call(`${server.url}/Provenance?_include=Provenance:target:Patient`)
    expect(keys(target, 'include')).toEqual(['Patient/a'])
    expect(further.body.total).toBe(1)
  })

  test('_sort, either way, and without a value last', async () => {
    expect(keys(await call(`${server.url}/Patient?_sort=-birthdate`))).toEqual(['Patient/b', 'Patient/a'])
    expect(keys(await call(`${server.url}/Observation?_sort=date&status=final`))).toEqual([
      'Observation/vital',
      'Observation/lab',
      'Observation/far',
    ])
  })

  test('_summary=count and _count=0 answer a total and no resource', async () => {
    for (const parameter of ['_summary=count', '_count=0']) {
      const { body } = await call(`${server.url}/Observation?${parameter}`)
      expect(body.total).toBe(4)
      expect(body.entry).toBeUndefined()
    }
  })

  test('_total=none answers no total', async () => {
    expect((await call(`${server.url}/Observation?_total=none`)).body.total).toBeUndefined()
  })

  test('_elements and _summary leave elements out and say so', async () => {
    const some = (await call(`${server.url}/Observation?_id=lab&_elements=effective,category`)).body.entry[0].resource
    expect(Object.keys(some).sort()).toEqual(['category', 'code', 'id', 'meta', 'resourceType', 'status', 'subject'])
    expect(some.meta.tag).toContainEqual(expect.objectContaining({ code: 'SUBSETTED' }))
    const summary = (await call(`${server.url}/Observation/lab?_summary=true`)).body
    expect(summary.category).toBeUndefined()
    expect(summary.valueQuantity.value).toBe(13.4)
  })
})
