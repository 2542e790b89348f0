// The truth table of spec §3.2, cell by cell, and against every set of codings of a small universe: an implication that is claimed holds on
// all of them, and one that is not has a counterexample.

import { describe, expect, test } from 'vitest'
import { parseAtoms, type TokenAtom } from '../../../src/domain/fhir/search-value.ts'
import { clauseImplies, tokenImplies } from '../../../src/domain/fhir/token-implication.ts'

const token = (text: string): TokenAtom => parseAtoms('token', text)![0] as TokenAtom

const COLUMNS = ['s|c', 'c', '|c', 's|'] as const
const TABLE: [client: string, ...implied: boolean[]][] = [
  ['s|c', true, true, false, true],
  ['s|d', false, false, false, true],
  ['t|c', false, true, false, false],
  ['c', false, true, false, false],
  ['|c', false, true, true, false],
  ['s|', false, false, false, true],
  ['t|d', false, false, false, false],
  ['d', false, false, false, false],
  ['|d', false, false, false, false],
  ['t|', false, false, false, false],
  // Letters are compared as they are: the server decides about case.
  ['S|c', false, true, false, false],
  ['s|C', false, false, false, true],
]

describe.each(TABLE.map(([client, ...implied]) => ({ client, implied })))('$client', ({ client, implied }) => {
  test.each(COLUMNS.map((scope, i) => [scope, implied[i]!] as const))('⇒ %s: %s', (scope, expected) => {
    expect(tokenImplies(token(client), token(scope))).toBe(expected)
    expect(clauseImplies([token(client)], [token(scope)])).toBe(expected)
  })
})

describe('against all sets of codings', () => {
  const CODINGS = ['s', 't', undefined].flatMap((system) => ['c', 'd', 'e'].map((code) => ({ system, code })))
  const SETS = Array.from({ length: 2 ** CODINGS.length }, (_, bits) => CODINGS.filter((_, i) => (bits >> i) & 1))
  const holds = (atom: string, set: (typeof SETS)[number]): boolean =>
    set.some(({ system, code }) => {
      const [first, second] = atom.split('|')
      if (second === undefined) return code === first
      return (first === '' ? system === undefined : system === first) && (second === '' || code === second)
    })
  const ATOMS = ['s|c', 's|d', 't|c', 'c', 'd', '|c', '|d', 's|', 't|']

  test('one alternative', () => {
    for (const narrow of ATOMS) {
      for (const wide of ATOMS) {
        const always = SETS.every((set) => !holds(narrow, set) || holds(wide, set))
        expect([narrow, wide, tokenImplies(token(narrow), token(wide))]).toEqual([narrow, wide, always])
      }
    }
  })

  test('lists of alternatives', () => {
    for (const narrow of ATOMS.flatMap((one) => ATOMS.map((other) => [one, other]))) {
      for (const wide of ATOMS.flatMap((one) => ATOMS.map((other) => [one, other]))) {
        const always = SETS.every(
          (set) => !narrow.some((one) => holds(one, set)) || wide.some((one) => holds(one, set)),
        )
        const claimed = clauseImplies(narrow.map(token), wide.map(token))
        expect([narrow, wide, claimed]).toEqual([narrow, wide, always])
      }
    }
  })
})

test('other kinds: the same words, and nothing subtler', () => {
  const clause = (kind: 'date' | 'string' | 'reference' | 'uri', value: string) => parseAtoms(kind, value)!
  expect(clauseImplies(clause('date', 'ge2024'), clause('date', 'ge2024'))).toBe(true)
  expect(clauseImplies(clause('date', 'ge2025'), clause('date', 'ge2024'))).toBe(false)
  expect(clauseImplies(clause('date', '2024'), clause('date', 'eq2024'))).toBe(false)
  expect(clauseImplies(clause('string', 'abc'), clause('string', 'ab'))).toBe(false)
  expect(clauseImplies(clause('reference', 'Patient/1'), clause('reference', 'Patient/1,Patient/2'))).toBe(true)
  expect(clauseImplies(clause('reference', '1'), clause('reference', 'Patient/1'))).toBe(false)
  expect(clauseImplies(clause('uri', 'http://x/a'), clause('uri', 'http://x'))).toBe(false)
})
