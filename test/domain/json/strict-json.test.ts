import { describe, expect, test } from 'vitest'
import {
  isJsonObject,
  type JsonDocument,
  type JsonFault,
  type JsonObject,
  readStrictJson,
} from '../../../src/domain/json/strict-json.ts'

function read(text: string, spansTo = 0): JsonDocument {
  const document = readStrictJson(text, spansTo === undefined ? {} : { spansTo })
  if ('reason' in document) throw new Error(`${text}: ${document.reason}`)
  return document
}

describe('refused', () => {
  test.each([
    // A name twice in one object, at any depth and in any spelling.
    ['{"a":1,"a":2}', 7],
    ['{"a":1,"b":2,"a":1}', 13],
    ['{"a":1,"\\u0061":2}', 7],
    ['{"\\u0061":1,"a":2}', 12],
    ['{"a":{"b":[{"c":1,"c":2}]}}', 18],
    ['[[{"x":{},"x":{}}]]', 10],
    ['{"":1,"":2}', 6],
    ['{"__proto__":1,"__proto__":2}', 15],
    ['{"url":"Patient/1","\\u0075\\u0072\\u006c":"Patient/2"}', 19],
    ['{"\\ud83d\\ude00":1,"😀":2}', 18],
  ])('%s: a member stands twice', (text, at) => {
    expect(readStrictJson(text)).toEqual({ at, reason: 'a member stands twice in one object' })
  })

  test.each([
    '',
    ' ',
    '{',
    '[',
    '{}{}',
    '{} x',
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{,"a":1}',
    '{a:1}',
    "{'a':1}",
    '{"a" 1}',
    '{"a":1 "b":2}',
    '{1:2}',
    '"',
    '"a',
    '"\\',
    '["\\',
    '"\\"',
    '"\\x"',
    '"\\u12"',
    '"\\u12g4"',
    '"a\nb"',
    '"\u0000"',
    '"\t"',
    'tru',
    'TRUE',
    'nul',
    'undefined',
    'NaN',
    'Infinity',
    '-',
    '+1',
    '01',
    '-01',
    '1.',
    '.5',
    '1e',
    '1e+',
    '0x1',
    '1_000',
    '// x\n1',
    '/* x */ 1',
    '\ufeff{}',
    '\u00a0{}',
    '{}\u2028',
    '\u000b1',
  ])('%j, as JSON.parse does', (text) => {
    expect(() => JSON.parse(text)).toThrow()
    expect(readStrictJson(text)).toHaveProperty('reason')
  })

  test('nesting beyond 200 levels, without end or with one', () => {
    const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(readStrictJson(deep(201))).toMatchObject({ at: 200, reason: expect.stringContaining('200') })
    expect(readStrictJson('['.repeat(1_000_000))).toHaveProperty('reason')
    expect(readStrictJson('{"a":'.repeat(1_000_000))).toHaveProperty('reason')
    expect('reason' in readStrictJson(deep(200))).toBe(false)
  })

  test('a fault names a place and never the text', () => {
    const fault = readStrictJson('{"jane":1,"jane":2}') as JsonFault
    expect(fault.reason).not.toContain('jane')
  })
})

describe('read', () => {
  test.each([
    'null',
    'true',
    'false',
    '0',
    '-0',
    '1.00',
    '-1.5e-3',
    '1E400',
    '12345678901234567890',
    '""',
    '"a\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00"',
    '"\\ud800"',
    '"\u2028\u2029\u007f"',
    '[]',
    '{}',
    ' [ 1 , "a" , { "b" : null } ] ',
    '\t\r\n{"a":[{"a":{"a":1}}]}\n',
    '{"a":1,"A":2,"":3}',
  ])('%s as JSON.parse does', (text) => {
    expect(read(text).value).toEqual(JSON.parse(text))
  })

  test('__proto__ is a member like any other, and no object has inherited ones', () => {
    const { value } = read('{"__proto__":{"admin":true},"a":{}}')
    const object = value as JsonObject
    expect(Object.keys(object)).toEqual(['__proto__', 'a'])
    expect(object['admin']).toBeUndefined()
    expect(object['constructor']).toBeUndefined()
    expect((object['a'] as JsonObject)['toString']).toBeUndefined()
    expect(({} as { admin?: boolean }).admin).toBeUndefined()
  })

  test.each([
    ['{}', true],
    ['[]', false],
    ['null', false],
    ['"x"', false],
    ['1', false],
  ])('%s is an object: %s', (text, expected) => expect(isJsonObject(read(text).value)).toBe(expected))
})

describe('spans', () => {
  const text = ' { "a" : 1.00 , "b":{"c": [ {"d":"x\\u0041"} ]}, "e":null }'

  test('give the exact text of a value', () => {
    const document = read(text, 9)
    const root = document.value as JsonObject
    const b = root['b'] as JsonObject
    const inner = (b['c'] as JsonObject[])[0]!
    const slice = (owner: JsonObject, name: string): string => text.slice(...document.span(owner, name)!)
    expect(slice(root, 'a')).toBe('1.00')
    expect(slice(root, 'b')).toBe('{"c": [ {"d":"x\\u0041"} ]}')
    expect(slice(root, 'e')).toBe('null')
    expect(slice(b, 'c')).toBe('[ {"d":"x\\u0041"} ]')
    expect(slice(inner, 'd')).toBe('"x\\u0041"')
    expect(document.span(root, 'z')).toBeUndefined()
  })

  test('are kept down to the depth that was asked for', () => {
    const of = (depth: number): (boolean | undefined)[] => {
      const document = read(text, depth)
      const root = document.value as JsonObject
      const b = root['b'] as JsonObject
      const inner = (b['c'] as JsonObject[])[0]!
      return [document.span(root, 'a'), document.span(b, 'c'), document.span(inner, 'd')].map((it) => it !== undefined)
    }
    expect(of(0)).toEqual([false, false, false])
    expect(of(1)).toEqual([true, false, false])
    expect(of(2)).toEqual([true, true, false])
    // The array counts as a level of its own.
    expect(of(3)).toEqual([true, true, false])
    expect(of(4)).toEqual([true, true, true])
  })
})
