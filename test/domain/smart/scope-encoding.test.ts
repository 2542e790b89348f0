import { expect, test } from 'vitest'
import { decodeScopeText } from '../../../src/domain/smart/scope-encoding.ts'

test.each(['%', '%4', '%zz', '%80', '%C0%AF', '%ED%A0%80', '%00', '%0A', 'a%1Fb', '%7F'])(
  '%s cannot be decoded',
  (text) => expect(decodeScopeText(text)).toBeUndefined(),
)

test.each([
  ['', ''],
  ['plain', 'plain'],
  ['a+b', 'a+b'],
  ['a%20b', 'a b'],
  ['%7C', '|'],
  ['%2520', '%20'],
  ['%C3%A9', 'é'],
])('%j is %j', (text, decoded) => expect(decodeScopeText(text)).toBe(decoded))
