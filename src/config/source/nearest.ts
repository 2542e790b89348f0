// "Did you mean": the known name that is fewest edits away, when it is near enough to be meant.

/** `undefined` when none is near. */
export function nearest(written: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.floor(written.length / 3)) + 1
  for (const name of known) {
    const edits = distance(written.toLowerCase(), name.toLowerCase())
    if (edits < least) [best, least] = [name, edits]
  }
  return best
}

/** A clause that names the nearest known name, or lists the few that there are. */
export function suggestion(written: string, known: Iterable<string>): string {
  const names = [...new Set(known)]
  const near = nearest(written, names)
  if (near !== undefined) return `; did you mean "${near}"?`
  if (names.length === 0) return '; none is defined'
  return names.length <= 12 ? `; known: ${names.join(', ')}` : ''
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const [above, row] = [rows[i - 1]!, [i]]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let edits = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + cost)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, rows[i - 2]![j - 2]! + 1)
      row.push(edits)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
