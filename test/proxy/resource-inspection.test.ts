// A written resource must be the one that the URL was decided by.

import { expect, test } from 'vitest'
import { type ExpectedResource, inspectResource } from '../../src/proxy/resource-inspection.ts'

function verdict(text: string, expected: ExpectedResource, size = text.length || 1): string {
  const inspection = inspectResource(expected)
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += size) {
    const refusal = inspection.write(bytes.subarray(from, from + size))
    if (refusal !== undefined) return refusal.code
  }
  return inspection.end()?.code ?? 'passes'
}

const patient = { type: 'Patient', id: 'p1' }

test.each<[string, ExpectedResource]>([
  ['{"resourceType":"Patient","id":"p1"}', patient],
  ['{"id":"p1","resourceType":"Patient"}', patient],
  ['{"resourceType":"Patient"}', { type: 'Patient' }],
  ['{"resourceType":"Patient","id":"other"}', { type: 'Patient' }],
  ['{"resourceType":"Anything"}', {}],
  ['{"contained":[{"resourceType":"Observation","id":"x"}],"resourceType":"Patient","id":"p1"}', patient],
  ['{"resource\\u0054ype":"Pati\\u0065nt","id":"p1"}', patient],
])('passes: %s', (text, expected) => {
  expect(verdict(text, expected)).toBe('passes')
  expect(verdict(text, expected, 1)).toBe('passes')
})

test.each<[string, ExpectedResource]>([
  ['{"resourceType":"Observation","id":"p1"}', patient],
  ['{"resourceType":"Patient","id":"p2"}', patient],
  ['{"resourceType":"Patient"}', patient],
  ['{"id":"p1"}', patient],
  ['{"resourceType":"Patient","id":"p1","resourceType":"Patient"}', patient],
  ['{"resourceType":"Patient","id":"p1","i\\u0064":"p2"}', patient],
  ['{"resourceType":"Observation","resourceType":"Patient","id":"p1"}', patient],
  ['{"resourceType":["Patient"],"id":"p1"}', patient],
  ['{"resourceType":"Patient","id":1}', { type: 'Patient', id: '1' }],
  ['{"resourceType":"patient","id":"p1"}', patient],
  ['[{"resourceType":"Patient","id":"p1"}]', patient],
  ['"Patient"', { type: 'Patient' }],
  ['{"resourceType":null}', {}],
  ['{"resourceType":""}', {}],
  ['{"resourceType":"Patient","id":"p1"', patient],
  ['{"resourceType":"Patient","id":"p1"}{}', patient],
  ['{resourceType:"Patient","id":"p1"}', patient],
  ['<Patient/>', { type: 'Patient' }],
  ['', {}],
  ['{"resourceType":"Patient","id":"p1","ResourceType":"Observation"}', patient],
  ['{"resourcetype":"Observation","resourceType":"Patient","id":"p1"}', patient],
  ['{"resourceType":"Patient","id":"p1","ID":"p2"}', patient],
  ['{"resourceType":"Patient","Id":"p2"}', { type: 'Patient' }],
  ['{"resourceType":"Patient","id":"p1","\u0131d":"p2"}', patient],
  ['{"resourceType":"Patient","id":"p1","re\u017fourceType":"Observation"}', patient],
  ['{"resourceType":"Patient","id":"p1","id ":"p2"}', patient],
  [`{"resourceType":"${'P'.repeat(3_000)}"}`, { type: 'Patient' }],
])('is refused: %s', (text, expected) => {
  expect(verdict(text, expected)).toBe('body-invalid')
  expect(verdict(text, expected, 1)).toBe('body-invalid')
})

test('a wrong type is noticed as soon as it came by', () => {
  expect(inspectResource(patient).write(Buffer.from('{"resourceType":"Observation",'))?.code).toBe('body-invalid')
})
