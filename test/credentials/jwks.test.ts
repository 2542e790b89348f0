import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKeySets } from '../../src/credentials/jwks.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { type IssuerServer, type SigningKey, signingKey, startIssuer } from './support/issuer-server.ts'
import { claimsOf, Rig, START, tokenIssuer } from './support/rig.ts'

let issuer: IssuerServer
let refreshes: string[]

beforeEach(async () => {
  issuer = await startIssuer()
  refreshes = []
})
afterEach(() => issuer.close())

const onJwksRefresh = (name: string, result: string, problem?: string): void => {
  refreshes.push([name, result, problem].filter(Boolean).join(' '))
}
const rigOf = (changes = {}): Rig => new Rig([tokenIssuer(issuer, changes)], { onJwksRefresh })

let serial = 0
/** A token that was never seen before, so that its signature must be verified. */
function fresh(rig: Rig, key?: SigningKey): Promise<string> {
  const { seconds } = rig.clock
  const claims = { ...claimsOf(issuer), jti: `t${serial++}`, iat: seconds - 5, exp: seconds + 600 }
  return issuer.mint(claims, key === undefined ? {} : { key })
}
const outcome = async (rig: Rig, key?: SigningKey): Promise<string> => rig.outcome(await fresh(rig, key))

async function settled(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 30))
}

describe('where keys come from', () => {
  test('OpenID Connect discovery', async () => {
    expect(await outcome(rigOf({ discovery: true }))).toBe('ok')
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/jwks'])
  })

  test('RFC 8414 metadata where there is no OpenID configuration', async () => {
    issuer.mode = 'only-rfc8414'
    expect(await outcome(rigOf({ discovery: true }))).toBe('ok')
    expect(issuer.asked).toEqual([
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
      '/jwks',
    ])
  })

  test('metadata of another issuer is not believed, not even with a slash more', async () => {
    issuer.mode = 'other-issuer'
    expect(await outcome(rigOf({ discovery: true }))).toBe('issuer-unavailable')
    expect(refreshes).toEqual(['ehr failure the metadata names another issuer'])
  })

  test('a file, read anew when it has changed', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'scopegate-jwks-'))
    try {
      const jwksFile = join(folder, 'jwks.json')
      const rig = rigOf({ jwksFile })
      expect(await outcome(rig)).toBe('issuer-unavailable')
      expect(refreshes).toEqual(['ehr failure the file cannot be read (ENOENT)'])
      writeFileSync(jwksFile, JSON.stringify({ keys: issuer.published }))
      rig.clock.seconds += 31
      expect(await outcome(rig)).toBe('ok')
      const next = await signingKey('ES256', 'k2')
      writeFileSync(jwksFile, JSON.stringify({ keys: [next.jwk] }))
      rig.clock.seconds += 46
      expect(await outcome(rig, next)).toBe('ok')
      expect(await outcome(rig)).toBe('token-invalid')
      expect(issuer.asked).toEqual([])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test.each([
    ['redirect', 'answered 302'],
    ['huge', 'the fetch failed (UND_ERR_RES_EXCEEDED_MAX_SIZE)'],
    ['nonsense', 'it is not JSON'],
    ['down', 'answered 500'],
    ['wrong-type', 'it is not a JWK Set'],
    ['cut', 'the fetch failed (UND_ERR_SOCKET)'],
  ] as const)('an answer that is no key set: %s', async (mode, problem) => {
    issuer.mode = mode
    expect(await outcome(rigOf())).toBe('issuer-unavailable')
    expect(refreshes).toEqual([`ehr failure ${problem}`])
    expect(issuer.asked).toEqual(['/jwks'])
  })

  test('an answer that trickles for ever is given up', { timeout: 15_000 }, async () => {
    issuer.mode = 'trickle'
    expect(await outcome(rigOf())).toBe('issuer-unavailable')
    expect(refreshes).toEqual(['ehr failure no answer in time'])
  })

  test('an issuer that cannot be reached', async () => {
    issuer.close()
    expect(await outcome(rigOf())).toBe('issuer-unavailable')
    expect(refreshes).toEqual(['ehr failure the fetch failed (ECONNREFUSED)'])
  })
})

