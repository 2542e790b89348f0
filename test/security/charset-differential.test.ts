// A body that is judged as UTF-8 and read by the server behind us in another charset is another body.

import { expect, test } from 'vitest'
import { isUtf8 } from '../../src/domain/http/media-type.ts'
import { applyJsonPatch } from '../../src/domain/json/json-patch.ts'
import { readStrictJson } from '../../src/domain/json/strict-json.ts'

test.each([
  'application/fhir+json; charset=utf-16',
  'application/fhir+json; charset=utf-8; charset=utf-7',
  'application/fhir+json; x="; charset=utf-8"; charset=utf-16',
  'application/fhir+json; charset*=utf-16',
  'application/fhir+json; charset*0=utf-8',
  'application/fhir+json; charset = utf-8',
  'application/fhir+json; charset=',
  'application/fhir+json; charset="utf-8',
  'application/json-patch+json; CHARSET=shift_jis',
])('refused: %s', (type) => {
  expect(isUtf8(type)).toBe(false)
})

test.each([
  'application/fhir+json',
  'application/fhir+json;charset=utf-8',
  'application/fhir+json; charset="UTF-8"',
  'application/fhir+json; fhirVersion=4.0; charset=utf-8',
  'application/fhir+json;',
])('taken: %s', (type) => {
  expect(isUtf8(type)).toBe(true)
})

test('members that differ in case only: a server that does not tell them apart reads the other one', () => {
  const twice = '{"subject":{"reference":"Patient/p1"},"Subject":{"reference":"Patient/p2"}}'
  expect(readStrictJson(twice, { caseless: true })).toMatchObject({ reason: expect.stringContaining('case') })
  const document = { resourceType: 'Observation', status: 'final' }
  const patch = [{ op: 'replace', path: '/status', value: 'amended', Path: '/subject' }]
  expect(applyJsonPatch(document, patch)).toBeUndefined()
  expect(applyJsonPatch(document, [{ op: 'replace', path: '/status', value: 'amended' }])).toMatchObject({
    status: 'amended',
  })
})
