// Whose address a request has, whatever is written in `Forwarded` and `X-Forwarded-For`.

import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileClientAddress } from '../../src/server/port/client-address.ts'

const PROXY = '10.0.0.1'
const SEEN = '203.0.113.9'

const anything = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'0123456789.,:;="[] forunkw\\') }),
  fc.string(),
  fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('unknown'))).map((hops) => hops.join(', ')),
)

function addressOf(remoteAddress: string, headers: Record<string, string>, trusted: readonly string[]): string {
  return compileClientAddress(trusted)({ socket: { remoteAddress }, headers } as unknown as IncomingMessage)
}

test('Whatever a client writes in front, it is known by the address that the trusted proxy saw.', () => {
  fc.assert(
    fc.property(anything, fc.boolean(), (lie, standard) => {
      const headers: Record<string, string> = standard
        ? { forwarded: `${lie},for=${SEEN}` }
        : { 'x-forwarded-for': `${lie},${SEEN}` }
      expect(addressOf(PROXY, headers, [PROXY])).toBe(SEEN)
    }),
  )
})

test('Whatever a client says of itself, it is not believed where it is no trusted proxy.', () => {
  fc.assert(
    fc.property(anything, anything, fc.constantFrom([], ['10.0.0.2', '192.0.2.0/24']), (one, other, trusted) => {
      expect(addressOf(PROXY, { forwarded: one, 'x-forwarded-for': other }, trusted)).toBe(PROXY)
    }),
  )
})

test('An address that is told is an IP address, or the one of the connection.', () => {
  fc.assert(
    fc.property(anything, anything, (one, other) => {
      for (const headers of [
        { forwarded: one },
        { 'x-forwarded-for': other },
        { forwarded: one, 'x-forwarded-for': other },
      ]) {
        expect(isIP(addressOf(PROXY, headers, ['0.0.0.0/0']))).not.toBe(0)
      }
    }),
  )
})