describe('which keys serve', () => {
  test('private, symmetric, encryption-only and foreign entries are left out; the others count', async () => {
    const key = issuer.published[0]!
    const serves = async (...published: object[]): Promise<string> => {
      issuer.published = published as never
      return outcome(rigOf())
    }
    expect(await serves({ ...key, d: 'AAAA' })).toBe('token-invalid')
    expect(await serves({ ...key, use: 'enc' })).toBe('token-invalid')
    expect(await serves({ ...key, key_ops: ['sign'] })).toBe('token-invalid')
    expect(await serves({ ...key, alg: 'ES384' })).toBe('token-invalid')
    expect(await serves({ ...key, crv: 'P-384' })).toBe('token-invalid')
    expect(await serves({ ...key, x: 'AAAA' })).toBe('token-invalid')
    expect(await serves({ kty: 'oct', k: 'AAAA', kid: 'k1' })).toBe('token-invalid')
    expect(await serves()).toBe('token-invalid')
    expect(await serves({ ...key, kid: 'other', use: undefined, alg: undefined }, null as never, 7 as never)).toBe(
      'token-invalid',
    )
    expect(
      await serves({ kty: 'oct', k: 'AAAA', kid: 'k1' }, null as never, { ...key, use: undefined, alg: undefined }),
    ).toBe('ok')
    expect(await serves(...Array.from({ length: 101 }, () => key))).toBe('issuer-unavailable')
  })

  test('RSA keys under 2048 bits verify nothing', async () => {
    const { privateKey, publicKey } = await crypto.subtle.generateKey(
      { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
      true,
      ['sign', 'verify'],
    )
    const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'short' }
    issuer.published = [jwk as never]
    const rig = rigOf()
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const input = `${encode({ alg: 'RS256', kid: 'short', typ: 'at+jwt' })}.${encode(claimsOf(issuer))}`
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', privateKey, Buffer.from(input))
    expect(await rig.outcome(`${input}.${Buffer.from(signature).toString('base64url')}`)).toBe('token-invalid')
  })

  test('a token without key id is tried with every fitting key, also after a rotation', async () => {
    const second = await signingKey('ES256', 'k2')
    issuer.published.push(second.jwk)
    const rig = rigOf()
    const unnamed = async (key: SigningKey): Promise<string> =>
      rig.outcome(await issuer.mint({ ...claimsOf(issuer), jti: `t${serial++}` }, { key, header: { kid: undefined } }))
    expect(await unnamed(second)).toBe('ok')
    const third = await signingKey('ES256', 'k3')
    expect(await unnamed(third)).toBe('token-invalid')
    issuer.published = [third.jwk]
    rig.clock.seconds += 61
    expect(await unnamed(third)).toBe('ok')
  })
})

