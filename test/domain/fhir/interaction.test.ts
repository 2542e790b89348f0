// The complete table of spec §2.2–2.3: every path shape by every method, and what only R5 knows.

import { describe, expect, test } from 'vitest'
import { definitionsOf } from '../../../src/domain/fhir/definitions.ts'
import { type Interaction, isSearchByPost, parseInteraction } from '../../../src/domain/fhir/interaction.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { interactionOf } from '../../support/fhir-requests.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'LINK', '']
const VERSIONS = (['R4', 'R4B', 'R5'] as const).map((version) => definitionsOf(version))

/** Path shape → the interaction of each method that has one. Any other method: 405 with these in Allow. `{}`: 404. */
const SHAPES: Readonly<Record<string, Readonly<Record<string, Interaction['code']>>>> = {
  '/': { GET: 'search-system', HEAD: 'search-system', POST: 'batch' },
  '/?mode=x': { GET: 'search-system', HEAD: 'search-system', POST: 'batch' },
  '/metadata': { GET: 'capabilities', HEAD: 'capabilities' },
  '/metadata/': { GET: 'capabilities', HEAD: 'capabilities' },
  '/metadata?mode=full': { GET: 'capabilities', HEAD: 'capabilities' },
  '/_history': { GET: 'history-system', HEAD: 'history-system' },
  '/_search': { POST: 'search-system' },
  '/$export': { GET: 'operation', HEAD: 'operation', POST: 'operation' },
  '/Patient': { GET: 'search-type', HEAD: 'search-type', POST: 'create' },
  '/Patient/': { GET: 'search-type', HEAD: 'search-type', POST: 'create' },
  '/Patient?identifier=x': {
    GET: 'search-type',
    HEAD: 'search-type',
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  },
  '/Patient/?identifier=x': {
    GET: 'search-type',
    HEAD: 'search-type',
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  },
  '/Patient/_search': { POST: 'search-type' },
  '/Patient/_search?name=x': { POST: 'search-type' },
  '/Patient/_history': { GET: 'history-type', HEAD: 'history-type' },
  '/Patient/$everything': { GET: 'operation', HEAD: 'operation', POST: 'operation' },
  '/Patient/1': { GET: 'read', HEAD: 'read', PUT: 'update', PATCH: 'patch', DELETE: 'delete' },
  '/Patient/1/': { GET: 'read', HEAD: 'read', PUT: 'update', PATCH: 'patch', DELETE: 'delete' },
  '/Patient/1/_history': { GET: 'history-instance', HEAD: 'history-instance' },
  '/Patient/1/_history/2': { GET: 'vread', HEAD: 'vread' },
  '/Patient/1/$everything': { GET: 'operation', HEAD: 'operation', POST: 'operation' },
  // Compartment searches; the forms by POST are of R5.
  '/Patient/1/Observation': { GET: 'search-type', HEAD: 'search-type' },
  '/Patient/1/Observation?code=x': { GET: 'search-type', HEAD: 'search-type' },
  '/Patient/1/Observation/_search': { POST: 'search-type' },
  '/Patient/1/*': { GET: 'search-system', HEAD: 'search-system' },
  '/Patient/1/_search': { POST: 'search-system' },
  '/Patient/1/*/_search': { POST: 'search-system' },
  '/Encounter/1/Observation': { GET: 'search-type', HEAD: 'search-type' },
  '/Practitioner/1/Patient': { GET: 'search-type', HEAD: 'search-type' },
  '/RelatedPerson/1/Patient': { GET: 'search-type', HEAD: 'search-type' },
  '/Device/1/Observation': { GET: 'search-type', HEAD: 'search-type' },
  // No interaction of any method.
  '/patient': {},
  '/PATIENT/1': {},
  '/Nothing': {},
  '/Nothing/1': {},
  '/Patients': {},
  '/*': {},
  '/*/1': {},
  '/Resource': {},
  '/DomainResource/1': {},
  '/__proto__': {},
  '/constructor/1': {},
  '/hasOwnProperty': {},
  '/_page/abc': {},
  '/_Search': {},
  '/$': {},
  '/$1': {},
  '/$$export': {},
  '/$export/1': {},
  '/$export/_search': {},
  '/metadata/1': {},
  '/metadata/_search': {},
  '/Metadata': {},
  '/_history/1': {},
  '/_history/_search': {},
  '/_history/Patient': {},
  '/.well-known': {},
  '/Patient/*': {},
  '/Patient/_search/_search': {},
  '/Patient/_history/1': {},
  '/Patient/_history/_search': {},
  '/Patient/_x': {},
  '/Patient/a_b': {},
  '/Patient/a%20b': {},
  '/Patient/caf%C3%A9': {},
  [`/Patient/${'a'.repeat(65)}`]: {},
  '/Patient/$everything/1': {},
  '/Patient/$a_b': {},
  '/Patient/1/metadata': {},
  '/Patient/1/Nothing': {},
  '/Patient/1/2': {},
  '/Patient/1/_history/_search': {},
  '/Patient/1/_history/2/_search': {},
  '/Patient/1/_history/a_b': {},
  '/Patient/1/_history/2/3': {},
  '/Patient/1/_history/2/$x': {},
  '/Patient/1/$everything/2': {},
  '/Patient/1/$everything/_search': {},
  '/Patient/1/Observation/2': {},
  '/Patient/1/Observation/$lastn': {},
  '/Patient/1/Observation/2/_search': {},
  '/Patient/1/Observation/_history': {},
  '/Patient/1/**': {},
  '/Patient/a_b/Observation': {},
  '/Observation/1/Patient': {},
  '/Observation/1/*': {},
  '/Observation/1/_search': {},
}

