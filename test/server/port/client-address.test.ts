// Whose address counts: the connection's, and what trusted proxies say, read from the right and no further than it is believed.

import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { canonicalAddress } from '../../../src/server/port/canonical-address.ts'
import { compileClientAddress } from '../../../src/server/port/client-address.ts'

const TRUSTED = ['10.0.0.0/8', '2001:db8:1::/48', '192.0.2.7']

function from(remoteAddress: string | undefined, headers: Record<string, string> = {}, trusted = TRUSTED): string {
  return compileClientAddress(trusted)({ socket: { remoteAddress }, headers } as unknown as IncomingMessage)
}

describe('nobody is believed who is not trusted', () => {
  const claims = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' }

  test('where nobody is', () => {
    expect(from('10.0.0.1', claims, [])).toBe('10.0.0.1')
  })

  test('from any other address', () => {
    expect(from('192.0.2.8', claims)).toBe('192.0.2.8')
    expect(from('2001:db8:2::1', claims)).toBe('2001:db8:2::1')
  })

  test('where the address of the connection is gone', () => {
    expect(from(undefined, claims)).toBe('unknown')
    expect(from(undefined, claims, ['0.0.0.0/0', '::/0'])).toBe('unknown')
  })
})

describe('what a trusted proxy says', () => {
  test.each<[remote: string, headers: Record<string, string>, expected: string]>([
    ['10.0.0.1', {}, '10.0.0.1'],
    ['10.0.0.1', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    ['::ffff:10.0.0.1', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    ['192.0.2.7', { 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
    ['2001:DB8:1:0::5', { 'x-forwarded-for': '2001:DB8:9:0:0:0:0:1' }, '2001:db8:9::1'],
    // Two proxies of ours: what stands before the first address that is not ours is the client's own word.
    ['10.0.0.1', { 'x-forwarded-for': '1.1.1.1, 203.0.113.9, 10.9.9.9' }, '203.0.113.9'],
    ['10.0.0.1', { 'x-forwarded-for': 'anything "at all, 203.0.113.9' }, '203.0.113.9'],
    ['10.0.0.1', { 'x-forwarded-for': '10.1.1.1, 10.2.2.2' }, '10.1.1.1'],
    ['10.0.0.1', { 'x-forwarded-for': '203.0.113.9:5040' }, '203.0.113.9'],
    ['10.0.0.1', { 'x-forwarded-for': '[2001:db8:9::1]:5040' }, '2001:db8:9::1'],
    ['10.0.0.1', { 'x-forwarded-for': '::ffff:203.0.113.9' }, '203.0.113.9'],
    ['10.0.0.1', { forwarded: 'for=203.0.113.9' }, '203.0.113.9'],
    ['10.0.0.1', { forwarded: 'For="[2001:db8:9::1]:4711";proto=https;by=10.0.0.1' }, '2001:db8:9::1'],
    ['10.0.0.1', { forwarded: 'for=1.1.1.1, for=203.0.113.9;host="a,b", for=10.9.9.9' }, '203.0.113.9'],
    ['10.0.0.1', { forwarded: 'for=203.0.113.9', 'x-forwarded-for': '203.0.113.9' }, '203.0.113.9'],
  ])('%s, %o: %s', (remote, headers, expected) => {
    expect(from(remote, headers)).toBe(expected)
  })
})

describe('what cannot be read, or is said in two ways, leaves the address of the connection', () => {
  test.each<[headers: Record<string, string>]>([
    [{ 'x-forwarded-for': '' }],
    [{ 'x-forwarded-for': '203.0.113.9,' }],
    [{ 'x-forwarded-for': 'unknown' }],
    [{ 'x-forwarded-for': '203.0.113' }],
    [{ 'x-forwarded-for': '0203.0.113.9' }],
    [{ 'x-forwarded-for': '203.0.113.9 203.0.113.8' }],
    [{ 'x-forwarded-for': '[203.0.113.9]' }],
    [{ 'x-forwarded-for': 'localhost' }],
    [{ forwarded: 'for=unknown' }],
    [{ forwarded: 'for=_hidden' }],
    [{ forwarded: 'proto=https' }],
    [{ forwarded: 'for=203.0.113.9;for=203.0.113.8' }],
    [{ forwarded: 'for="203.0.113.9' }],
    [{ forwarded: 'for="203.0.113.9\\"' }],
    [{ forwarded: 'for=203.0.113.9 by=x' }],
    [{ forwarded: 'for=203.0.113.9', 'x-forwarded-for': '203.0.113.8' }],
    [{ forwarded: 'for=unknown', 'x-forwarded-for': '203.0.113.8' }],
    [{ 'x-forwarded-for': Array(40).fill('10.9.9.9').join(',') }],
  ])('%o', (headers) => {
    expect(from('10.0.0.1', headers)).toBe('10.0.0.1')
  })
})

test('each address has one spelling', () => {
  const same = ['2001:db8::1', '2001:DB8:0:0::1', '2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::0.0.0.1']
  expect(new Set(same.map(canonicalAddress))).toEqual(new Set(['2001:db8::1']))
  expect(canonicalAddress('fe80::1%eth0')).toBe('fe80::1')
  expect(canonicalAddress('::FFFF:192.0.2.1')).toBe('192.0.2.1')
  expect(canonicalAddress('not one')).toBeUndefined()
})
