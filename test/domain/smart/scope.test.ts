import { describe, expect, test } from 'vitest'
import { parseScope, printScope } from '../../../src/domain/smart/scope.ts'

describe('grants nothing', () => {
  test.each([
    // Letters out of order, twice, in the wrong case, or none.
    'patient/Observation.sdurc',
    'patient/Observation.sr',
    'user/Observation.sr',
    'patient/Observation.dus',
    'patient/Observation.rss',
    'patient/Observation.rr',
    'patient/Observation.rd*',
    'patient/Observation.c*',
    'patient/*.c*',
    'patient/Observation.*s',
    'patient/Observation.RS',
    'patient/Observation.x',
    'patient/Observation.',
    'patient/Observation',
    'patient/',
    'patient',
    // v1 words as anything but themselves: `.read` must never be read as `.r` and more.
    'patient/Observation.reads',
    'patient/Observation.rea',
    'patient/Observation.readwrite',
    'patient/Observation.read,write',
    'patient/Observation.Read',
    'patient/Observation.all',
    'patient/Observation.create',
    'user/Observation.create',
    // Trailing and leading text.
    'patient/Observation.read-only',
    'patient/Observation.rsXYZ',
    'patient/Observation.rs/',
    'patient/Observation.rs.',
    'patient/Observation.rs#x',
    'patient/Observation.rs&x=1',
    'patient/Observation.rs\n',
    'patient/Observation.rs\u0000',
    'xpatient/Observation.rs',
    'x patient/Observation.rs',
    ' patient/Observation.rs',
    // Contexts.
    'Patient/Observation.rs',
    'User/Observation.rs',
    'PATIENT/Observation.rs',
    'launch/Observation.rs',
    'practitioner/Observation.rs',
    '/Observation.rs',
    'Observation.rs',
    '*/Observation.rs',
    'user//Observation.rs',
    'user/Observation/rs',
    'patient.Observation.rs',
    'patient%2FObservation.rs',
    // Types.
    'patient/observation.rs',
    'patient/Observation*.rs',
    'patient/**.rs',
    'patient/.rs',
    'patient/Obser-vation.rs',
    'patient/Observation1.rs',
    'patient/Observation,Condition.rs',
    `patient/A${'a'.repeat(64)}.rs`,
    // Filters: empty, without a name or value, doubled "=", broken encodings.
    'patient/Observation.rs?',
    'patient/Observation.rs?active',
    'patient/Observation.rs?category',
    'patient/Observation.rs?category=',
    'patient/Observation.rs?=x',
    'patient/Observation.rs?=',
    'patient/Observation.rs?&',
    'patient/Observation.rs?category=x&',
    'patient/Observation.rs?&category=x',
    'patient/Observation.rs?category=x&&status=final',
    'patient/Observation.rs?category=x&status',
    'patient/Observation.rs?category==x',
    'patient/Observation.rs?category=x=y',
    'patient/Observation.rs?category=%',
    'patient/Observation.rs?category=%zz',
    'patient/Observation.rs?category=%80',
    'patient/Observation.rs?category=%00',
    'patient/Observation.rs?category=a%0Ab',
    'patient/Observation.rs?category=a%7F',
    'patient/Observation.rs?%=x',
    // Modifiers and chains are experimental in SMART and never evaluated here.
    'user/Observation.rs?code:in=http://valueset.example.org/ValueSet/diabetes-codes',
    'user/Observation.rs?code%3Ain=x',
    'patient/Observation.rs?category:not=x',
    'patient/Observation.rs?patient.birthdate=1990',
    'patient/Observation.rs?subject:Patient.name=x',
    'patient/Observation.rs?status=final&category:not=x',
    // What steers a search is no filter.
    'patient/Observation.rs?_has:Condition:patient:code=x',
    'patient/Observation.rs?_has=x',
    'patient/Observation.rs?_include=Observation:subject',
    'patient/Observation.rs?_revinclude=x',
    'patient/Observation.rs?_sort=date',
    'patient/Observation.rs?_count=1',
    'patient/Observation.rs?_summary=true',
    'patient/Observation.rs?_elements=id',
    'patient/Observation.rs?_filter=x',
    'patient/Observation.rs?_query=x',
    'patient/Observation.rs?_list=1',
    'patient/Observation.rs?_contained=true',
    'patient/Observation.rs?_type=x',
    'patient/Observation.rs?_text=x',
    'patient/Observation.rs?_x=1',
    'patient/Observation.rs?_ID=1',
    // A v1 word with a filter is defined nowhere; dropping the filter would widen it.
    'patient/Observation.read?category=laboratory',
    'patient/Observation.write?category=laboratory',
    'patient/Observation.*?category=laboratory',
    // Outside the characters of a scope token (RFC 6749 §3.3).
    'patient/Observation.rs?category=a b',
    'patient/Observation.rs?category="a"',
    'patient/Observation.rs?category=a\\,b',
    'patient/Observation.rs?category=\t',
    'patient/Observation.rs?category=é',
    'patient/Observation.rs?category=\ud800',
    'patient/Observation.rs\u00a0',
    // No resource scope at all.
    '',
    '*',
    'openid',
    'fhirUser',
    'profile',
    'launch',
    'launch/patient',
    'launch/encounter',
    'offline_access',
    'online_access',
    '__x',
    'https://example.org/scopes/patient/Observation.rs',
    'http://smarthealthit.org/fhir/scopes/patient/Observation.rs',
    'cms.fhir.r4.read',
    '__proto__',
  ])('%j', (scope) => expect(parseScope(scope)).toBeUndefined())
})

