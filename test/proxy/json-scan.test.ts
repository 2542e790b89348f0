// The scanner against `JSON.parse`: it takes exactly what that takes, however the bytes are cut, passes it unchanged, and its
// edits are those that a plain rebuild of the value would make.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DROP, HELD, type JsonVisitor, LAZY, WATCHED } from '../../src/proxy/json-output.ts'
import { JsonScanner } from '../../src/proxy/json-scan.ts'

const unseeing: JsonVisitor = { enter: () => 0, leave: () => undefined }

function scan(
  text: string | Buffer,
  visitor: JsonVisitor = unseeing,
  cuts: readonly number[] = [],
): string | undefined {
  const bytes = Buffer.from(text as string)
  const scanner = new JsonScanner(visitor, 1e6)
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
  const out: Buffer[] = []
  let from = 0
  for (const to of [...places, bytes.length]) {
    // A copy, because the pieces of a socket share their memory with nothing either.
    out.push(Buffer.from(scanner.push(Buffer.from(bytes.subarray(from, to)))))
    from = to
  }
  scanner.end()
  return scanner.fault === undefined ? Buffer.concat(out).toString() : undefined
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const everywhere = (text: string): number[] => Array.from({ length: Buffer.byteLength(text) }, (_, i) => i)

describe('the grammar', () => {
  test.each([
    '{}',
    '[]',
    ' [ ] ',
    '""',
    '0',
    '-0',
    '-1.5e+10',
    '1E5',
    'true',
    'false',
    'null',
    '"\\u00e9\\n\\"\\\\\\/"',
    '{"a":[{},[],{"b":null}]}',
    '[1,2,3]',
    '{"a":1,"a":2}',
    '"é𝄞"',
    '\t\r\n {"a" : 1 , "b":[ 1 , 2 ] } \n',
    '[[[[[[]]]]]]',
    '"\u007f"',
  ])('takes %j whole and byte by byte, unchanged', (text) => {
    expect(isJson(text)).toBe(true)
    expect(scan(text)).toBe(text)
    expect(scan(text, unseeing, everywhere(text))).toBe(text)
  })

  test.each([
    '',
    ' ',
    '{',
    '[',
    '"',
    '"a',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a" 1}',
    '{a:1}',
    "{'a':1}",
    '01',
    '1.',
    '.5',
    '-',
    '1e',
    '1e+',
    '+1',
    'tru',
    'truee',
    'nul',
    'True',
    'NaN',
    'Infinity',
    '[1]]',
    '{}{}',
    '1 2',
    '"\\x"',
    '"\\u12g4"',
    '"\\u123"',
    '"\t"',
    '"\n"',
    '"\u0000"',
    '// a\n1',
    '/* a */1',
    '[1}',
    '{]',
    ',',
    ':',
    '{"a"::1}',
    '{,}',
    '\u00a01',
    '\ufeff1',
    '0x1',
    '1_000',
    '--1',
    '[-]',
  ])('refuses %j whole and byte by byte', (text) => {
    expect(isJson(text)).toBe(false)
    expect(scan(text)).toBeUndefined()
    expect(scan(text, unseeing, everywhere(text))).toBeUndefined()
  })

  test('nesting has an end', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(scan(nested(1_000))).toBe(nested(1_000))
    expect(scan(nested(1_001))).toBeUndefined()
  })

  test('any text is JSON to the scanner exactly when it is to JSON.parse', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0019eE+-.tfn al rsue\t\n'), maxLength: 12 })
    fc.assert(
      fc.property(fc.oneof(noise, fc.json()), fc.array(fc.nat(), { maxLength: 5 }), (text, cuts) => {
        expect(scan(text, unseeing, cuts)).toBe(isJson(text) ? text : undefined)
      }),
      { numRuns: 3_000 },
    )
  })
})

// Keys with a meaning for the visitor below; all else is noise.
const key = fc.constantFrom('drop', 'swap', 'keep', 'lazy', 'a', 'b\\"', 'é')
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(fc.constantFrom('drop', 'swap', 'x"y', ''), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))

const WATCH_ALL = 1
const JUDGED = 2
const LAZILY = 3

/** Watches everything; what has a telling key, or is a telling string, is held and judged. */
const editor: JsonVisitor = {
  enter: (_place, name, first) => {
    if (name === 'lazy') return LAZILY | WATCHED | LAZY
    if (name === 'drop' || name === 'swap' || name === 'keep' || first === 0x22) return JUDGED | WATCHED | HELD
    return WATCH_ALL | WATCHED
  },
  leave: (place, raw) => {
    expect(place).toBe(JUDGED)
    const text = raw.toString()
    if (text === '"drop"' || text.startsWith('[')) return DROP
    return text === '"swap"' ? Buffer.from('"swapped for something longer"') : undefined
  },
}

