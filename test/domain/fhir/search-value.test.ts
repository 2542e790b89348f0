import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  escapeValue,
  foldText,
  parseAtoms,
  printAtoms,
  splitUnescaped,
  type TokenAtom,
  unescapeValue,
} from '../../../src/domain/fhir/search-value.ts'
import { clauseImplies, tokenImplies } from '../../../src/domain/fhir/token-implication.ts'

const tokens = (value: string): TokenAtom[] => parseAtoms('token', value) as TokenAtom[]

describe('tokens', () => {
  test.each([
    ['lab', [undefined, 'lab']],
    ['http://s|lab', ['http://s', 'lab']],
    ['|lab', ['', 'lab']],
    ['http://s|', ['http://s', undefined]],
    ['a\\,b', [undefined, 'a,b']],
    ['a\\|b', [undefined, 'a|b']],
    ['s\\|t|c', ['s|t', 'c']],
    ['a\\$b$c', [undefined, 'a$b$c']],
    ['a\\\\b', [undefined, 'a\\b']],
    ['true', [undefined, 'true']],
    [' lab', [undefined, ' lab']],
  ])('%s', (value, [system, code]) => {
    expect(tokens(value)).toEqual([{ kind: 'token', text: value, system, code }])
  })

  test('commas part alternatives, escaped ones do not', () => {
    expect(tokens('s|a,b,|c,t|,d\\,e').map(({ system, code }) => [system, code])).toEqual([
      ['s', 'a'],
      [undefined, 'b'],
      ['', 'c'],
      ['t', undefined],
      [undefined, 'd,e'],
    ])
  })

  test.each(['', ',', 'a,', ',a', 'a,,b', '|', 's|c|x', 'a\\b', 'a\\', '\\', 's\\x|c', 's|c\\'])(
    '%j cannot be read',
    (value) => {
      expect(parseAtoms('token', value)).toBeUndefined()
    },
  )
})

test.each([
  ['reference', 'Patient/1', { reference: 'Patient/1' }],
  ['reference', 'http://x/v|1.0', { reference: 'http://x/v|1.0' }],
  ['uri', 'http://x/a\\,b', { uri: 'http://x/a,b' }],
  ['string', 'ÉVA', { folded: 'eva' }],
] as const)('%s %s', (kind, value, expected) => {
  expect(parseAtoms(kind, value)).toEqual([{ kind, text: value, ...expected }])
})

test.each([
  ['number', '5'],
  ['quantity', '5|http://unitsofmeasure.org|mg'],
  ['composite', 'a$b'],
  ['special', 'x'],
  ['reference', ''],
  ['uri', 'a\\b'],
  ['string', ''],
  ['string', '\u0301'],
  ['date', 'today'],
  ['date', 'ap2024'],
] as const)('%s %j cannot be evaluated', (kind, value) => {
  expect(parseAtoms(kind, value)).toBeUndefined()
})

test('printing gives back what was read', () => {
  const value = fc.string({ unit: fc.constantFrom('a', 'B', 'é', '|', ',', '$', '\\', ' ', '%', '/') })
  fc.assert(
    fc.property(fc.constantFrom('token', 'reference', 'string', 'uri'), value, (kind, text) => {
      const atoms = parseAtoms(kind, text)
      if (atoms !== undefined) expect(printAtoms(atoms)).toBe(text)
    }),
  )
})

test('escaping hides every separator, and unescaping undoes it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(unescapeValue(escapeValue(text))).toBe(text)
      for (const separator of [',', '|', '$'] as const)
        expect(splitUnescaped(escapeValue(text), separator)).toEqual([escapeValue(text)])
    }),
  )
})

test('pieces between separators, joined, are the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ',', '\\') }), (text) => {
      expect(splitUnescaped(text, ',').join(',')).toBe(text)
    }),
  )
})

test.each([
  ['Ångström', 'angstrom'],
  ['ANGSTROM', 'angstrom'],
  ['A\u030angstro\u0308m', 'angstrom'],
  ['Łódź', 'łodz'],
])('%s folds to %s', (text, folded) => {
  expect(foldText(text)).toBe(folded)
})

// Spec §3.2, row by row: client atom, then whether it implies s|c, c, |c, s|.
describe('token implication', () => {
  const columns = ['s|c', 'c', '|c', 's|'].map((scope) => tokens(scope)[0]!)
  test.each([
    ['s|c', [true, true, false, true]],
    ['s|d', [false, false, false, true]],
    ['t|c', [false, true, false, false]],
    ['c', [false, true, false, false]],
    ['|c', [false, true, true, false]],
    ['s|', [false, false, false, true]],
    ['t|d', [false, false, false, false]],
    ['d', [false, false, false, false]],
    ['|d', [false, false, false, false]],
    ['t|', [false, false, false, false]],
    ['s|C', [false, false, false, true]],
    ['S|c', [false, true, false, false]],
    ['s/|c', [false, true, false, false]],
  ])('%s ⇒ s|c, c, |c, s|', (client, expected) => {
    expect(columns.map((scope) => tokenImplies(tokens(client)[0]!, scope))).toEqual(expected)
  })

  // Spec §3.3, rows that concern the alternatives of one clause.
  test.each([
    ['s|lab', 's|lab', true],
    ['lab', 's|lab', false],
    ['s|lab', 'lab', true],
    ['s|', 's|lab', false],
    ['s|lab', 's|', true],
    ['|lab', 's|lab', false],
    ['s|A', 's|B', false],
    ['A,B', 'A', false],
    ['A', 'A,B', true],
    ['A,B', 'A,B,C', true],
    ['a\\,b', 'a,b', false],
    ['LAB', 'lab', false],
  ])('%s ⇒ %s: %s', (client, scope, expected) => {
    expect(clauseImplies(tokens(client), tokens(scope))).toBe(expected)
  })

  test('atoms of other kinds imply only themselves', () => {
    const dates = (value: string) => parseAtoms('date', value)!
    expect(clauseImplies(dates('ge2024'), dates('ge2024'))).toBe(true)
    expect(clauseImplies(dates('ge2024'), dates('ge2023'))).toBe(false)
    expect(clauseImplies(parseAtoms('uri', 'urn:a')!, parseAtoms('string', 'urn:a')!)).toBe(false)
  })
})