describe('keys stay fresh', () => {
  test('many first requests at once cost one fetch', async () => {
    const rig = rigOf()
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(rig)))
    expect(new Set(outcomes)).toEqual(new Set(['ok']))
    expect(issuer.asked).toEqual(['/jwks'])
    expect(refreshes).toEqual(['ehr success'])
  })

  test('a rotation refuses no good token, whoever comes first, and keeps the old key while it is published', async () => {
    const rig = rigOf()
    const old = issuer.key
    expect(await outcome(rig)).toBe('ok')
    for (let i = 0; i < 5; i++) {
      const next = await signingKey('ES256', `next-${i}`)
      issuer.published.push(next.jwk)
      const outcomes = await Promise.all([
        outcome(rig, next),
        outcome(rig, old),
        outcome(rig, next),
        outcome(rig, next),
      ])
      expect(outcomes).toEqual(['ok', 'ok', 'ok', 'ok'])
      rig.clock.seconds += 31
    }
    expect(issuer.asked.length).toBe(6)
  })

  test('rotations under traffic refuse no good token, and cost one fetch each', async () => {
    const rig = rigOf()
    let key = issuer.key
    let stop = false
    const outcomes = new Map<string, number>()
    const traffic = Array.from({ length: 8 }, async () => {
      while (!stop) {
        const got = await outcome(rig, key)
        outcomes.set(got, (outcomes.get(got) ?? 0) + 1)
      }
    })
    for (let rotation = 0; rotation < 10; rotation++) {
      await settled()
      const next = await signingKey('ES256', `next-${rotation}`)
      // As issuers do: the new key beside the last one, then in use.
      issuer.published = [key, next].map(({ jwk }) => jwk)
      rig.clock.seconds += 31
      key = next
    }
    await settled()
    stop = true
    await Promise.all(traffic)
    expect([...outcomes.keys()]).toEqual(['ok'])
    expect(outcomes.get('ok')).toBeGreaterThan(100)
    expect(issuer.asked.length).toBeLessThanOrEqual(11)
  })

  test('a key that was published a cooldown before its use is known, whatever strangers send meanwhile', async () => {
    const rig = rigOf()
    expect(await outcome(rig)).toBe('ok')
    const next = await signingKey('ES256', 'next')
    for (let second = 0; second < 62; second++) {
      if (second === 31) issuer.published.push(next.jwk)
      await outcome(rig, { ...issuer.key, kid: `unknown-${second}` })
      rig.clock.seconds += 1
    }
    expect(await outcome(rig, next)).toBe('ok')
    expect(issuer.asked.length).toBeLessThanOrEqual(4)
  })

  test('after ten minutes keys are fetched behind the requests, also when every token is remembered', async () => {
    const rig = rigOf()
    const token = await issuer.mint({ ...claimsOf(issuer), exp: START + 3600 })
    expect(await rig.outcome(token)).toBe('ok')
    rig.clock.seconds += 599
    expect(await rig.outcome(token)).toBe('ok')
    await settled()
    expect(issuer.asked.length).toBe(1)
    rig.clock.seconds += 1
    const now = rig.send(token)
    expect(now).not.toBeInstanceOf(Promise)
    await settled()
    expect(issuer.asked.length).toBe(2)
  })

  test('a withdrawn key takes the tokens that it signed along', async () => {
    const rig = rigOf()
    const token = await issuer.mint({ ...claimsOf(issuer), exp: START + 3600 })
    expect(await rig.outcome(token)).toBe('ok')
    const next = await signingKey('ES256', 'k2')
    issuer.published = [next.jwk]
    expect(await outcome(rig, next)).toBe('ok')
    expect(await rig.outcome(token)).toBe('token-invalid')
  })

  test("after a long silence the first request waits for today's keys", async () => {
    const rig = rigOf()
    expect(await outcome(rig)).toBe('ok')
    const next = await signingKey('ES256', 'k2')
    issuer.published = [next.jwk]
    rig.clock.seconds += 901
    expect(await outcome(rig)).toBe('token-invalid')
    expect(await outcome(rig, next)).toBe('ok')
  })

  test('a fetch that ended meanwhile is used, not repeated', async () => {
    const keySets = createKeySets({ now: () => START * 1000 })
    const set = keySets.of(tokenIssuer(issuer))
    expect(await set.matching('ES256', 'k2')).toEqual([])
    const seen = set.revision
    issuer.published.push((await signingKey('ES256', 'k2')).jwk)
    expect(await set.refreshFor('k2', seen)).toBe(true)
    expect(await set.refreshFor('k2', seen)).toBe(true)
    expect(await set.matching('ES256', 'k2')).toHaveLength(1)
    expect(await set.refreshFor('k3', set.revision)).toBe(false)
    expect(issuer.asked.length).toBe(2)
    await keySets.close()
  })

  test('a clock that is set back keeps no key alive', async () => {
    const rig = rigOf()
    expect(await outcome(rig)).toBe('ok')
    rig.clock.seconds -= 86_400
    expect(await outcome(rig)).toBe('ok')
    await settled()
    expect(issuer.asked.length).toBe(2)
  })
})

