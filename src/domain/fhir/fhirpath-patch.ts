// A FHIRPath Patch (R4 fhirpatch) that asks nothing: it puts what the client says at places that it names, as `add`, `replace` and `remove`
// of a JSON Patch do. INVARIANT: an expression that could depend on a value, or a member that is not known here, may ask.

import { isJsonObject, type Json, type JsonObject } from '../json/strict-json.ts'

const MEMBERS = new Set(['resourceType', 'id', 'meta', 'parameter'])
// `move` puts where the client says what it need not know.
const WRITING = new Set<Json | undefined>(['add', 'insert', 'replace', 'delete'])
/** Elements and indexes: no function, operator or literal. */
const PLACE = /^[A-Z][A-Za-z]*(?:\.[a-z][A-Za-z0-9]*(?:\[\d{1,6}\])?)*$/
const PUT = new Set<Json | undefined>(['name', 'value', 'index'])

export function onlyPutsAtPlaces(parameters: JsonObject): boolean {
  const { parameter } = parameters
  return Object.keys(parameters).every((name) => MEMBERS.has(name)) && Array.isArray(parameter) && parameter.every(puts)
}

function puts(operation: Json): boolean {
  if (!isJsonObject(operation) || operation['name'] !== 'operation') return false
  const { name: _, part, ...others } = operation
  return Array.isArray(part) && part.every(isPlain) && Object.keys(others).length === 0
}

function isPlain(part: Json): boolean {
  if (!isJsonObject(part)) return false
  const { name, ...value } = part
  if (PUT.has(name)) return true
  const [member, ...more] = Object.keys(value)
  if (more.length > 0) return false
  if (name === 'type') return member === 'valueCode' && WRITING.has(value['valueCode'])
  const path = value['valueString']
  return name === 'path' && typeof path === 'string' && PLACE.test(path)
}
