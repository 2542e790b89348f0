// Watches a resource on its way upstream: it must be one JSON object whose `resourceType`, and on an update whose `id`, are those
// that the URL was decided by. A member that stands twice, or in a spelling that only some readers take for it, is refused, because two
// readers would take different ones.

import { foldName, isMisspellingOf } from '../domain/json/fold-name.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'
import { OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.ts'
import { HELD, type JsonVisitor, WATCHED } from './json-output.ts'
import { JsonScanner } from './json-scan.ts'
import type { BodyInspection } from './request-body.ts'
import { Utf8Check } from './utf8-check.ts'

export interface ExpectedResource {
  /** Undefined: any type. */
  readonly type?: string | undefined
  /** The `id` that must be there; undefined: any, or none. */
  readonly id?: string | undefined
  /** Asked about every reference that holds a query, at any depth. */
  refuseQuery?(text: string): Refusal | undefined
}

const RESOURCE = 1
const TYPE = 2
const ID = 3
const REFERENCE = 4
const INNER = 5
/** Types and ids are 64 characters at most; no reference is as long as this. */
const MOST_HELD = 8_192

export function inspectResource(expected: ExpectedResource): BodyInspection {
  const seen = new Identity(expected)
  const scanner = new JsonScanner(seen, MOST_HELD)
  const utf8 = new Utf8Check()
  return {
    write(chunk) {
      if (!utf8.write(chunk)) return invalid('The body is not valid UTF-8.')
      scanner.push(chunk)
      return scanner.fault === undefined ? mismatch(seen, expected, false) : broken()
    },
    end() {
      scanner.end()
      return scanner.fault === undefined ? mismatch(seen, expected, true) : broken()
    },
  }
}

const isMisspelling = isMisspellingOf(['resourceType', 'id'])

class Identity implements JsonVisitor {
  refusal: Refusal | undefined
  isObject = true
  type: string | undefined
  id: string | undefined
  repeats = false
  misspells = false
  readonly #refuseQuery: ExpectedResource['refuseQuery']

  constructor({ refuseQuery }: ExpectedResource) {
    this.#refuseQuery = refuseQuery
  }

  enter(place: number, key: string | undefined, first: number): number {
    if (place === 0) {
      this.isObject = first === OPEN_OBJECT
      return this.isObject ? RESOURCE | WATCHED : 0
    }
    if (place === RESOURCE && key === 'resourceType') return TYPE | HELD
    if (place === RESOURCE && key === 'id') return ID | HELD
    if (place === RESOURCE && key !== undefined) this.misspells ||= isMisspelling(key)
    if (this.#refuseQuery === undefined) return 0
    if (first === QUOTE) return key !== undefined && foldName(key) === 'reference' ? REFERENCE | HELD : 0
    return first === OPEN_OBJECT || first === OPEN_ARRAY ? INNER | WATCHED : 0
  }

  leave(place: number, raw: Buffer): undefined {
    const value: unknown = JSON.parse(raw.toString())
    if (place === REFERENCE) {
      const text = value as string
      if (text.includes('?')) this.refusal ??= this.#refuseQuery!(text)
      return undefined
    }
    // What is no string is no type and no id, and equals none.
    const text = typeof value === 'string' ? value : ''
    if (place === TYPE) {
      this.repeats ||= this.type !== undefined
      this.type = text
    } else {
      this.repeats ||= this.id !== undefined
      this.id = text
    }
  }
}

function mismatch(seen: Identity, expected: ExpectedResource, whole: boolean): Refusal | undefined {
  if (seen.refusal !== undefined) return seen.refusal
  if (!seen.isObject) return invalid('The body must be one resource: a JSON object.')
  if (seen.repeats) return invalid('The resource holds resourceType or id twice.')
  if (seen.misspells) return invalid('The resource holds resourceType or id in another spelling.')
  if (whole || seen.type !== undefined) {
    if (seen.type === undefined || seen.type === '') return invalid('The resource has no resourceType.')
    if (expected.type !== undefined && seen.type !== expected.type) {
      return invalid('The resourceType of the body is not the type in the URL.')
    }
  }
  if (expected.id !== undefined && (whole || seen.id !== undefined) && seen.id !== expected.id) {
    return invalid('The id of the resource must be there and be the id in the URL.')
  }
  return undefined
}

const broken = (): Refusal => invalid('The body is not JSON.')
const invalid = (detail: string): Refusal => refuse('body-invalid', detail)
