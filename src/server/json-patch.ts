// Applies a JSON Patch (RFC 6902) to what is stored, to see what would become of it. What goes upstream is the client's own patch,
// conditional on the version that was patched here, so every server must understand it as it is understood here: a path holds names
// of FHIR elements and plain array indexes, and nothing that one reader skips and another follows.

import { applyPatch, type Operation } from 'rfc6902'
import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../domain/json/strict-json.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'

export function applyJsonPatch(stored: JsonObject, patch: readonly Json[]): JsonObject | Refusal {
  if (!patch.every(isUnambiguous))
    return invalid('a path holds something else than names of elements and plain indexes')
  // Copies with ordinary objects, which is what the library works on.
  const target: unknown = JSON.parse(JSON.stringify(stored))
  const operations = JSON.parse(JSON.stringify(patch)) as Operation[]
  try {
    if (applyPatch(target, operations).some((error) => error !== null)) return invalid('it does not fit what is stored')
  } catch {
    return invalid('it does not fit what is stored')
  }
  const patched = readStrictJson(JSON.stringify(target))
  return 'value' in patched && isJsonObject(patched.value) ? patched.value : invalid('its result is no resource')
}

const OPERATIONS = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])
const TOKEN = /^(?:_?[A-Za-z][A-Za-z0-9]{0,63}|0|[1-9][0-9]{0,8})$/
// What JavaScript objects have besides their own members; no FHIR element is called so.
const INHERITED = new Set(['constructor', 'prototype', '__proto__', 'toString', 'valueOf', 'hasOwnProperty'])

function isUnambiguous(operation: Json): boolean {
  if (!isJsonObject(operation)) return false
  const { op, path, from } = operation
  if (typeof op !== 'string' || !OPERATIONS.has(op) || typeof path !== 'string') return false
  if (op === 'move' || op === 'copy')
    return typeof from === 'string' && isPlainPath(from, false) && isPlainPath(path, true)
  return isPlainPath(path, op === 'add')
}

/** `-` stands for the place behind the last element, where something is put (RFC 6902 §4.1). */
function isPlainPath(path: string, mayAppend: boolean): boolean {
  const [before, ...tokens] = path.split('/')
  if (before !== '' || tokens.length === 0) return false
  return tokens.every((token, index) => {
    if (token === '-') return mayAppend && index === tokens.length - 1
    return TOKEN.test(token) && !INHERITED.has(token)
  })
}

function invalid(why: string): Refusal {
  return refuse('body-invalid', `The JSON Patch cannot be applied: ${why}.`)
}
