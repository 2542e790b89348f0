// JSON Patch as RFC 6902 says it, appendix A included, and what no patch may do to the gateway.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyJsonPatch } from '../../../src/domain/json/json-patch.ts'
import { type Json, readStrictJson } from '../../../src/domain/json/strict-json.ts'

function patch(document: Json, ...operations: unknown[]): unknown {
  const read = readStrictJson(JSON.stringify(document))
  const before = JSON.stringify(document)
  if (!('value' in read)) throw new Error('no JSON')
  const result = applyJsonPatch(read.value, JSON.parse(JSON.stringify(operations)))
  expect(JSON.stringify(read.value)).toBe(before)
  return result === undefined ? undefined : JSON.parse(JSON.stringify(result))
}

describe('applied', () => {
  test.each<[document: Json, operation: object, result: Json]>([
    [{ foo: 'bar' }, { op: 'add', path: '/baz', value: 'qux' }, { foo: 'bar', baz: 'qux' }],
    [{ foo: ['bar', 'baz'] }, { op: 'add', path: '/foo/1', value: 'qux' }, { foo: ['bar', 'qux', 'baz'] }],
    [{ baz: 'qux', foo: 'bar' }, { op: 'remove', path: '/baz' }, { foo: 'bar' }],
    [{ foo: ['bar', 'qux', 'baz'] }, { op: 'remove', path: '/foo/1' }, { foo: ['bar', 'baz'] }],
    [{ baz: 'qux' }, { op: 'replace', path: '/baz', value: 'boo' }, { baz: 'boo' }],
    [
      { foo: { waldo: 'fred' }, qux: {} },
      { op: 'move', from: '/foo/waldo', path: '/qux/thud' },
      { foo: {}, qux: { thud: 'fred' } },
    ],
    [{ foo: ['a', 'b', 'c', 'd'] }, { op: 'move', from: '/foo/1', path: '/foo/3' }, { foo: ['a', 'c', 'd', 'b'] }],
    [{ a: [1, {}, { x: 1 }] }, { op: 'move', from: '/a/0', path: '/a/1/y' }, { a: [{}, { x: 1, y: 1 }] }],
    [{ foo: ['bar'] }, { op: 'add', path: '/foo/-', value: ['abc'] }, { foo: ['bar', ['abc']] }],
    [{ foo: 'bar' }, { op: 'add', path: '/child', value: { g: {} }, xyz: 1 }, { foo: 'bar', child: { g: {} } }],
    [{ foo: null }, { op: 'replace', path: '/foo', value: 1 }, { foo: 1 }],
    [{ a: 1 }, { op: 'replace', path: '', value: { b: 2 } }, { b: 2 }],
    [{ a: 1 }, { op: 'move', from: '/a', path: '/a' }, { a: 1 }],
    [
      { '/': 9, '~1': 10 },
      { op: 'test', path: '/~01', value: 10 },
      { '/': 9, '~1': 10 },
    ],
    [{ a: [1, { b: 2 }] }, { op: 'test', path: '/a', value: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
    [{ a: [1] }, { op: 'copy', from: '/a', path: '/b' }, { a: [1], b: [1] }],
  ])('%j %j', (document, operation, result) => {
    expect(patch(document, operation)).toEqual(result)
  })
})

describe('refused', () => {
  test.each<[operation: unknown]>([
    [{ op: 'add', path: '/none/x', value: 1 }],
    [{ op: 'add', path: '/list/2', value: 1 }],
    [{ op: 'add', path: '/list/01', value: 1 }],
    [{ op: 'replace', path: '/list/00', value: 1 }],
    [{ op: 'replace', path: '/list/-', value: 1 }],
    [{ op: 'replace', path: '/list/length', value: 0 }],
    [{ op: 'remove', path: '/none' }],
    [{ op: 'remove', path: '' }],
    [{ op: 'test', path: '/list', value: ['1'] }],
    [{ op: 'test', path: '/text', value: null }],
    [{ op: 'move', from: '/list', path: '/list/0' }],
    [{ op: 'add', path: 'text', value: 1 }],
    [{ op: 'add', path: '/text~2', value: 1 }],
    [{ op: 'add', path: '/text' }],
    [{ op: 'add', path: '/text/x', value: 1 }],
    [{ op: 'Add', path: '/text', value: 1 }],
    [{ op: 'explode', path: '/text' }],
    ['add'],
  ])('%j', (operation) => {
    expect(patch({ list: [1], text: 'x' }, operation)).toBeUndefined()
  })
})

describe('no way out of the document', () => {
  test.each([
    '/list/map/call',
    '/list/push/apply',
    '/text/slice/call',
    '/__proto__/polluted',
    '/constructor/prototype/polluted',
    '/toString/call',
  ])('%s is not there', (path) => {
    for (const op of ['add', 'replace']) expect(patch({ list: [1], text: 'x' }, { op, path, value: 1 })).toBeUndefined()
    expect(typeof Array.prototype.map.call).toBe('function')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test.each(['__proto__', 'constructor', 'toString'])('%s is a name like any other', (name) => {
    const patched = patch({ a: 1 }, { op: 'add', path: `/${name}`, value: { b: 1 } }) as object
    expect(JSON.stringify(patched)).toBe(`{"a":1,"${name}":{"b":1}}`)
  })
})

describe('no more work than a patch needs', () => {
  test('a document that is copied into itself again and again', () => {
    const doubling = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '', path: `/c${i}` }))
    expect(patch({ a: 1 }, ...doubling)).toBeUndefined()
  })

  test('a document that is made ever deeper', () => {
    const deeper = Array.from({ length: 300 }, (_, i) => ({ op: 'add', path: '/a'.repeat(i + 1), value: {} }))
    expect(patch({}, ...deeper)).toBeUndefined()
  })
})

const name = fc.constantFrom('a', 'b', '0', '~', '/', '', '__proto__')
const document = fc.dictionary(name, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4 }) as fc.Arbitrary<Json>
const path = fc
  .array(fc.oneof(name, fc.constantFrom('-', '1', 'length', 'constructor')), { maxLength: 3 })
  .map((tokens) => tokens.map((token) => `/${token.replaceAll('~', '~0').replaceAll('/', '~1')}`).join(''))
const operation = fc.record(
  { op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'), path, from: path, value: fc.jsonValue() },
  { requiredKeys: ['op', 'path'] },
)

test('any patch of any document gives a document or nothing, and never throws', () => {
  fc.assert(
    fc.property(document, fc.array(operation, { maxLength: 5 }), (given, operations) => {
      patch(given, ...operations)
    }),
  )
})

test('adding a member and removing it again changes nothing', () => {
  fc.assert(
    fc.property(document, fc.jsonValue(), (given, value) => {
      expect(patch(given, { op: 'add', path: '/new', value }, { op: 'remove', path: '/new' })).toEqual(
        JSON.parse(JSON.stringify(given)),
      )
    }),
  )
})
