// The value of a search parameter as FHIR writes it: alternatives between commas, token parts around `|`, and `\,` `\|` `\$` `\\` for
// the characters themselves (R4 search §3.1.1.4.19; spec §1.2, §3.1). Read into atoms that remember their own spelling, so that
// printing gives back what was written. What cannot be read, or not be evaluated on a resource, is undefined: never a wider value.

import type { SearchParameterKind } from './definitions-table.ts'
import { type DateAtom, parseDateAtom } from './search-date.ts'

interface Spelt {
  /** The alternative as written, escapes and all. */
  readonly text: string
}

/** `system|code`, `code` (system undefined), `|code` (system empty), `system|` (code undefined). */
export interface TokenAtom extends Spelt {
  readonly kind: 'token'
  readonly system: string | undefined
  readonly code: string | undefined
}

export interface ReferenceAtom extends Spelt {
  readonly kind: 'reference'
  readonly reference: string
}

export interface StringAtom extends Spelt {
  readonly kind: 'string'
  /** Folded as the values that it is compared with. */
  readonly folded: string
}

export interface UriAtom extends Spelt {
  readonly kind: 'uri'
  readonly uri: string
}

export type Atom = TokenAtom | ReferenceAtom | StringAtom | UriAtom | (DateAtom & Spelt)

/** The alternatives of one value; a resource matches when it matches one. */
export function parseAtoms(kind: SearchParameterKind, value: string): readonly Atom[] | undefined {
  const atoms: Atom[] = []
  for (const text of splitUnescaped(value, ',')) {
    const atom = parseAtom(kind, text)
    if (atom === undefined) return undefined
    atoms.push(atom)
  }
  return atoms
}

export function printAtoms(atoms: readonly Atom[]): string {
  return atoms.map(({ text }) => text).join(',')
}

/** Pieces keep their escapes. */
export function splitUnescaped(text: string, separator: ',' | '|' | '$'): string[] {
  if (!text.includes(separator)) return [text]
  const pieces: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === separator) {
      pieces.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...pieces, text.slice(start)]
}

/** Undefined for a backslash before anything but `,` `|` `$` `\`, which FHIR does not define. */
export function unescapeValue(text: string): string | undefined {
  if (!text.includes('\\')) return text
  return /^(?:[^\\]|\\[,|$\\])*$/s.test(text) ? text.replace(/\\(.)/gs, '$1') : undefined
}

export function escapeValue(text: string): string {
  return text.replace(/[,|$\\]/g, '\\$&')
}

/** Case and accents fall away: FHIR strings match without them (R4 search §3.1.1.4.8). */
export function foldText(text: string): string {
  return /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

function parseAtom(kind: SearchParameterKind, text: string): Atom | undefined {
  if (kind === 'token') return parseToken(text)
  const plain = unescapeValue(text)
  if (plain === undefined || plain === '') return undefined
  switch (kind) {
    case 'reference':
      return { kind, text, reference: plain }
    case 'uri':
      return { kind, text, uri: plain }
    case 'string': {
      const folded = foldText(plain)
      return folded === '' ? undefined : { kind, text, folded }
    }
    case 'date': {
      const date = parseDateAtom(plain)
      return date && { ...date, text }
    }
    default:
      return undefined
  }
}

function parseToken(text: string): TokenAtom | undefined {
  const parts = splitUnescaped(text, '|')
  const [first, second = ''] = parts.map(unescapeValue)
  if (first === undefined || parts.length > 2 || parts.some((part) => unescapeValue(part) === undefined))
    return undefined
  if (first === '' && second === '') return undefined
  if (parts.length === 1) return { kind: 'token', text, system: undefined, code: first }
  return { kind: 'token', text, system: first, code: second === '' ? undefined : second }
}
