import { describe, expect, test } from 'vitest'
import {
  parseRequestTarget,
  printQuery,
  printTarget,
  type RequestTarget,
  readForm,
} from '../../../src/domain/http/request-target.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'

function parsed(raw: string): RequestTarget {
  const target = parseRequestTarget(raw)
  if (isRefusal(target)) throw new Error(`${raw}: ${target.detail}`)
  return target
}

describe('refused as ambiguous', () => {
  test.each([
    // Not origin form.
    '',
    '*',
    'Patient/1',
    'http://example.org/Patient/1',
    'https://127.0.0.1/Patient/1',
    '?x=1',
    // Dot segments, in every encoding.
    '/.',
    '/..',
    '/./Patient',
    '/Patient/..',
    '/Patient/../Group/1',
    '/Patient/%2e%2e/Group/1',
    '/Patient/%2E./Group/1',
    '/Patient/.%2e',
    '/%2e',
    '/metadata/../Patient/p1',
    // Empty segments.
    '//',
    '//Patient/1',
    '/Patient//1',
    '/Patient/1//',
    '/Patient/1//_history',
    // Path parameters.
    '/Patient;x=1/2',
    '/Patient/1;',
    '/Patient/..;/Group',
    '/Patient/..;x=1/Group',
    '/;/Patient',
    // Encoded separators and a second decoding.
    '/Patient%2F1',
    '/Patient%2f1',
    '/Patient%5C1',
    '/Patient%5c..%5cGroup',
    '/Patient%3B1',
    '/Patient%23',
    '/Patient%3F_id=1',
    '/Patient/%2525',
    '/Patient/%252e%252e',
    '/Patient/%25',
    // Control characters and broken encodings.
    '/Patient/%00',
    '/Patient/1%00.json',
    '/Patient/%0a',
    '/Patient/%0D%0AX: y',
    '/Patient/%7F',
    '/Patient/%',
    '/Patient/%4',
    '/Patient/%zz',
    '/Patient/%u0041',
    '/Patient/%+1',
    '/Patient/% 1',
    // Not UTF-8: a lone continuation, an overlong slash, a surrogate, beyond Unicode.
    '/Patient/%80',
    '/Patient/%C0%AF',
    '/Patient/%ED%A0%80',
    '/Patient/%F8%88%80%80',
    '/Patient/%C3',
    // Characters that must not stand in a path.
    '/Patient\\1',
    '/Patient/ 1',
    '/Patient/1|2',
    '/Patient/{id}',
    '/Patient/1^',
    '/Patient/`',
    '/Patient/"1"',
    '/Patient/<1>',
    '/Patient/[1]',
    '/Patiënt',
    '/Patient/\u{1F600}',
    '/Patient/\ud800',
    '/Patient/\u0000',
    '/Patient/\t',
    // Fragments.
    '/Patient#x',
    '/Patient?x=1#y',
    '#',
    '/#',
    // Queries.
    '/Patient?x=%',
    '/Patient?x=%zz',
    '/Patient?%=1',
    '/Patient?x=%80',
    '/Patient?x=%C0%AF',
    '/Patient?x=%00',
    '/Patient?x=a%00b',
    '/Patient?%00=1',
    '/Patient?x=a b',
    '/Patient?x="a"',
    '/Patient?x=<a>',
    '/Patient?x=[a]',
    '/Patient?x=\\',
    '/Patient?x=é',
    '/Patient?x=\u0000',
    '/Patient?x=\u007f',
    '/Patient?x=\ud800',
  ])('%j', (raw) => {
    expect(parseRequestTarget(raw)).toMatchObject({ code: 'target-ambiguous', status: 400 })
  })

  test('the refusal repeats nothing of the target', () => {
    for (const raw of ['/Patient/jane-doe;x', '/jane-doe/..', '/Patient?jane-doe=%zz']) {
      const refusal = parseRequestTarget(raw)
      expect(isRefusal(refusal) && refusal.detail).not.toContain('jane-doe')
    }
  })

  test('more parameters than the limit', () => {
    expect(parseRequestTarget('/a?x=1&x=2&x=3', 2)).toMatchObject({ code: 'target-too-long', status: 414 })
    expect(isRefusal(parseRequestTarget('/a?x=1&x=2', 2))).toBe(false)
    // Pieces that are no parameters do not count.
    expect(isRefusal(parseRequestTarget('/a?&&&x=1&&x=2&', 2))).toBe(false)
  })
})

