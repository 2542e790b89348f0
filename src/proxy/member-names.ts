// Names of JSON members as texts that are not made anew each time: an answer has few different ones, thousands of times each.

const PLACES = 1024
const LONGEST = 32
const known: (string | undefined)[] = new Array<string | undefined>(PLACES).fill(undefined)

/** The text between the quotes at `from` and before `to`; escapes are rare in names, so they pay for themselves. */
export function memberName(bytes: Buffer, from: number, to: number): string {
  const start = from + 1
  const length = to - from - 2
  if (length < 1 || length > LONGEST) return textOf(bytes, from, to)
  const middle = bytes[start + (length >> 1)]!
  const place = (length * 31 + bytes[start]! * 7 + middle * 61 + bytes[to - 2]! * 131) & (PLACES - 1)
  const kept = known[place]
  if (kept !== undefined && kept.length === length && isText(kept, bytes, start)) return kept
  const text = textOf(bytes, from, to)
  // What had an escape, or a longer character, is another text than its bytes.
  if (text.length === length) known[place] = text
  return text
}

function isText(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}

/** Neither an escape nor a character of more than one byte. */
const PLAIN = /^[^\\\u0080-\u00ff]*$/

function textOf(bytes: Buffer, from: number, to: number): string {
  const text = bytes.toString('latin1', from + 1, to - 1)
  return PLAIN.test(text) ? text : JSON.parse(bytes.toString('utf8', from, to))
}
