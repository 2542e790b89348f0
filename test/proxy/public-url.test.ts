// No spelling of the upstream's address gets out.

import { describe, expect, test } from 'vitest'
import { compilePublicUrls } from '../../src/proxy/public-url.ts'

describe('below a path', () => {
  const { map } = compilePublicUrls(
    ['http://up.internal:8101/fhir', 'http://10.0.0.2/fhir'],
    'https://api.example.org/fhir/R4',
  )

  test.each([
    ['http://up.internal:8101/fhir', 'https://api.example.org/fhir/R4'],
    ['http://up.internal:8101/fhir/', 'https://api.example.org/fhir/R4/'],
    ['http://up.internal:8101/fhir/Patient/1', 'https://api.example.org/fhir/R4/Patient/1'],
    ['http://up.internal:8101/fhir?_getpages=a', 'https://api.example.org/fhir/R4?_getpages=a'],
    ['HTTP://UP.internal:8101/fhir/Patient/1', 'https://api.example.org/fhir/R4/Patient/1'],
    ['http://user:pw@up.internal:8101/fhir/Patient/1', 'https://api.example.org/fhir/R4/Patient/1'],
    ['http://10.0.0.2/fhir/x', 'https://api.example.org/fhir/R4/x'],
    ['http://10.0.0.2:80/fhir/x', 'https://api.example.org/fhir/R4/x'],
    ['https://api.example.org/fhir/R4/Patient/1', 'https://api.example.org/fhir/R4/Patient/1'],
    ['https://api.example.org/fhir/Patient/1', 'https://api.example.org/fhir/R4/Patient/1'],
    ['/fhir/Patient/1', '/fhir/R4/Patient/1'],
    ['/fhir/R4/Patient/1', '/fhir/R4/Patient/1'],
    ['Patient/1', 'Patient/1'],
    ['?page=2', '?page=2'],
    ['urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0', 'urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0'],
    ['urn:oid:1.2.3', 'urn:oid:1.2.3'],
    ['http://elsewhere.example/fhir/Patient/1', 'http://elsewhere.example/fhir/Patient/1'],
    ['', ''],
  ])('%s is %s', (url, expected) => {
    expect(map(url)).toBe(expected)
  })

  test.each([
    'http://up.internal:8101/',
    'http://up.internal:8101',
    'http://up.internal:8101/fhirish/Patient/1',
    'http://up.internal:8101/admin',
    'http://UP.INTERNAL:8101/admin',
    'http://x@up.internal:8101/admin',
    '/admin',
    '/\\up.internal:8101/fhir',
    '\\\\up.internal:8101/fhir',
    'http://[broken/fhir',
    '//10.0.0.2/fhir/x',
    'https://up.internal:8101/fhir/x',
    'http://up.internal/fhir',
    'ftp://up.internal/',
  ])('%s does not get out', (url) => {
    expect(map(url)).toBeUndefined()
  })

  test('a whole segment is replaced, so that /fhirish stays what it is elsewhere', () => {
    expect(map('https://api.example.org/fhirish')).toBe('https://api.example.org/fhirish')
  })
})

test('without paths on either side', () => {
  const { map } = compilePublicUrls(['http://10.0.0.1:8104'], 'https://api.example.org')
  expect(map('http://10.0.0.1:8104/prime/v1/jobs/7')).toBe('https://api.example.org/prime/v1/jobs/7')
  expect(map('/prime/v1/jobs/7')).toBe('/prime/v1/jobs/7')
})
