import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeKey } from '../../../src/credentials/api-keys/make-key.ts'
import { createSecret, kindOfSecret, withoutSecrets } from '../../../src/credentials/api-keys/secret.ts'
import { digestOf } from '../../../src/credentials/verified-tokens.ts'

test('a secret is its prefix and 256 bits, and no two are equal', () => {
  expect(createSecret('api-key')).toMatch(/^sgk_[\w-]{43}$/)
  expect(createSecret('service-key')).toMatch(/^sgs_[\w-]{43}$/)
  expect(Buffer.from(createSecret('api-key').slice(4), 'base64url')).toHaveLength(32)
  expect(new Set(Array.from({ length: 200 }, () => createSecret('api-key'))).size).toBe(200)
})

test('the hash is of the whole secret, and the id says nothing of it', () => {
  const { secret, id, sha256 } = makeKey('service-key')
  expect(sha256).toBe(digestOf(secret))
  expect(sha256).not.toBe(digestOf(secret.slice(4)))
  expect(id).toMatch(/^key-[0-9a-f]{12}$/)
})

const body = 'A'.repeat(43)

describe('the kind is told by the exact shape', () => {
  test.each([
    [`sgk_${body}`, 'api-key'],
    [`sgs_${body}`, 'service-key'],
    [`sgk_${body}A`, undefined],
    [`sgk_${body.slice(1)}`, undefined],
    [`sgx_${body}`, undefined],
    [`SGK_${body}`, undefined],
    [`sgk-${body}`, undefined],
    [` sgk_${body}`, undefined],
    [`sgk_${body}\n`, undefined],
    [`sgk_${body.slice(1)}=`, undefined],
    [`sgk_${body.slice(1)}+`, undefined],
    [`sgk_${body.slice(1)}\u212a`, undefined],
    [`\uff53gk_${body}`, undefined],
    [body, undefined],
    ['', undefined],
  ])('%j', (text, kind) => expect(kindOfSecret(text)).toBe(kind))
})

test('what is quoted holds no secret, wherever it stood', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('api-key', 'service-key'), fc.string(), (before, kind, after) => {
      const secret = createSecret(kind)
      expect(withoutSecrets(`${before}${secret}${after}`)).not.toContain(secret.slice(4))
    }),
  )
})
