import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseScope, printScope, type SmartScope } from '../../src/domain/smart/scope.ts'
import { mendMisprint } from '../../src/domain/smart/us-core-misprints.ts'
import { anyScope, granularScope, malformedScope, plainScope } from '../support/arbitraries.ts'

const RUNS = { numRuns: 2000 }

const scope: fc.Arbitrary<SmartScope> = fc.record({
  context: fc.constantFrom('patient', 'user', 'system'),
  type: fc.oneof(fc.constant('*'), fc.stringMatching(/^[A-Z][A-Za-z]{0,20}$/)),
  permissions: fc.subarray(['c', 'r', 'u', 'd', 's'], { minLength: 1 }).map((letters) => letters.join('')),
  filters: fc.array(
    fc.record({
      name: fc.oneof(fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,10}$/), fc.constantFrom('_id', '_tag', '_security')),
      value: fc
        .string({ unit: 'grapheme', minLength: 1 })
        .filter((text) => !/[\u0000-\u001f\u007f]/.test(text) && text.isWellFormed()),
    }),
    { maxLength: 3 },
  ),
})

test('Parsing the print of a scope gives the same scope.', () => {
  fc.assert(
    fc.property(scope, (given) => {
      expect(parseScope(printScope(given))).toEqual(given)
    }),
    RUNS,
  )
})

test('The print of a scope holds only characters of a scope token.', () => {
  fc.assert(
    fc.property(scope, (given) => {
      expect(printScope(given)).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
    }),
    RUNS,
  )
})

test('A v1 scope means its v2 letters: read is rs, write is cud, * is cruds.', () => {
  fc.assert(
    fc.property(scope, ({ context, type }) => {
      for (const [word, letters] of [
        ['read', 'rs'],
        ['write', 'cud'],
        ['*', 'cruds'],
      ]) {
        expect(parseScope(`${context}/${type}.${word}`)).toEqual(parseScope(`${context}/${type}.${letters}`))
      }
    }),
    RUNS,
  )
})

test('A malformed scope grants nothing.', () => {
  fc.assert(
    fc.property(malformedScope, (text) => {
      expect(parseScope(text)).toBeUndefined()
    }),
    RUNS,
  )
})

test('A scope that parses is spelled exactly as the grammar says, whatever was done to its text.', () => {
  const mutated = fc
    .tuple(
      fc.oneof(plainScope, granularScope),
      fc.nat(60),
      fc.nat(3),
      fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('?', '&', '=', '*', '.', '/', 's', 'r', '%20', ' ', '\n')),
    )
    .map(([text, at, cut, insert]) => text.slice(0, at) + insert + text.slice(at + cut))
  fc.assert(
    fc.property(fc.oneof(mutated, anyScope, fc.string({ unit: 'binary' })), (text) => {
      const parsed = parseScope(text)
      if (parsed === undefined) return
      const [head] = text.split('?', 1) as [string]
      const { context, type, permissions, filters } = parsed
      const words = { rs: 'read', cud: 'write', cruds: '*' }[permissions]
      expect([`${context}/${type}.${permissions}`, `${context}/${type}.${words}`]).toContain(head)
      expect(permissions).toMatch(/^(?!$)c?r?u?d?s?$/)
      expect(filters.length > 0).toBe(text.includes('?'))
      expect(text).toMatch(/^[\x21\x23-\x5b\x5d-\x7e]+$/)
      expect(parseScope(printScope(parsed))).toEqual(parsed)
    }),
    RUNS,
  )
})

test('Mending a misprint twice is mending it once, and never changes a scope that is printed correctly.', () => {
  fc.assert(
    fc.property(anyScope, (text) => {
      expect(mendMisprint(text)).toBe(text)
      expect(mendMisprint(mendMisprint(text))).toBe(mendMisprint(text))
    }),
    RUNS,
  )
})
