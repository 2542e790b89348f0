import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ApiKey } from '../../../src/credentials/api-keys/api-key.ts'
import { KeyRing } from '../../../src/credentials/api-keys/key-ring.ts'
import { kindOfSecret } from '../../../src/credentials/api-keys/secret.ts'
import { digestOf } from '../../../src/credentials/verified-tokens.ts'
import type { Grant } from '../../../src/domain/grant.ts'
import { isRefusal } from '../../../src/domain/refusal.ts'
import { NOW, testKey } from './support.ts'

function ringOf(...keys: ApiKey[]): KeyRing {
  const ring = new KeyRing()
  ring.replace(keys)
  return ring
}

function outcome(ring: KeyRing, secret: string, seconds = NOW): string {
  const found = ring.find(secret, seconds * 1000)
  return isRefusal(found) ? found.code : 'ok'
}

test('what a key conveys: its kind, its owner, its scopes, its end, and no issuer', () => {
  for (const kind of ['api-key', 'service-key'] as const) {
    const { secret, key } = testKey(kind)
    expect(ringOf(key).find(secret, NOW * 1000)).toMatchObject({
      kind,
      client: 'Acme',
      audience: [],
      scopes: ['prime.read'],
      patients: [],
      tokenId: key.id,
      expiresAt: NOW + 3600,
    })
  }
})

test('the same key is the same grant, and keys of other owners or scopes are told apart by decisions', () => {
  const [one, two, three] = [
    testKey('api-key'),
    testKey('api-key', { owner: 'Other' }),
    testKey('api-key', { scopes: ['x'] }),
  ]
  const ring = ringOf(one.key, two.key, three.key)
  const grants = [one, two, three].map(({ secret }) => ring.find(secret, NOW * 1000) as Grant)
  expect(ring.find(one.secret, NOW * 1000)).toBe(grants[0])
  expect(new Set(grants.map(({ fingerprint }) => fingerprint)).size).toBe(3)
})

describe('when a key counts', () => {
  test.each<[name: string, change: Partial<ApiKey>, seconds: number, code: string]>([
    ['before its end', {}, NOW + 3599.9, 'ok'],
    ['at its end', {}, NOW + 3600, 'token-expired'],
    ['replaced, while both count', { until: NOW + 60 }, NOW + 59, 'ok'],
    ['replaced, when that is over', { until: NOW + 60 }, NOW + 60, 'token-expired'],
    ['replaced, for longer than it lives', { until: NOW + 9999 }, NOW + 3600, 'token-expired'],
    ['revoked', { revoked: NOW - 60 }, NOW, 'token-revoked'],
    ['revoked by a clock that runs ahead', { revoked: NOW + 60 }, NOW, 'token-revoked'],
    ['revoked and over', { revoked: NOW - 60 }, NOW + 9999, 'token-revoked'],
    ['made by a clock that runs ahead', { created: NOW + 60 }, NOW, 'ok'],
  ])('%s', (_, change, seconds, code) => {
    const { secret, key } = testKey('api-key', change)
    expect(outcome(ringOf(key), secret, seconds)).toBe(code)
  })

  test('its end counts although it was found a moment before', () => {
    const { secret, key } = testKey('api-key')
    const ring = ringOf(key)
    expect(outcome(ring, secret, NOW)).toBe('ok')
    expect(outcome(ring, secret, NOW + 3600)).toBe('token-expired')
    expect(outcome(ring, secret, NOW)).toBe('ok')
  })
})

describe('another list of keys', () => {
  test('counts at once, and nothing else does', () => {
    const [gone, kept, come] = [testKey('api-key'), testKey('api-key'), testKey('service-key')]
    const ring = ringOf(gone.key, kept.key)
    ring.replace([kept.key, come.key])
    expect([gone, kept, come].map(({ secret }) => outcome(ring, secret))).toEqual(['token-invalid', 'ok', 'ok'])
    ring.replace([])
    expect(outcome(ring, kept.secret)).toBe('token-invalid')
  })

  test('keeps the last use, which only accepted keys have', () => {
    const [used, refused] = [testKey('api-key'), testKey('api-key', { revoked: NOW })]
    const ring = ringOf(used.key, refused.key)
    outcome(ring, used.secret)
    outcome(ring, refused.secret)
    ring.replace([{ ...used.key, scopes: ['x'] }, refused.key])
    expect(ring.list(NOW * 1000)).toEqual([
      {
        id: used.key.id,
        kind: 'api-key',
        owner: 'Acme',
        status: 'active',
        scopes: ['x'],
        expires: new Date((NOW + 3600) * 1000).toISOString(),
        lastUsed: new Date(NOW * 1000).toISOString(),
      },
      expect.not.objectContaining({ lastUsed: expect.anything() }),
    ])
    expect(JSON.stringify(ring.list(NOW * 1000))).not.toContain(used.key.sha256)
  })
})

describe('a secret of the other prefix', () => {
  test('is another secret, even with the same bits', () => {
    const { secret, key } = testKey('service-key')
    const ring = ringOf(key)
    expect(outcome(ring, secret)).toBe('ok')
    expect(outcome(ring, `sgk_${secret.slice(4)}`)).toBe('token-invalid')
    expect(outcome(ring, secret.slice(4))).toBe('token-invalid')
  })

  test('does not lend its kind to an entry that claims another one', () => {
    const { secret, key } = testKey('api-key')
    expect(outcome(ringOf({ ...key, kind: 'service-key' }), secret)).toBe('token-invalid')
  })

  test('and an entry whose hash is of something else than a key opens nothing', () => {
    const { key } = testKey('api-key')
    expect(outcome(ringOf({ ...key, sha256: digestOf('') }), '')).toBe('token-invalid')
  })
})

test('whatever is changed in a secret, it is no key', () => {
  const { secret, key } = testKey('api-key')
  const ring = ringOf(key)
  fc.assert(
    fc.property(
      fc.nat(46),
      fc.oneof(fc.string({ unit: 'binary', maxLength: 2 }), fc.constantFrom('', 'A', '_')),
      (at, to) => {
        const changed = secret.slice(0, at) + to + secret.slice(at + 1)
        expect(outcome(ring, changed)).toBe(changed === secret ? 'ok' : 'token-invalid')
        if (changed.length !== secret.length) expect(kindOfSecret(changed)).toBeUndefined()
      },
    ),
  )
})

test('what a key holds open ends when the key does, expired, revoked, replaced or gone, or when it opens something else', () => {
  const [one, two] = [testKey('api-key'), testKey('api-key')]
  const ring = ringOf(one.key, two.key)
  const grantOf = ({ secret }: { secret: string }) => ring.find(secret, NOW * 1000) as Grant
  const [first, second] = [grantOf(one), grantOf(two)]
  const counts = (grant: Grant, seconds = NOW) => ring.counts(grant, seconds * 1000)
  expect([counts(first), counts({ ...first, tokenId: 'another' })]).toEqual([true, false])
  expect(counts(first, NOW + 3600)).toBe(false)
  ring.replace([{ ...one.key }, { ...two.key, scopes: ['less'] }])
  expect([counts(first), counts(second)]).toEqual([true, false])
  ring.replace([{ ...one.key, revoked: NOW - 1 }])
  expect([counts(first), counts(second)]).toEqual([false, false])
})
