// A remembered key stands for the members that it was read from, for its algorithm and for its thumbprint, and for nothing else.

import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { hasThumbprint, importPublicKey, ProofKeys } from '../../src/credentials/proof-keys.ts'

test('a key is found by the very members, algorithm and thumbprint with which it was remembered', async () => {
  const { publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = await exportJWK(publicKey)
  const thumbprint = await calculateJwkThumbprint(jwk)
  const key = (await importPublicKey(jwk, 'RS256'))!
  const keys = new ProofKeys()
  expect(keys.find(thumbprint, jwk, 'RS256')).toBeUndefined()
  keys.remember(thumbprint, jwk, 'RS256', key)
  expect(keys.find(thumbprint, { ...jwk }, 'RS256')).toBe(key)
  expect(keys.find(thumbprint, jwk, 'PS256')).toBeUndefined()
  expect(keys.find('another', jwk, 'RS256')).toBeUndefined()
  for (const other of [{ ...jwk, n: `${jwk.n}A` }, { ...jwk, e: 'Aw' }, { ...jwk, key_ops: [] }, {}]) {
    expect(keys.find(thumbprint, other, 'RS256'), JSON.stringify(other)).toBeUndefined()
  }
})

test('what cannot be read is no key and has no thumbprint', async () => {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  expect(await importPublicKey(await exportJWK(privateKey), 'ES256')).toBeUndefined()
  expect(await importPublicKey({ kty: 'EC' }, 'ES256')).toBeUndefined()
  expect(await hasThumbprint({ kty: 'EC' }, 'x')).toBe(false)
})
