// A patch that this side and a server understand differently would be checked as one document and stored as another.

import { expect, test } from 'vitest'
import type { Json, JsonObject } from '../../src/domain/json/strict-json.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { patchStored } from '../../src/server/fhir/json-patch.ts'

const stored: JsonObject = {
  resourceType: 'Observation',
  id: 'o1',
  subject: { reference: 'Patient/p1' },
  category: [{ coding: [{ code: 'laboratory' }] }],
}

test.each(['constructor', 'prototype', '__proto__', '~0proto'])('a path through %s hides nothing', (token) => {
  const patch = [
    { op: 'add', path: `/${token}`, value: {} },
    { op: 'replace', path: '/subject/reference', value: 'Patient/p2' },
    { op: 'add', path: `/${token}/subject`, value: { reference: 'Patient/p1' } },
    { op: 'remove', path: `/${token}` },
  ] as unknown as Json[]
  expect(isRefusal(patchStored(stored, patch))).toBe(true)
})

test.each(['00', '+0', ' 0', '0x0', '0.0', '-', '-0', '1e0', ''])(
  'an index written as "%s" is refused where one is read',
  (index) => {
    const patch = [{ op: 'replace', path: `/category/${index}`, value: { text: 'x' } }] as unknown as Json[]
    expect(isRefusal(patchStored(stored, patch))).toBe(true)
  },
)

test.each(['', 'subject', '/subject~1reference', '/subject/', '/a b'])('the path "%s" is refused', (path) => {
  expect(isRefusal(patchStored(stored, [{ op: 'replace', path, value: 1 }]))).toBe(true)
})

test('an ordinary patch shows what becomes of the resource', () => {
  const patch = [
    { op: 'test', path: '/id', value: 'o1' },
    { op: 'add', path: '/category/-', value: { text: 'more' } },
    { op: 'replace', path: '/category/0/coding/0/code', value: 'vital-signs' },
    { op: 'remove', path: '/subject' },
  ] as unknown as Json[]
  const patched = patchStored(stored, patch)
  expect(patched).toEqual({
    resourceType: 'Observation',
    id: 'o1',
    category: [{ coding: [{ code: 'vital-signs' }] }, { text: 'more' }],
  })
  expect(stored['subject']).toEqual({ reference: 'Patient/p1' })
})
