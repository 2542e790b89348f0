// Member names as the most lenient reader tells them apart: not by case, in any alphabet that folds onto ASCII (Java's and .NET's
// case-blind comparison takes `ı` and `İ` for `i`, `ſ` for `s`, `K` for `k`), nor by blanks and controls around or within. Two names that
// fold alike may be one member to a server behind us, so a body in which that matters is refused.

const PLAIN = /^[A-Za-z0-9_]*$/

export function foldName(name: string): string {
  if (PLAIN.test(name)) return name.toLowerCase()
  return name
    .replaceAll(
      /[\u0000-\u0020\u007f-\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]/g,
      '',
    )
    .replaceAll(/[\u0130\u0131]/g, 'i')
    .replaceAll('\u017f', 's')
    .replaceAll('\u212a', 'k')
    .toLowerCase()
}

/** Whether a name is not one of these, but folds onto one. */
export function isMisspellingOf(names: readonly string[]): (name: string) => boolean {
  const known = new Set(names)
  const folded = new Set(names.map(foldName))
  return (name) => !known.has(name) && folded.has(foldName(name))
}
