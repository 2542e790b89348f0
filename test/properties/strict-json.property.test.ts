import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../../src/domain/json/strict-json.ts'

const RUNS = { numRuns: 1500 }

/** JSON text with free white space and free spelling of strings. */
const jsonText = fc
  .tuple(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom('', ' ', '\n', '\t \r\n'), fc.boolean())
  .map(([value, space, escaped]) => {
    const text = JSON.stringify(value, null, space === '' ? undefined : ' ')
    const spelt = escaped
      ? text.replace(/[g-z]/g, (letter, at: number) =>
          escapable(text, at) ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter,
        )
      : text
    return `${space}${spelt}${space}`
  })

/** Whether a letter stands inside a string and is no part of an escape. */
function escapable(text: string, at: number): boolean {
  let inside = false
  for (let i = 0; i < at; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') inside = !inside
    if (i >= at) return false
  }
  return inside
}

test('Strict JSON reads what JSON.parse reads, where no member stands twice.', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      const document = readStrictJson(text, { spansTo: 3 })
      if ('reason' in document) throw new Error(`${document.reason} at ${document.at}`)
      expect(withPrototypes(document.value)).toEqual(JSON.parse(text))
    }),
    RUNS,
  )
})

test('Strict JSON refuses whatever JSON.parse refuses, and never throws.', () => {
  const broken = fc
    .tuple(
      jsonText,
      fc.nat(80),
      fc.nat(3),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', 'e', '\n', '\u0000', 'x'),
    )
    .map(([text, at, cut, insert]) => text.slice(0, at) + insert + text.slice(at + cut))
  fc.assert(
    fc.property(fc.oneof(broken, fc.string({ unit: 'binary' })), (text) => {
      const read = readStrictJson(text)
      let expected: unknown
      try {
        expected = JSON.parse(text)
      } catch {
        expect(read).toHaveProperty('reason')
        return
      }
      // What JSON.parse takes is either read alike, or holds a member twice.
      if ('reason' in read) expect(read.reason).toContain('twice')
      else expect(withPrototypes(read.value)).toEqual(expected)
    }),
    RUNS,
  )
})

test('Strict JSON refuses a member that stands twice, at any depth and in any spelling.', () => {
  const object = fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1 })
  fc.assert(
    fc.property(object, fc.nat(6), fc.boolean(), fc.jsonValue({ maxDepth: 1 }), (members, depth, spelt, value) => {
      const name = Object.keys(members)[0]!
      const escaped = [...Array(name.length).keys()]
        .map((at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`)
        .join('')
      const again = spelt ? `"${escaped}"` : JSON.stringify(name)
      const inner = `${JSON.stringify(members).slice(0, -1)},${again}:${JSON.stringify(value)}}`
      const text = '[{"a":'.repeat(depth) + inner + '}]'.repeat(depth)
      expect(() => JSON.parse(text)).not.toThrow()
      expect(readStrictJson(text)).toMatchObject({ reason: expect.stringContaining('twice') })
    }),
    RUNS,
  )
})

test('A span is the exact text of its member.', () => {
  fc.assert(
    fc.property(jsonText, (text) => {
      const document = readStrictJson(text, { spansTo: 99 })
      if ('reason' in document) throw new Error(document.reason)
      for (const object of objectsIn(document.value)) {
        for (const [name, value] of Object.entries(object)) {
          const inner = readStrictJson(text.slice(...document.span(object, name)!))
          expect('value' in inner && inner.value).toEqual(value)
        }
      }
    }),
    RUNS,
  )
})

function objectsIn(value: Json): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn)
  return isJsonObject(value) ? [value, ...Object.values(value).flatMap(objectsIn)] : []
}

/** As JSON.parse builds it: `__proto__` an own member, and objects with the usual prototype. */
function withPrototypes(value: Json): unknown {
  if (Array.isArray(value)) return value.map(withPrototypes)
  if (!isJsonObject(value)) return value
  const object = {}
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(object, name, {
      value: withPrototypes(member),
      enumerable: true,
      writable: true,
      configurable: true,
    })
  }
  return object
}
