// A file of a bulk export within constraints: NDJSON, judged line by line as it streams. A line passes byte for byte or is gone; no
// more than one line and one piece are held. INVARIANT: no byte of a line leaves before the judge released it.

import type { BodySink, BodyTransform } from './forward.ts'
import { unreadable } from './guarded-resource.ts'

/** Keeps a line as it is, takes it out, or replaces it. */
export type LineJudge = (resource: unknown) => 'release' | 'withhold' | Buffer

export interface GuardedLinesOptions {
  readonly judge: LineJudge
  /** The longest line, in bytes. */
  readonly mostHeld: number
  counted?(result: 'released' | 'withheld', count: number): void
}

const NEWLINE = 0x0a
const END = Buffer.from('\n')

export function guardedLines({ judge, mostHeld, counted }: GuardedLinesOptions): BodyTransform {
  /** Pieces of a line of which the end has not come yet. */
  let begun: Buffer[] = []
  let bytes = 0
  const count = { released: 0, withheld: 0 }

  /** Released bytes, nothing, or undefined for what is no JSON. */
  const judged = (line: Buffer): Buffer | undefined => {
    const resource = parse(line)
    if (resource === BLANK) return NOTHING
    if (resource === BROKEN) return undefined
    const verdict = judge(resource)
    count[verdict === 'withhold' ? 'withheld' : 'released']++
    if (verdict === 'withhold') return NOTHING
    return verdict === 'release' ? line : verdict
  }

  return {
    guards: 'bundle',
    write(chunk, out) {
      const leaving: Buffer[] = []
      let from = 0
      for (;;) {
        const end = chunk.indexOf(NEWLINE, from)
        const piece = chunk.subarray(from, end < 0 ? chunk.length : end)
        bytes += piece.length
        if (bytes > mostHeld) return unreadable()
        if (end < 0) {
          if (piece.length > 0) begun.push(Buffer.from(piece))
          break
        }
        const line = begun.length === 0 ? piece : Buffer.concat([...begun, piece])
        const released = judged(line)
        if (released === undefined) return unreadable()
        if (released.length > 0) leaving.push(released, END)
        begun = []
        bytes = 0
        from = end + 1
      }
      if (leaving.length > 0) out.write(Buffer.concat(leaving))
      return undefined
    },
    end(out: BodySink) {
      const released = judged(Buffer.concat(begun))
      counted?.('released', count.released)
      counted?.('withheld', count.withheld)
      if (released === undefined) return unreadable()
      if (released.length > 0) out.write(Buffer.concat([released, END]))
      return undefined
    },
  }
}

const NOTHING = Buffer.alloc(0)
const BLANK = Symbol('blank')
const BROKEN = Symbol('broken')

function parse(line: Buffer): unknown {
  const text = line.toString()
  if (text.trim() === '') return BLANK
  try {
    return JSON.parse(text)
  } catch {
    return BROKEN
  }
}
