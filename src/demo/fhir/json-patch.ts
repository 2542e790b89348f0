// JSON Patch (RFC 6902) over JSON Pointers (RFC 6901). The resource that is patched is never changed itself.

import { isDeepStrictEqual } from 'node:util'
import { type FhirRequest, rawBody } from './exchange.ts'
import { badRequest, FhirError } from './fhir-error.ts'
import { isObject } from './resource.ts'

export function patchIn(request: FhirRequest): unknown {
  const type = request.header('content-type') ?? ''
  if (type.startsWith('application/json-patch+json')) return request.body.json()
  const body = request.body.raw.length === 0 ? request.body.json() : undefined
  if (isObject(body) && body['resourceType'] === 'Binary' && typeof body['data'] === 'string') {
    return rawBody(Buffer.from(body['data'], 'base64')).json()
  }
  throw new FhirError(415, 'not-supported', 'PATCH takes application/json-patch+json')
}

export function applyJsonPatch(document: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations)) throw badRequest('a JSON Patch is an array of operations', 'structure')
  let result = structuredClone(document)
  for (const operation of operations) {
    if (!isObject(operation)) throw badRequest('an operation of a JSON Patch is an object', 'structure')
    result = applyOperation(result, operation)
  }
  return result
}

function applyOperation(document: unknown, operation: Record<string, unknown>): unknown {
  const path = pointer(operation['path'])
  switch (operation['op']) {
    case 'add':
      return add(document, path, operand(operation))
    case 'remove':
      return remove(document, path)
    case 'replace':
      valueAt(document, path)
      return add(path.length === 0 ? undefined : remove(document, path), path, operand(operation))
    case 'move': {
      const from = pointer(operation['from'])
      if (from.length < path.length && from.every((part, i) => part === path[i]))
        throw failed('a value cannot move into itself')
      const value = valueAt(document, from)
      return add(remove(document, from), path, value)
    }
    case 'copy':
      return add(document, path, structuredClone(valueAt(document, pointer(operation['from']))))
    case 'test':
      if (isDeepStrictEqual(valueAt(document, path), operand(operation))) return document
      throw failed(`the test of ${String(operation['path'])} failed`)
    default:
      throw badRequest(`"${String(operation['op'])}" is not a JSON Patch operation`, 'value')
  }
}

function pointer(text: unknown): string[] {
  if (typeof text !== 'string' || (text !== '' && !text.startsWith('/')))
    throw badRequest('a JSON Pointer begins with /', 'value')
  return text === ''
    ? []
    : text
        .slice(1)
        .split('/')
        .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function operand(operation: Record<string, unknown>): unknown {
  if (!('value' in operation)) throw badRequest(`the operation ${String(operation['op'])} needs a value`, 'required')
  return structuredClone(operation['value'])
}

function failed(text: string): FhirError {
  return new FhirError(422, 'invalid', text)
}

function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document
  for (const part of path) {
    if (Array.isArray(value)) value = value[indexIn(part, value.length - 1)]
    else if (isObject(value) && Object.hasOwn(value, part)) value = value[part]
    else throw failed(`there is nothing at /${path.join('/')}`)
  }
  return value
}

function indexIn(part: string, last: number): number {
  if (!/^(0|[1-9]\d*)$/.test(part) || Number(part) > last) throw failed(`${part} is not an index of the array`)
  return Number(part)
}

function add(document: unknown, path: readonly string[], value: unknown): unknown {
  const name = path.at(-1)
  if (name === undefined) return value
  const parent = valueAt(document, path.slice(0, -1))
  if (Array.isArray(parent)) parent.splice(name === '-' ? parent.length : indexIn(name, parent.length), 0, value)
  else if (isObject(parent)) define(parent, name, value)
  else throw failed(`there is nothing to add to at /${path.slice(0, -1).join('/')}`)
  return document
}

/** An own property whatever its name: a patch of `/__proto__` must not reach a prototype. */
function define(parent: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true })
}

function remove(document: unknown, path: readonly string[]): unknown {
  const name = path.at(-1)
  if (name === undefined) throw failed('the whole resource cannot be removed')
  const parent = valueAt(document, path.slice(0, -1))
  valueAt(document, path)
  if (Array.isArray(parent)) parent.splice(Number(name), 1)
  else if (isObject(parent)) delete parent[name]
  return document
}
