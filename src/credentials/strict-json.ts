// The two JSON objects of a token, read so that nobody can disagree about them (RFC 7519 §4, RFC 8259 §4): a token that says two things
// is refused before anything is believed.

import { isJsonObject, type JsonObject as ReadObject, readStrictJson } from '../domain/json/strict-json.ts'

const MAXIMUM_DEPTH = 32
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type JsonObject = Readonly<Record<string, unknown>>

/** Undefined for broken UTF-8, broken JSON, anything but an object, a repeated name, or nesting beyond 32. */
export function parseStrictObject(bytes: Uint8Array): JsonObject | undefined {
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch {
    return undefined
  }
  const document = readStrictJson(text, { deepest: MAXIMUM_DEPTH })
  return 'value' in document && isJsonObject(document.value) ? (document.value as ReadObject) : undefined
}
