// Applies a JSON Patch (RFC 6902) to what is stored, to see what would become of it. What goes upstream is the client's own patch,
// conditional on the version that was patched here.

import { applyPatch, type Operation } from 'rfc6902'
import { isJsonObject, type Json, type JsonObject, readStrictJson } from '../domain/json/strict-json.ts'
import { type Refusal, refuse } from '../domain/refusal.ts'

export function applyJsonPatch(stored: JsonObject, patch: readonly Json[]): JsonObject | Refusal {
  // Copies with ordinary objects, which is what the library works on.
  const target: unknown = JSON.parse(JSON.stringify(stored))
  const operations = JSON.parse(JSON.stringify(patch)) as Operation[]
  try {
    const failed = applyPatch(target, operations).some((error) => error !== null)
    if (failed) return invalid()
  } catch {
    return invalid()
  }
  // Read again as strictly as everything else, without what a pointer may have put on a prototype.
  const patched = readStrictJson(JSON.stringify(target))
  return 'value' in patched && isJsonObject(patched.value) ? patched.value : invalid()
}

function invalid(): Refusal {
  return refuse('body-invalid', 'The JSON Patch cannot be applied to what is stored.')
}
