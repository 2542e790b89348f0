// JSON objects in which no name stands twice, at any depth: parsers disagree about which one counts (RFC 7519 §4, RFC 8259 §4),
// so a token that says two things is refused before anything is believed. Nesting is bounded.

const MAXIMUM_DEPTH = 32
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export type JsonObject = Readonly<Record<string, unknown>>

/** Undefined for broken UTF-8, broken JSON, anything but an object, a repeated name, or nesting beyond 32. */
export function parseStrictObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const text = UTF8.decode(bytes)
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return hasUniqueNames(text) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

/** `text` is valid JSON, so a string before a colon is a name of the innermost object. */
function hasUniqueNames(text: string): boolean {
  const open: Set<string>[] = []
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (character === '{' || character === '[') {
      if (open.push(new Set()) > MAXIMUM_DEPTH) return false
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === '"') {
      const end = endOfString(text, i)
      if (isName(text, end)) {
        const name = JSON.parse(text.slice(i, end)) as string
        const names = open.at(-1)!
        if (names.has(name)) return false
        names.add(name)
      }
      i = end - 1
    }
  }
  return true
}

function endOfString(text: string, start: number): number {
  let i = start + 1
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1
  return i + 1
}

function isName(text: string, after: number): boolean {
  let i = after
  while (text[i] === ' ' || text[i] === '\n' || text[i] === '\r' || text[i] === '\t') i++
  return text[i] === ':'
}