/** A shape that no method has, though its last segment would be another shape's. */
const isUnknown = (path: string, method: string, codes: object): boolean =>
  Object.keys(codes).length === 0 || (path.includes('_search') && method !== 'POST')

describe.each(Object.entries(SHAPES))('%s', (path, codes) => {
  test.each(METHODS)('by %j', (method) => {
    for (const definitions of VERSIONS) {
      const found = interactionOf(`${method} ${path}`, { definitions })
      const code = codes[method as keyof typeof codes]
      if (code !== undefined) expect(found).toMatchObject({ code })
      else if (isUnknown(path, method, codes)) expect(found).toMatchObject({ code: 'interaction-unknown', status: 404 })
      else if (/^\/Patient\/?$/.test(path) && ['PUT', 'PATCH', 'DELETE'].includes(method)) {
        // It would hit everything.
        expect(found).toMatchObject({ code: 'target-ambiguous', status: 400 })
      } else {
        expect(found).toMatchObject({ code: 'interaction-unknown', status: 405 })
        const allow = isRefusal(found) ? found.extras.allow : undefined
        const takes = Object.keys(codes)
        expect(allow).toEqual(expect.arrayContaining(takes))
        expect(allow).not.toContain(method)
      }
    }
  })
})

describe('what R5 adds is known and refused', () => {
  test.each([
    ['DELETE /?_lastUpdated=lt2020', 405],
    ['DELETE /', 405],
    ['DELETE /Patient/1/_history', 405],
    ['DELETE /Patient/1/_history/2', 405],
    ['POST /Patient/1/_history', 405],
    ['PUT /?identifier=x', 405],
    ['PATCH /', 405],
  ])('%s', (line, status) => {
    for (const definitions of VERSIONS) {
      expect(interactionOf(line, { definitions })).toMatchObject({ code: 'interaction-unknown', status })
    }
  })
})

describe('resource types belong to a version', () => {
  test.each<[string, boolean, boolean, boolean]>([
    ['Patient', true, true, true],
    ['Media', true, true, false],
    ['DocumentManifest', true, true, false],
    ['MedicinalProduct', true, false, false],
    ['Citation', false, true, true],
    ['SubscriptionTopic', false, true, true],
    ['Transport', false, false, true],
    ['DeviceUsage', false, false, true],
  ])('%s: R4 %s, R4B %s, R5 %s', (type, ...known) => {
    const found = VERSIONS.map((definitions) => !isRefusal(interactionOf(`GET /${type}/1`, { definitions })))
    expect(found).toEqual(known)
  })
})

describe('what is told apart', () => {
  test('ids, versions and operation names are kept as they are', () => {
    expect(interactionOf('GET /Patient/a-1.B')).toEqual({ code: 'read', type: 'Patient', id: 'a-1.B' })
    expect(interactionOf('GET /Patient/1/_history/2')).toEqual({
      code: 'vread',
      type: 'Patient',
      id: '1',
      versionId: '2',
    })
    expect(interactionOf('POST /Patient/1/$everything')).toEqual({
      code: 'operation',
      name: '$everything',
      type: 'Patient',
      id: '1',
    })
    expect(interactionOf('POST /$export')).toEqual({ code: 'operation', name: '$export' })
    expect(interactionOf('GET /Patient/1/Observation')).toMatchObject({
      code: 'search-type',
      type: 'Observation',
      compartment: { type: 'Patient', id: '1' },
    })
    expect(interactionOf('GET /Patient/1/*')).toMatchObject({ compartment: { type: 'Patient', id: '1' } })
    expect(interactionOf('GET /Patient')).not.toHaveProperty('compartment')
  })

  test('encoded letters are the same path', () => {
    expect(interactionOf('GET /%50atient/%31')).toEqual({ code: 'read', type: 'Patient', id: '1' })
    expect(interactionOf('GET /Patient/%24everything')).toMatchObject({ code: 'operation' })
  })

  test('a transaction is named batch until its body is read', () => {
    expect(interactionOf('POST /')).toEqual({ code: 'batch' })
  })

  test('only a POST whose path ends in _search is a search by POST', () => {
    expect(isSearchByPost('POST', ['Patient', '_search'])).toBe(true)
    expect(isSearchByPost('POST', ['_search'])).toBe(true)
    expect(isSearchByPost('GET', ['Patient', '_search'])).toBe(false)
    expect(isSearchByPost('POST', ['_search', 'Patient'])).toBe(false)
    expect(isSearchByPost('POST', [])).toBe(false)
  })
})