describe('no fetch storm', () => {
  test('unknown key ids cost one fetch a cooldown', async () => {
    const rig = rigOf()
    expect(await outcome(rig)).toBe('ok')
    for (let second = 0; second < 60; second++) {
      const stranger = { ...issuer.key, kid: `unknown-${second}` }
      expect(await outcome(rig, stranger)).toBe('token-invalid')
      rig.clock.seconds += 1
    }
    expect(issuer.asked.length).toBe(3)
    expect(await outcome(rig)).toBe('ok')
  })

  test('a wrong signature under a known key id costs none', async () => {
    const rig = rigOf()
    const forger = await signingKey('ES256', issuer.key.kid)
    expect(await outcome(rig)).toBe('ok')
    expect(await outcome(rig, forger)).toBe('token-invalid')
    expect(issuer.asked.length).toBe(1)
  })

  test('the same unknown key id costs one fetch a minute', async () => {
    const rig = rigOf()
    const stranger = { ...issuer.key, kid: 'unknown' }
    for (let i = 0; i < 12; i++) {
      expect(await outcome(rig, stranger)).toBe('token-invalid')
      rig.clock.seconds += 10
    }
    expect(issuer.asked.length).toBe(3)
  })

  test('issuer down for ten minutes: known keys work, unknown ones are refused, at most one fetch a cooldown', async () => {
    const rig = rigOf()
    expect(await outcome(rig)).toBe('ok')
    issuer.mode = 'down'
    issuer.asked.length = 0
    rig.clock.seconds += 600
    for (let second = 0; second < 600; second += 5) {
      const stranger = { ...issuer.key, kid: `unknown-${second}` }
      const outcomes = await Promise.all([outcome(rig), outcome(rig, stranger), outcome(rig)])
      expect(outcomes).toEqual(['ok', 'token-invalid', 'ok'])
      await settledFetch()
      rig.clock.seconds += 5
    }
    expect(issuer.asked.length).toBeGreaterThan(10)
    expect(issuer.asked.length).toBeLessThanOrEqual(20)
    issuer.mode = 'up'
    rig.clock.seconds += 30
    const next = await signingKey('ES256', 'k2')
    issuer.published.push(next.jwk)
    expect(await outcome(rig, next)).toBe('ok')
  })

  test('with no key known, requests during the cooldown are answered at once, and told when to come again', async () => {
    issuer.mode = 'down'
    const rig = rigOf()
    expect(await outcome(rig)).toBe('issuer-unavailable')
    rig.clock.seconds += 10
    const result = await rig.send(await fresh(rig))
    expect(isRefusal(result) && [result.status, result.extras.retryAfter]).toEqual([503, 20])
    expect(issuer.asked.length).toBe(1)
    issuer.mode = 'up'
    rig.clock.seconds += 20
    expect(await outcome(rig)).toBe('ok')
  })

  test('stale keys end: an hour past their time nothing verifies, remembered tokens neither', async () => {
    const rig = rigOf()
    const token = await issuer.mint({ ...claimsOf(issuer), exp: START + 20_000 })
    expect(await rig.outcome(token)).toBe('ok')
    issuer.mode = 'down'
    rig.clock.seconds += 4_199
    expect(await rig.outcome(token)).toBe('ok')
    expect(await outcome(rig)).toBe('ok')
    await settledFetch()
    rig.clock.seconds += 1
    expect(await rig.outcome(token)).toBe('issuer-unavailable')
    expect(await outcome(rig)).toBe('issuer-unavailable')
  })

  test('a stalled issuer holds up nobody whose key is known', async () => {
    const rig = rigOf()
    expect(await outcome(rig)).toBe('ok')
    issuer.mode = 'stalled'
    rig.clock.seconds += 601
    expect(await outcome(rig)).toBe('ok')
    expect(await outcome(rig)).toBe('ok')
    expect(issuer.asked.length).toBe(2)
    await rig.authenticator.close()
  })

  test('key sets of the process outlive an authenticator, cooldowns included', async () => {
    const first = rigOf()
    const keySets = createKeySets({ now: first.clock.now })
    for (let reload = 0; reload < 20; reload++) {
      const rig = new Rig([tokenIssuer(issuer)], { keySets })
      await rig.authenticator.warm()
      expect(await outcome(rig)).toBe('ok')
      expect(await outcome(rig, { ...issuer.key, kid: `unknown-${reload}` })).toBe('token-invalid')
      await rig.authenticator.close()
    }
    expect(issuer.asked.length).toBe(2)
    await keySets.close()
  })
})

async function settledFetch(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 3))
}
