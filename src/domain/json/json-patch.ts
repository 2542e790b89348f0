// Applies a JSON Patch (RFC 6902) to a document, to see what a server would make of it. Only members and items that are really there
// are followed (RFC 6901), the document that is given stays as it is, and work and depth are bounded, because a patch can copy a
// document into itself again and again.

import { isMisspellingOf } from './fold-name.ts'
import { isJsonObject, type Json, type JsonObject } from './strict-json.ts'

/** Undefined when the patch cannot be applied, or asks for more work than a patch of a resource needs. */
export function applyJsonPatch(document: Json, operations: readonly Json[]): Json | undefined {
  try {
    const work = new Work()
    const patched = operations.reduce((result, operation) => apply(result, operation, work), work.copy(document))
    return work.copy(patched)
  } catch (failed) {
    if (failed instanceof Failed) return undefined
    throw failed
  }
}

// Thrown and caught in this file only.
class Failed extends Error {}

const MOST_WORK = 1_000_000
const DEEPEST = 200

class Work {
  #left = MOST_WORK

  copy(value: Json, depth = 0): Json {
    this.#spend(depth)
    if (Array.isArray(value)) return value.map((item) => this.copy(item, depth + 1))
    if (!isJsonObject(value)) return value
    // No prototype, so that every name is a name like any other.
    const copy: JsonObject = Object.create(null)
    for (const [name, member] of Object.entries(value)) copy[name] = this.copy(member, depth + 1)
    return copy
  }

  equal(one: Json, other: Json, depth = 0): boolean {
    this.#spend(depth)
    if (Array.isArray(one)) {
      return (
        Array.isArray(other) &&
        one.length === other.length &&
        one.every((item, i) => this.equal(item, other[i]!, depth + 1))
      )
    }
    if (!isJsonObject(one)) return one === other
    if (!isJsonObject(other) || Object.keys(one).length !== Object.keys(other).length) return false
    return Object.entries(one).every(
      ([name, member]) => Object.hasOwn(other, name) && this.equal(member, other[name]!, depth + 1),
    )
  }

  #spend(depth: number): void {
    if (--this.#left < 0 || depth > DEEPEST) throw new Failed()
  }
}

/** Ignored here as an unknown member, and read by a server that does not tell upper from lower case. */
const isMisspelling = isMisspellingOf(['op', 'path', 'from', 'value'])

function apply(document: Json, operation: Json, work: Work): Json {
  if (!isJsonObject(operation) || Object.keys(operation).some(isMisspelling)) throw new Failed()
  const path = pointer(operation['path'])
  switch (operation['op']) {
    case 'add':
      return add(document, path, work.copy(operand(operation)))
    case 'remove':
      return remove(document, path)
    case 'replace':
      valueAt(document, path)
      return add(path.length === 0 ? document : remove(document, path), path, work.copy(operand(operation)))
    case 'move': {
      const from = pointer(operation['from'])
      if (from.length < path.length && from.every((token, i) => token === path[i])) throw new Failed()
      const value = valueAt(document, from)
      return from.length === 0 ? document : add(remove(document, from), path, value)
    }
    case 'copy':
      return add(document, path, work.copy(valueAt(document, pointer(operation['from']))))
    case 'test':
      if (work.equal(valueAt(document, path), operand(operation))) return document
      throw new Failed()
    default:
      throw new Failed()
  }
}

function pointer(text: Json | undefined): readonly string[] {
  if (text === '') return []
  if (typeof text !== 'string' || !text.startsWith('/') || /~(?![01])/.test(text)) throw new Failed()
  const tokens = text.slice(1).split('/')
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function operand(operation: JsonObject): Json {
  const { value } = operation
  if (value === undefined) throw new Failed()
  return value
}

function valueAt(document: Json, path: readonly string[]): Json {
  let value = document
  for (const token of path) {
    const inner = Array.isArray(value)
      ? value[indexOf(token, value.length - 1)]
      : isJsonObject(value) && Object.hasOwn(value, token)
        ? value[token]
        : undefined
    if (inner === undefined) throw new Failed()
    value = inner
  }
  return value
}

function add(document: Json, path: readonly string[], value: Json): Json {
  const name = path.at(-1)
  if (name === undefined) return value
  const parent = valueAt(document, path.slice(0, -1))
  if (Array.isArray(parent)) parent.splice(name === '-' ? parent.length : indexOf(name, parent.length), 0, value)
  else if (isJsonObject(parent)) parent[name] = value
  else throw new Failed()
  return document
}

function remove(document: Json, path: readonly string[]): Json {
  const name = path.at(-1)
  if (name === undefined) throw new Failed()
  valueAt(document, path)
  const parent = valueAt(document, path.slice(0, -1)) as Json[] | JsonObject
  if (Array.isArray(parent)) parent.splice(Number(name), 1)
  else delete parent[name]
  return document
}

function indexOf(token: string, last: number): number {
  if (!/^(0|[1-9][0-9]*)$/.test(token) || Number(token) > last) throw new Failed()
  return Number(token)
}