describe('conditional interactions', () => {
  test.each(['PUT', 'PATCH', 'DELETE'])('%s on a type without a criterion would hit everything', (method) => {
    for (const query of [
      '',
      '?',
      '?identifier=',
      '?_format=json',
      '?_count=1000',
      '?_sort=name',
      '?_total=none',
      '?_include=Patient:link',
      '?_summary=true&_elements=id',
      '?_x=1',
    ]) {
      expect(interactionOf(`${method} /Patient${query}`)).toMatchObject({ code: 'target-ambiguous', status: 400 })
    }
  })

  test('one criterion is enough, and the condition is a search like any other', () => {
    for (const query of ['identifier=x', '_id=1', '_tag=x', '_lastUpdated=lt2020', '_has:Observation:patient:code=x']) {
      expect(interactionOf(`PUT /Patient?${query}&_format=json`)).toHaveProperty('condition')
    }
    expect(interactionOf('PATCH /Observation?subject:Patient.name=x')).toMatchObject({
      condition: { reaches: [{ kind: 'probe', type: 'Patient' }] },
    })
    expect(interactionOf('DELETE /Observation?_INCLUDE=x&code=y')).toMatchObject({ code: 'target-ambiguous' })
  })

  test.each([
    ['identifier=http://x|1', [['identifier', 'http://x|1']]],
    [
      'identifier=http%3A%2F%2Fx%7C1&active=true',
      [
        ['identifier', 'http://x|1'],
        ['active', 'true'],
      ],
    ],
    ['code=http://snomed.info/sct?fhir_vs', [['code', 'http://snomed.info/sct?fhir_vs']]],
    ['identifier=x&name=', [['identifier', 'x']]],
  ])('If-None-Exist: %s', (ifNoneExist, parameters) => {
    const found = interactionOf('POST /Patient', { ifNoneExist })
    expect(found).toMatchObject({ code: 'create', type: 'Patient' })
    const condition = 'condition' in found ? found.condition : undefined
    expect(condition?.parameters.map(({ name, value }) => [name, value])).toEqual(parameters)
  })

  test.each([
    '',
    '&',
    'identifier=',
    'identifier',
    '=x',
    '_format=json',
    '_count=1',
    '?identifier=x',
    'Patient?identifier=x',
    '/Patient?identifier=x',
    'http://x/Patient?identifier=x',
    'identifier=%',
    'identifier=%00',
    'identifier=\ud800',
  ])('If-None-Exist: %j is no condition', (ifNoneExist) => {
    expect(interactionOf('POST /Patient', { ifNoneExist })).toMatchObject({ code: 'header-ambiguous', status: 400 })
  })

  test('If-None-Exist with a misspelt common parameter', () => {
    expect(interactionOf('POST /Patient', { ifNoneExist: '_ID=1' })).toMatchObject({ code: 'target-ambiguous' })
  })
})

describe('parameters that an interaction does not take', () => {
  test.each([
    'GET /Patient/1?_method=DELETE',
    'POST /Patient?_method=PUT',
    'POST /?_method=GET',
    'POST /?_lastUpdated=gt2024',
    'GET /Patient/1?_getpages=abc',
    'GET /Patient/1?_include=Patient:link',
    'GET /Patient/1?_has:Observation:patient:code=x',
    'GET /Patient/1?_id=2',
    'GET /Patient/1?_FORMAT=json',
    'GET /Patient/1?_count=1',
    'GET /Patient/1/_history/2?_since=2020',
    'PUT /Patient/1?_id=2',
    'DELETE /Patient/1?_cascade=delete',
    'GET /metadata?_x=1',
    'GET /_history?_list=1',
    'GET /Patient/_history?_include=Patient:link',
    'POST /Patient?_id=1',
  ])('%s', (line) => {
    expect(interactionOf(line)).toMatchObject({ code: 'target-ambiguous', status: 400 })
  })

  test.each([
    'GET /Patient/1?_format=json&_pretty=true&_summary=true&_elements=id',
    'GET /Patient/1/_history?_count=1&_since=2020&_at=2020&_sort=_lastUpdated&_total=none',
    'GET /_history?_count=1',
    'POST /Patient?_format=json',
    'GET /metadata?mode=full&_format=json',
    'GET /Patient/1?x=/metadata',
  ])('%s is as good as without them', (line) => {
    expect(isRefusal(interactionOf(line))).toBe(false)
  })

  test('a refusal repeats a plain parameter name only, never other text of the client', () => {
    const detail = (line: string): string => {
      const found = interactionOf(line)
      return isRefusal(found) ? found.detail : ''
    }
    expect(detail('GET /Patient/1?_include=x')).toContain('_include')
    expect(detail('GET /Patient/1?_jane%20doe=x')).not.toContain('jane')
  })
})

test('an empty method or path never throws', () => {
  expect(isRefusal(parseInteraction({ method: '', segments: [''], parameters: [] }, VERSIONS[0]!))).toBe(true)
  expect(isRefusal(parseInteraction({ method: 'GET', segments: ['Patient', ''], parameters: [] }, VERSIONS[0]!))).toBe(
    true,
  )
})
