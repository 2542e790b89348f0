// When one search clause certainly selects no more than another: the truth table of spec §3.2. Parts are compared exactly; letters
// that differ only in case are different, because the server decides that and not we.

import type { Atom, TokenAtom } from './search-value.ts'

/** `wide` selects whatever `narrow` selects: every alternative of `narrow` implies some alternative of `wide`. */
export function clauseImplies(narrow: readonly Atom[], wide: readonly Atom[]): boolean {
  return narrow.every((one) => wide.some((other) => atomImplies(one, other)))
}

function atomImplies(narrow: Atom, wide: Atom): boolean {
  if (narrow.kind === 'token' && wide.kind === 'token') return tokenImplies(narrow, wide)
  // Other kinds: the same alternative in the same words, and nothing subtler.
  return narrow.kind === wide.kind && narrow.text === wide.text
}

export function tokenImplies(narrow: TokenAtom, wide: TokenAtom): boolean {
  // `s|` holds whatever names the system; `c` holds the code in any system and in none; the others hold themselves.
  if (wide.code === undefined) return narrow.system === wide.system
  if (narrow.code !== wide.code) return false
  return wide.system === undefined || narrow.system === wide.system
}