describe('parses', () => {
  const all = ['c', 'r', 'u', 'd', 's']
  const subsets = Array.from({ length: 31 }, (_, bits) => all.filter((_, at) => ((bits + 1) >> at) & 1).join(''))

  test.each(subsets)('letters %s, in order', (permissions) => {
    expect(parseScope(`user/Observation.${permissions}`)).toEqual({
      context: 'user',
      type: 'Observation',
      permissions,
      filters: [],
    })
  })

  test('only the 31 subsets in order are v2 letters', () => {
    const strings = (length: number): string[] =>
      length === 0 ? [''] : strings(length - 1).flatMap((head) => all.map((letter) => head + letter))
    const accepted = [1, 2, 3, 4, 5].flatMap(strings).filter((letters) => parseScope(`user/Observation.${letters}`))
    expect(accepted.sort()).toEqual([...subsets].sort())
  })

  test.each([
    ['read', 'rs'],
    ['write', 'cud'],
    ['*', 'cruds'],
  ])('v1 .%s is .%s', (word, permissions) => {
    for (const context of ['patient', 'user', 'system']) {
      for (const type of ['Observation', '*']) {
        expect(parseScope(`${context}/${type}.${word}`)).toEqual(parseScope(`${context}/${type}.${permissions}`))
      }
    }
  })

  test.each<[string, [string, string][]]>([
    ['category=laboratory', [['category', 'laboratory']]],
    [
      'category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory',
      [['category', 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory']],
    ],
    [
      'category=http://terminology.hl7.org/CodeSystem/observation-category%7Claboratory',
      [['category', 'http://terminology.hl7.org/CodeSystem/observation-category|laboratory']],
    ],
    [
      'code=http://loinc.org|55233-1&status=final',
      [
        ['code', 'http://loinc.org|55233-1'],
        ['status', 'final'],
      ],
    ],
    [
      'category=a&category=b',
      [
        ['category', 'a'],
        ['category', 'b'],
      ],
    ],
    ['category=a,b', [['category', 'a,b']]],
    ['category=a%5C,b', [['category', 'a\\,b']]],
    ['name=van%20Dijk', [['name', 'van Dijk']]],
    ['name=a+b', [['name', 'a+b']]],
    ['code=http://snomed.info/sct?fhir_vs%3Decl', [['code', 'http://snomed.info/sct?fhir_vs=ecl']]],
    ['code=%26', [['code', '&']]],
    ['code=%25', [['code', '%']]],
    ['code=%2526', [['code', '%26']]],
    ['clinical-status=active', [['clinical-status', 'active']]],
    ['c%61tegory=x', [['category', 'x']]],
    ['_security=x', [['_security', 'x']]],
    [
      '_tag=x&_profile=y&_source=z&_id=1&_lastUpdated=gt2020',
      [
        ['_tag', 'x'],
        ['_profile', 'y'],
        ['_source', 'z'],
        ['_id', '1'],
        ['_lastUpdated', 'gt2020'],
      ],
    ],
  ])('filters ?%s', (query, filters) => {
    const scope = parseScope(`patient/Observation.rs?${query}`)
    expect(scope?.filters.map(({ name, value }) => [name, value])).toEqual(filters)
    expect(scope).toMatchObject({ context: 'patient', type: 'Observation', permissions: 'rs' })
  })
})

describe('prints', () => {
  test.each([
    ['patient/Observation.read', 'patient/Observation.rs'],
    ['user/*.*', 'user/*.cruds'],
    ['system/Patient.write', 'system/Patient.cud'],
    ['patient/Observation.rs?category=http%3A%2F%2Fx%7Clab', 'patient/Observation.rs?category=http://x|lab'],
    [
      'patient/Observation.rs?name=a%20b&code=%22%5C%26%3D%25%C3%A9',
      'patient/Observation.rs?name=a%20b&code=%22%5C%26%3D%25%C3%A9',
    ],
  ])('%s as %s', (scope, print) => expect(printScope(parseScope(scope)!)).toBe(print))
})