/** The same edits on the value itself. */
function edited(value: unknown, name?: string): { value: unknown } | undefined {
  const held = name === 'drop' || name === 'swap' || name === 'keep' || (typeof value === 'string' && name !== 'lazy')
  const lazy = name === 'lazy'
  let inner: unknown = value
  let children = -1
  if (Array.isArray(value)) {
    const kept = value.map((item) => edited(item)).filter((item) => item !== undefined)
    inner = kept.map((item) => item.value)
    children = kept.length
  } else if (value instanceof Object) {
    const kept = Object.entries(value).flatMap(([k, v]) => {
      const item = edited(v, k)
      return item === undefined ? [] : [[k, item.value] as const]
    })
    inner = Object.fromEntries(kept)
    children = kept.length
  }
  if (lazy) return children === 0 ? undefined : { value: inner }
  if (!held) return { value: inner }
  const text = JSON.stringify(inner)
  if (text === '"drop"' || text.startsWith('[')) return undefined
  return { value: text === '"swap"' ? 'swapped for something longer' : inner }
}

describe('editing', () => {
  test('edits are those of a plain rebuild, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        tree,
        fc.constantFrom(undefined, 1, '\t'),
        fc.array(fc.nat(), { maxLength: 8 }),
        (value, indent, cuts) => {
          const text = JSON.stringify({ root: value }, null, indent)
          const result = scan(text, editor, cuts)
          expect(result).toBeDefined()
          expect(JSON.parse(result!)).toEqual(edited({ root: value })?.value)
          expect(scan(text, editor, everywhere(text))).toBe(result)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test.each([
    ['{"drop":"drop","a":1}', '{ "a":1}'],
    ['{"a":1,"drop":"drop"}', '{"a":1}'],
    ['{"a":1,"drop":"drop","b":2}', '{"a":1,"b":2}'],
    ['{"drop":"drop","swap":"drop"}', '{}'],
    ['["drop",1,"drop",2,"drop"]', '[ 1,2]'],
    ['{"a":1,"lazy":["drop","drop"],"b":2}', '{"a":1,"b":2}'],
    ['{"lazy":["drop",7],"b":2}', '{"lazy":[ 7],"b":2}'],
    ['{"lazy":[],"b":[]}', '{ "b":[]}'],
    ['{"dr\\u006fp":"drop"}', '{}'],
  ])('%s becomes %s', (text, expected) => {
    expect(scan(text, editor)).toBe(expected)
    expect(scan(text, editor, everywhere(text))).toBe(expected)
  })

  test('a closing container may be given more, with the comma that it needs', () => {
    const visitor: JsonVisitor = {
      enter: () => 1 | WATCHED,
      leave: () => undefined,
      close: (_place, kept) => Buffer.from(kept === 0 ? '"z":0' : ',"z":0'),
    }
    const text = '{"a":1,"b":{}}'
    expect(scan(text, visitor, everywhere(text))).toBe('{"a":1,"b":{"z":0},"z":0}')
  })

  test('nothing of a held value leaves before it is judged, and what is held is bounded', () => {
    const visitor: JsonVisitor = { enter: (place) => (place === 0 ? 1 | WATCHED : 2 | HELD), leave: () => undefined }
    const scanner = new JsonScanner(visitor, 100)
    expect(scanner.push(Buffer.from('{"a":"secret')).toString()).toBe('{')
    expect(scanner.push(Buffer.from(' still')).toString()).toBe('')
    expect(scanner.push(Buffer.from('",')).toString()).toBe('"a":"secret still"')
    scanner.push(Buffer.from(`"b":"${'x'.repeat(100)}`))
    expect(scanner.fault).toMatch(/held/)
    expect(scanner.push(Buffer.from('more')).length).toBe(0)
  })

  test('what nobody watches leaves as it came, without a copy', () => {
    const scanner = new JsonScanner({ enter: (place) => (place === 0 ? 1 | WATCHED : 0), leave: () => undefined }, 100)
    scanner.push(Buffer.from('{"a":["'))
    const piece = Buffer.alloc(1000, 'x')
    expect(scanner.push(piece)).toBe(piece)
  })
})
