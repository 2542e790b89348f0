import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRequestTarget, printQuery, printTarget, readForm } from '../../src/domain/http/request-target.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { targetText } from '../support/arbitraries.ts'

const RUNS = { numRuns: 3000 }

test('Any string gives a request target or a refusal, and never throws.', () => {
  fc.assert(
    fc.property(targetText, (text) => {
      const target = parseRequestTarget(text)
      expect(isRefusal(target) ? target.code : target.path).toMatch(/^(\/|target-ambiguous$)/)
    }),
    RUNS,
  )
})

test('Parsing the print of a request target gives the same target.', () => {
  fc.assert(
    fc.property(targetText, (text) => {
      const target = parseRequestTarget(text)
      if (!isRefusal(target)) expect(parseRequestTarget(printTarget(target))).toEqual(target)
    }),
    RUNS,
  )
})

test('The print of a request target is printable ASCII without a fragment, and stable.', () => {
  fc.assert(
    fc.property(targetText, (text) => {
      const target = parseRequestTarget(text)
      if (isRefusal(target)) return
      const print = printTarget(target)
      expect(print).toMatch(/^\/[\x21-\x7e]*$/)
      expect(print).not.toMatch(/[#\\;"<>|{}^`]/)
      const again = parseRequestTarget(print)
      expect(!isRefusal(again) && printTarget(again)).toBe(print)
    }),
    RUNS,
  )
})

/** What servlet containers, Windows servers and careless proxies do to a path. */
function asCollapsed(path: string): string[] {
  let text = path
  for (let round = 0; round < 3; round++) {
    text = text
      .split(/[?#]/, 1)[0]!
      .replace(/;[^/]*/g, '')
      .replaceAll('\\', '/')
    try {
      text = decodeURIComponent(text)
    } catch {
      break
    }
  }
  const segments: string[] = []
  for (const segment of text.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return segments
}

test('Nothing survives in a path that a server behind could collapse, decode again or cut off.', () => {
  fc.assert(
    fc.property(targetText, (text) => {
      const target = parseRequestTarget(text)
      if (!isRefusal(target)) expect(asCollapsed(target.path)).toEqual(target.segments)
    }),
    RUNS,
  )
})

test('A form prints as ASCII and reads back as the same parameters.', () => {
  const parameter = fc.record({
    name: fc.string({ unit: 'grapheme', minLength: 1 }),
    value: fc.string({ unit: 'grapheme' }),
  })
  fc.assert(
    fc.property(fc.array(parameter), (parameters) => {
      fc.pre(!JSON.stringify(parameters).includes('\\u0000'))
      const print = printQuery(parameters)
      expect(print).toMatch(/^[\x21-\x7e]*$/)
      expect(readForm(print)).toEqual(parameters)
      const target = parseRequestTarget(`/x?${print}`)
      expect(!isRefusal(target) && target.parameters).toEqual(parameters)
      expect(!isRefusal(target) && target.query).toBe(print)
    }),
    RUNS,
  )
})

test('Any text read as a form gives parameters that can be printed, or nothing.', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const form = readForm(text)
      if (form !== undefined) expect(readForm(printQuery(form))).toEqual(form)
    }),
    RUNS,
  )
})
