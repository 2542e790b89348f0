// The grammar of JSON (RFC 8259) by bytes: which class a byte belongs to outside strings, which bytes a string runs through
// without a stop, and whether a run of word bytes is a number or one of the three literals.

export const QUOTE = 0x22
export const BACKSLASH = 0x5c
export const COMMA = 0x2c
export const BLANK = 0x20
export const OPEN_OBJECT = 0x7b
export const OPEN_ARRAY = 0x5b
export const CLOSE_OBJECT = 0x7d

export const ILLEGAL = 0
export const SPACE = 1
export const STRING = 2
export const WORD = 3
export const OPEN = 4
export const CLOSE = 5
export const COLON = 6
export const COMMA_CLASS = 7

/** Class of a byte outside strings. */
export const CLASS = table((byte, text) => {
  if (' \t\n\r'.includes(text)) return SPACE
  if (text === '"') return STRING
  if (/[0-9a-z+\-.E]/.test(text)) return WORD
  if (text === '{' || text === '[') return OPEN
  if (text === '}' || text === ']') return CLOSE
  if (text === ':') return COLON
  return byte === COMMA ? COMMA_CLASS : ILLEGAL
})

/** 1 for bytes that a string just runs through: all but the quote, the backslash and control characters. */
export const RUNS_ON = table((byte) => (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0))

/** 1 for what may follow a backslash, 2 for the `u` that four digits follow. */
export const ESCAPED = table((_byte, text) => (text === 'u' ? 2 : '"\\/bfnrt'.includes(text) ? 1 : 0))

export const IS_HEX = table((_byte, text) => (/[0-9a-fA-F]/.test(text) ? 1 : 0))

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')

export function isWord(bytes: Buffer, from: number, to: number): boolean {
  switch (bytes[from]) {
    case 0x74:
      return same(bytes, from, to, TRUE)
    case 0x66:
      return same(bytes, from, to, FALSE)
    case 0x6e:
      return same(bytes, from, to, NULL)
    default:
      return isNumber(bytes, from, to)
  }
}

function isNumber(bytes: Buffer, from: number, to: number): boolean {
  let i = bytes[from] === 0x2d ? from + 1 : from
  const whole = digits(bytes, i, to)
  if (whole === i || (bytes[i] === 0x30 && whole !== i + 1)) return false
  i = whole
  if (i < to && bytes[i] === 0x2e) {
    const fraction = digits(bytes, i + 1, to)
    if (fraction === i + 1) return false
    i = fraction
  }
  if (i < to && (bytes[i] === 0x65 || bytes[i] === 0x45)) {
    const sign = bytes[i + 1] === 0x2b || bytes[i + 1] === 0x2d ? i + 2 : i + 1
    const exponent = digits(bytes, sign, to)
    if (exponent === sign) return false
    i = exponent
  }
  return i === to
}

/** The place of the first byte from `from` on that is no digit. */
function digits(bytes: Buffer, from: number, to: number): number {
  let i = from
  while (i < to && bytes[i]! >= 0x30 && bytes[i]! <= 0x39) i++
  return i
}

function same(bytes: Buffer, from: number, to: number, word: Buffer): boolean {
  if (to - from !== word.length) return false
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word[i]) return false
  return true
}

function table(of: (byte: number, text: string) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => of(byte, String.fromCharCode(byte)))
}
