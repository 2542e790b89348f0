// The lexical rules of search values (R4 search §3.1.1.4.19): commas, bars and dollars divide unless a backslash stands
// before them.

import { badRequest } from './fhir-error.ts'

/** Divides at unescaped separators; the parts keep their escapes. */
export function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = []
  let from = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === separator) {
      parts.push(text.slice(from, i))
      from = i + 1
    }
  }
  parts.push(text.slice(from))
  return parts
}

export function unescapeValue(text: string): string {
  if (!text.includes('\\')) return text
  return text.replace(/\\(.?)/gs, (_, character: string) => {
    if (character === '' || !'\\,|$'.includes(character))
      throw badRequest(`unknown escape \\${character} in a search value`)
    return character
  })
}

export type Prefix = 'eq' | 'ne' | 'gt' | 'lt' | 'ge' | 'le' | 'sa' | 'eb' | 'ap'

const PREFIXED = /^(eq|ne|gt|lt|ge|le|sa|eb|ap)(?=[\d+-.])/

export function splitPrefix(text: string): { prefix: Prefix; rest: string } {
  const prefix = PREFIXED.exec(text)?.[1] as Prefix | undefined
  return prefix === undefined ? { prefix: 'eq', rest: text } : { prefix, rest: text.slice(2) }
}
