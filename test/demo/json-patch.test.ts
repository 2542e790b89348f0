import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyJsonPatch } from '../../src/demo/fhir/json-patch.ts'

const applied: readonly [document: unknown, operation: object, result: unknown][] = [
  [{ a: 1 }, { op: 'add', path: '/b', value: 2 }, { a: 1, b: 2 }],
  [{ a: [1, 3] }, { op: 'add', path: '/a/1', value: 2 }, { a: [1, 2, 3] }],
  [{ a: [1] }, { op: 'add', path: '/a/-', value: 2 }, { a: [1, 2] }],
  [{ a: 1 }, { op: 'add', path: '', value: 2 }, 2],
  [{ a: [1, 2] }, { op: 'remove', path: '/a/0' }, { a: [2] }],
  [{ a: 1 }, { op: 'replace', path: '/a', value: null }, { a: null }],
  [{ a: [1, 2] }, { op: 'replace', path: '/a/0', value: 9 }, { a: [9, 2] }],
  [{ a: 1, b: {} }, { op: 'move', from: '/a', path: '/b/a' }, { b: { a: 1 } }],
  [{ a: [1] }, { op: 'copy', from: '/a', path: '/b' }, { a: [1], b: [1] }],
  [
    { 'a/b': 1, 'm~n': 2 },
    { op: 'replace', path: '/a~1b', value: 3 },
    { 'a/b': 3, 'm~n': 2 },
  ],
  [{ 'm~n': 2 }, { op: 'remove', path: '/m~0n' }, {}],
  [{ a: { b: [1] } }, { op: 'test', path: '/a', value: { b: [1] } }, { a: { b: [1] } }],
]

test.each(applied)('%j %j', (document, operation, result) => {
  const before = structuredClone(document)
  expect(applyJsonPatch(document, [operation])).toEqual(result)
  expect(document).toEqual(before)
})

const failing: readonly object[] = [
  { op: 'remove', path: '/none' },
  { op: 'replace', path: '/none', value: 1 },
  { op: 'add', path: '/none/x', value: 1 },
  { op: 'add', path: '/list/7', value: 1 },
  { op: 'add', path: '/list/01', value: 1 },
  { op: 'test', path: '/list', value: [2] },
  { op: 'move', from: '/list', path: '/list/0' },
  { op: 'add', path: 'list', value: 1 },
  { op: 'add', path: '/x' },
  { op: 'explode', path: '/x' },
  { op: 'remove', path: '' },
  { op: 'remove', path: '/__proto__' },
]

test.each(failing)('%j fails', (operation) => {
  expect(() => applyJsonPatch({ list: [1] }, [operation])).toThrow()
})

test('no patch reaches a prototype', () => {
  applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('adding and then removing a member changes nothing', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), fc.jsonValue(), (document, name, value) => {
      fc.pre(!Object.hasOwn(document, name))
      const path = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
      const result = applyJsonPatch(document, [
        { op: 'add', path, value },
        { op: 'remove', path },
      ])
      expect(result).toEqual(structuredClone(document))
    }),
  )
})
