// A JSON Patch of what is stored, applied here to see what would become of it. What goes upstream is the client's own patch,
// conditional on the version that was patched here, so every server must understand it as it is understood here: a path holds names
// of FHIR elements and plain array indexes, and nothing that one reader skips and another follows.

import { foldName } from '../../domain/json/fold-name.ts'
import { applyJsonPatch } from '../../domain/json/json-patch.ts'
import { isJsonObject, type Json, type JsonObject } from '../../domain/json/strict-json.ts'
import { type Refusal, refuse } from '../../domain/refusal.ts'

export function patchStored(stored: JsonObject, patch: readonly Json[]): JsonObject | Refusal {
  if (!patch.every(isUnambiguous))
    return invalid('a path holds something else than names of elements and plain indexes')
  const patched = applyJsonPatch(stored, patch)
  if (!isJsonObject(patched)) return invalid('it does not fit what is stored')
  if (patched['resourceType'] === stored['resourceType'] && patched['id'] === stored['id']) return patched
  return refuse('body-invalid', 'A patch must change neither the type nor the id of a resource.')
}

/** Whether it can be told without what is stored that type and id stay as they are. */
export function keepsIdentity(patch: readonly Json[]): boolean {
  return patch.every((operation) => {
    if (!isUnambiguous(operation)) return false
    const { op, path, from } = operation as JsonObject
    return !isIdentity(path) && !(op === 'move' && isIdentity(from))
  })
}

function isIdentity(path: Json | undefined): boolean {
  return typeof path === 'string' && ['id', 'resourcetype'].includes(foldName(path.slice(1)))
}

const TOKEN = /^(?:_?[A-Za-z][A-Za-z0-9]{0,63}|0|[1-9][0-9]{0,8})$/
// What JavaScript objects have besides their own members; no FHIR element is called so.
const INHERITED = new Set(['constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty'])

function isUnambiguous(operation: Json): boolean {
  if (!isJsonObject(operation)) return false
  const { op, path, from } = operation
  if (typeof path !== 'string') return false
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
