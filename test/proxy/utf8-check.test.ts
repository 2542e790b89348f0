// Held against the whole text at once, cut everywhere.

import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Utf8Check } from '../../src/proxy/utf8-check.ts'

function isFound(pieces: readonly Buffer[]): boolean {
  const check = new Utf8Check()
  return pieces.every((piece) => check.write(piece)) && check.end()
}

test.each([
  ['nothing', ''],
  ['ASCII', '7b7d'],
  ['two, three and four bytes', 'c3a9e282acf09f9880'],
  ['an overlong letter', 'c1b2'],
  ['an overlong slash', 'e080af'],
  ['half a surrogate pair', 'eda080'],
  ['beyond Unicode', 'f4908080'],
  ['a lone continuation', '80'],
  ['a cut character', 'e282'],
  ['a character that never comes to its end', 'e28241'],
  ['what begins nothing', 'ff'],
])('%s', (_, hex) => {
  const bytes = Buffer.from(hex, 'hex')
  expect(isFound([bytes])).toBe(isUtf8(bytes))
  expect(isFound([...bytes].map((byte) => Buffer.of(byte)))).toBe(isUtf8(bytes))
})

test('any bytes in any pieces', () => {
  const byte = fc.oneof(fc.constantFrom(0x41, 0x80, 0xbf, 0xc3, 0xe2, 0x82, 0xac, 0xed, 0xf0, 0x9f, 0xf4), fc.nat(255))
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 6 })), fc.array(byte, { maxLength: 12 }), (pieces, more) => {
      const all = [...pieces.map((piece) => Buffer.from(piece)), ...more.map((one) => Buffer.of(one))]
      expect(isFound(all)).toBe(isUtf8(Buffer.concat(all)))
    }),
  )
})
