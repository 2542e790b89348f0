// JSON read so that two readers cannot disagree: a member name that stands twice in one object is refused (RFC 8259 §4 leaves it
// open, and servers differ in which one they take), and objects of interest remember where they stood in the text, so that the
// client's own bytes can be passed on instead of a re-print that would lose decimals such as `1.00`.

import { foldName } from './fold-name.ts'

export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [name: string]: Json
}

export interface JsonFault {
  /** Position in the text, in UTF-16 units. */
  readonly at: number
  readonly reason: string
}

export interface JsonDocument {
  readonly value: Json
  /** `[start, end)` of the value of a member, for members of objects and arrays no deeper than `spansTo`. */
  span(owner: JsonObject, name: string): readonly [number, number] | undefined
  /** The same of an element of an array. */
  elementSpan(owner: readonly Json[], index: number): readonly [number, number] | undefined
}

const MAXIMUM_DEPTH = 200

export interface StrictJsonOptions {
  /** Depth down to which positions are kept; 0 keeps none. */
  readonly spansTo?: number
  /** Positions of members with these names only; without it of all. */
  readonly members?: ReadonlySet<string>
  /** Deepest nesting that is read. */
  readonly deepest?: number
  /** Refuses members of one object that differ in case only: some servers do not tell them apart. */
  readonly caseless?: boolean
}

/** A faulty text gives its first fault. */
export function readStrictJson(text: string, options: StrictJsonOptions = {}): JsonDocument | JsonFault {
  const reader = new Reader(text, options)
  try {
    return reader.document()
  } catch (fault) {
    if (fault instanceof Fault) return { at: fault.at, reason: fault.message }
    throw fault
  }
}

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// Private to this file: the only exception that leaves a pure function's inside never leaves the file.
class Fault extends Error {
  readonly at: number
  constructor(at: number, reason: string) {
    super(reason)
    this.at = at
  }
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WHITE_SPACE = /[ \t\n\r]*/y
// The characters of a string that need no second look.
const PLAIN_STRING = /[^"\\\u0000-\u001f]*/y

class Reader {
  readonly #text: string
  readonly #spansTo: number
  readonly #members: ReadonlySet<string> | undefined
  readonly #deepest: number
  readonly #caseless: boolean
  readonly #spans = new Map<JsonObject, Map<string, readonly [number, number]>>()
  readonly #elementSpans = new Map<readonly Json[], (readonly [number, number])[]>()
  #at = 0

  constructor(text: string, { spansTo = 0, members, deepest = MAXIMUM_DEPTH, caseless = false }: StrictJsonOptions) {
    this.#text = text
    this.#spansTo = spansTo
    this.#members = members
    this.#deepest = deepest
    this.#caseless = caseless
  }

  document(): JsonDocument {
    this.#skip()
    const value = this.#value(1)
    this.#skip()
    if (this.#at < this.#text.length) throw new Fault(this.#at, 'text after the end of the document')
    const spans = this.#spans
    const elements = this.#elementSpans
    return {
      value,
      span: (owner, name) => spans.get(owner)?.get(name),
      elementSpan: (owner, index) => elements.get(owner)?.[index],
    }
  }

  #value(depth: number): Json {
    if (depth > this.#deepest) throw new Fault(this.#at, `nested deeper than ${this.#deepest} levels`)
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object(depth)
      case 0x5b:
        return this.#array(depth)
      case 0x22:
        return this.#string()
      case 0x74:
        return this.#word('true', true)
      case 0x66:
        return this.#word('false', false)
      case 0x6e:
        return this.#word('null', null)
      default:
        return this.#number()
    }
  }

  #object(depth: number): JsonObject {
    let spellings: Set<string> | undefined
    // No prototype, so that a member called `__proto__` is a member like any other.
    const object: JsonObject = Object.create(null)
    const keeps = depth <= this.#spansTo
    this.#at++
    this.#skip()
    if (this.#take(0x7d)) return object
    for (;;) {
      const nameAt = this.#at
      if (this.#text.charCodeAt(nameAt) !== 0x22) throw new Fault(nameAt, 'a member name was expected')
      const name = this.#string()
      if (name in object) throw new Fault(nameAt, 'a member stands twice in one object')
      if (this.#caseless) {
        const folded = foldName(name)
        spellings ??= new Set()
        if (spellings.has(folded)) throw new Fault(nameAt, 'two members differ in upper and lower case only')
        spellings.add(folded)
      }
      this.#skip()
      if (!this.#take(0x3a)) throw new Fault(this.#at, '":" was expected')
      this.#skip()
      const start = this.#at
      object[name] = this.#value(depth + 1)
      if (keeps && (this.#members?.has(name) ?? true)) this.#keep(object, name, start)
      this.#skip()
      if (this.#take(0x7d)) return object
      if (!this.#take(0x2c)) throw new Fault(this.#at, '"," or "}" was expected')
      this.#skip()
    }
  }

  #keep(owner: JsonObject, name: string, start: number): void {
    const spans = this.#spans.get(owner) ?? new Map<string, readonly [number, number]>()
    this.#spans.set(owner, spans.set(name, [start, this.#at]))
  }

  #array(depth: number): Json[] {
    const array: Json[] = []
    const spans: (readonly [number, number])[] | undefined = depth <= this.#spansTo ? [] : undefined
    if (spans) this.#elementSpans.set(array, spans)
    this.#at++
    this.#skip()
    if (this.#take(0x5d)) return array
    for (;;) {
      const start = this.#at
      array.push(this.#value(depth + 1))
      spans?.push([start, this.#at])
      this.#skip()
      if (this.#take(0x5d)) return array
      if (!this.#take(0x2c)) throw new Fault(this.#at, '"," or "]" was expected')
      this.#skip()
    }
  }

  #string(): string {
    const start = this.#at
    PLAIN_STRING.lastIndex = start + 1
    PLAIN_STRING.test(this.#text)
    let end = PLAIN_STRING.lastIndex
    if (this.#text.charCodeAt(end) === 0x22) {
      this.#at = end + 1
      return this.#text.slice(start + 1, end)
    }
    while (this.#text.charCodeAt(end) === 0x5c) {
      PLAIN_STRING.lastIndex = end + 2
      PLAIN_STRING.test(this.#text)
      end = PLAIN_STRING.lastIndex
    }
    if (this.#text.charCodeAt(end) !== 0x22) throw new Fault(end, 'a string does not end')
    this.#at = end + 1
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string
    } catch {
      throw new Fault(start, 'a string holds a broken escape')
    }
  }

  #number(): number {
    NUMBER.lastIndex = this.#at
    const found = NUMBER.exec(this.#text)
    if (found === null) throw new Fault(this.#at, 'a value was expected')
    this.#at = NUMBER.lastIndex
    return Number(found[0])
  }

  #word<Value extends Json>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw new Fault(this.#at, 'a value was expected')
    this.#at += word.length
    return value
  }

  #skip(): void {
    if (this.#text.charCodeAt(this.#at) > 0x20) return
    WHITE_SPACE.lastIndex = this.#at
    WHITE_SPACE.test(this.#text)
    this.#at = WHITE_SPACE.lastIndex
  }

  #take(code: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== code) return false
    this.#at++
    return true
  }
}