describe('canonical form', () => {
  test.each<[string, string, string[]]>([
    ['/', '/', []],
    ['/Patient', '/Patient', ['Patient']],
    ['/Patient/', '/Patient/', ['Patient']],
    ['/Patient/1/_history/2', '/Patient/1/_history/2', ['Patient', '1', '_history', '2']],
    ['/Patient/$everything', '/Patient/$everything', ['Patient', '$everything']],
    ['/Patient/%24everything', '/Patient/$everything', ['Patient', '$everything']],
    ['/%50atient/%31', '/Patient/1', ['Patient', '1']],
    ['/a%7Eb%2Dc', '/a~b-c', ['a~b-c']],
    ['/a%20b', '/a%20b', ['a b']],
    ['/caf%c3%a9', '/caf%C3%A9', ['café']],
    ['/%E2%82%AC', '/%E2%82%AC', ['€']],
    ['/a+b', '/a+b', ['a+b']],
    ['/a%2Bb', '/a+b', ['a+b']],
    ['/a%26b=c', '/a&b=c', ['a&b=c']],
    ['/...', '/...', ['...']],
    ['/.well-known/smart-configuration', '/.well-known/smart-configuration', ['.well-known', 'smart-configuration']],
    ['/a%22b', '/a%22b', ['a"b']],
    ['/a%7Cb', '/a%7Cb', ['a|b']],
    ['/Patient?', '/Patient', ['Patient']],
    ['/Patient?&', '/Patient', ['Patient']],
  ])('%s prints as %s', (raw, print, segments) => {
    const target = parsed(raw)
    expect(printTarget(target)).toBe(print)
    expect(target.segments).toEqual(segments)
  })

  test.each<[string, [string, string][], string]>([
    ['a=1', [['a', '1']], 'a=1'],
    [
      'a=1&a=2',
      [
        ['a', '1'],
        ['a', '2'],
      ],
      'a=1&a=2',
    ],
    ['a', [['a', '']], 'a='],
    ['a=', [['a', '']], 'a='],
    ['=1', [], ''],
    ['&&a=1&&', [['a', '1']], 'a=1'],
    ['a=b=c', [['a', 'b=c']], 'a=b%3Dc'],
    ['a=b+c', [['a', 'b c']], 'a=b%20c'],
    ['a=b%20c', [['a', 'b c']], 'a=b%20c'],
    ['a=b%2Bc', [['a', 'b+c']], 'a=b%2Bc'],
    ['%61%5fb=1', [['a_b', '1']], 'a_b=1'],
    ['%70atient=p2', [['patient', 'p2']], 'patient=p2'],
    ['category=http://x/y|lab', [['category', 'http://x/y|lab']], 'category=http://x/y%7Clab'],
    ['category=http%3A%2F%2Fx%7Clab', [['category', 'http://x|lab']], 'category=http://x%7Clab'],
    ['a={b}^`', [['a', '{b}^`']], 'a=%7Bb%7D%5E%60'],
    ['a=1;b=2', [['a', '1;b=2']], 'a=1%3Bb%3D2'],
    ['a=%26b%3D2', [['a', '&b=2']], 'a=%26b%3D2'],
    ['a=%23', [['a', '#']], 'a=%23'],
    ['a=%25', [['a', '%']], 'a=%25'],
    ['a=%252e', [['a', '%2e']], 'a=%252e'],
    ['a=b%5C%2Cc', [['a', 'b\\,c']], 'a=b%5C,c'],
    ['a=b%2Cc', [['a', 'b,c']], 'a=b,c'],
    ['a=%0a', [['a', '\n']], 'a=%0A'],
    ['a=%c3%a9', [['a', 'é']], 'a=%C3%A9'],
    ['subject:Patient.name=x', [['subject:Patient.name', 'x']], 'subject:Patient.name=x'],
    ['a=?', [['a', '?']], 'a=?'],
    ["a=!'()*~", [['a', "!'()*~"]], "a=!'()*~"],
  ])('query %s', (raw, parameters, print) => {
    const target = parsed(`/x?${raw}`)
    expect(target.parameters.map(({ name, value }) => [name, value])).toEqual(parameters)
    expect(target.query).toBe(print)
  })

  test('only the first question mark starts the query', () => {
    expect(parsed('/a?b=/c?d').segments).toEqual(['a'])
    expect(parsed('/Patient?x=/metadata').segments).toEqual(['Patient'])
  })
})

describe('readForm', () => {
  test.each(['a=%', 'a=%zz', 'a=%ff', 'a=%00', 'a=\0', 'a=\ud800', '\udc00=1', 'ok=1&a=%'])('%j is no form', (text) =>
    expect(readForm(text)).toBeUndefined(),
  )

  test('reads text that a target could not hold, and prints it in ASCII', () => {
    const form = readForm('name=Jürgen "x"&note=a\nb&e=\u{1F600}')!
    expect(printQuery(form)).toBe('name=J%C3%BCrgen%20%22x%22&note=a%0Ab&e=%F0%9F%98%80')
  })

  test('half a surrogate pair is refused, for no print could carry it', () => {
    expect(readForm('identifier=\ud83d')).toBeUndefined()
  })
})
