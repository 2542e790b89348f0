import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createKeySets, type KeySets } from '../../src/credentials/jwks.ts'
import { digestOf, VerifiedTokens } from '../../src/credentials/verified-tokens.ts'
import type { Grant } from '../../src/domain/grant.ts'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import { type IssuerServer, type SigningKey, signingKey, startIssuer } from './support/issuer-server.ts'
import { AUDIENCE, Clock, claimsOf, Rig, ROUTE, START, tokenIssuer } from './support/rig.ts'

let server: IssuerServer
let other: IssuerServer
let keySets: KeySets
let stranger: SigningKey

beforeAll(async () => {
  server = await startIssuer()
  other = await startIssuer('RS256')
  stranger = await signingKey('ES256', 'k1')
  keySets = createKeySets({ now: new Clock().now })
})
afterAll(async () => {
  await keySets.close()
  server.close()
  other.close()
})

const issuers = () => [tokenIssuer(server), tokenIssuer(other, { name: 'partner', mayGrant: ['user/*'] })]
const rigOf = (): Rig => new Rig(issuers(), { keySets })
const isPromise = (value: unknown): boolean => value instanceof Promise
const codeOf = (result: Grant | Refusal): string => (isRefusal(result) ? result.code : 'ok')

describe('a token that was verified before', () => {
  test('is answered without a promise, by the very same grant', async () => {
    const rig = rigOf()
    const token = await server.mint(claimsOf(server))
    const first = rig.send(token)
    expect(isPromise(first)).toBe(true)
    const grant = await first
    expect(rig.send(token)).toBe(grant)
    expect(rig.send(token)).toBe(grant)
    expect(rig.lookups).toEqual(['miss', 'hit', 'hit'])
  })

  test('ends at exp plus the skew, counted once', async () => {
    const rig = rigOf()
    const token = await server.mint(claimsOf(server))
    expect(await rig.outcome(token)).toBe('ok')
    rig.clock.seconds = START + 629.9
    expect(isPromise(rig.send(token))).toBe(false)
    rig.clock.seconds = START + 630
    expect(await rig.outcome(token)).toBe('token-expired')
    expect(await rig.outcome(token)).toBe('token-expired')
    expect(rig.lookups).toEqual(['miss', 'hit', 'miss', 'miss'])
  })

  test('is asked for its issuer and its audience on every request and every route', async () => {
    const rig = rigOf()
    const elsewhere = 'https://api.example.org/fhir/R5'
    const token = await server.mint({ ...claimsOf(server), aud: [AUDIENCE, 'https://x.example.org'] })
    for (let i = 0; i < 2; i++) {
      expect(await rig.outcome(token)).toBe('ok')
      expect(await rig.outcome(token, { issuers: ['ehr'], audience: [elsewhere] })).toBe('token-invalid')
      expect(await rig.outcome(token, { issuers: ['ehr'], audience: [elsewhere, AUDIENCE] })).toBe('ok')
      expect(await rig.outcome(token, { issuers: ['partner'], audience: [AUDIENCE] })).toBe('token-invalid')
      expect(await rig.outcome(token, { issuers: ['partner', 'ehr'], audience: [AUDIENCE] })).toBe('ok')
      expect(await rig.outcome(token, { issuers: [], audience: [AUDIENCE] })).toBe('token-invalid')
      expect(await rig.outcome(token, { issuers: ['ehr'], audience: [] })).toBe('token-invalid')
    }
    expect(rig.lookups.filter((it) => it === 'miss').length).toBe(1)
  })

  test('does not lend its place to a token that differs in one character', async () => {
    const rig = rigOf()
    const token = await server.mint(claimsOf(server))
    expect(await rig.outcome(token)).toBe('ok')
    for (let i = 0; i < token.length; i += 7) {
      const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1)
      expect(await rig.outcome(changed)).toBe('token-invalid')
    }
  })

  test('is remembered by digest; the token itself is nowhere', async () => {
    const tokens = new VerifiedTokens()
    const keys = { epoch: 0, isUsable: () => true }
    const grant = { expiresAt: START } as Grant
    tokens.set(digestOf('secret-token'), { grant, keys, epoch: 0 }, 12)
    expect(digestOf('secret-token')).toMatch(/^[\w-]{43}$/)
    expect(tokens.get(digestOf('secret-token'), START * 1000 - 1)?.grant).toBe(grant)
    expect(tokens.get(digestOf('secret-tokem'), 0)).toBeUndefined()
    expect(tokens.get(digestOf('secret-token'), START * 1000)).toBeUndefined()
    expect(tokens.size).toBe(0)
  })

  test('leaves when memory is needed for others', () => {
    const tokens = new VerifiedTokens()
    const keys = { epoch: 0, isUsable: () => true }
    const grant = { expiresAt: START } as Grant
    for (let i = 0; i < 5_000; i++) tokens.set(digestOf(`token-${i}`), { grant, keys, epoch: 0 }, 8192)
    expect(tokens.size).toBeLessThan(1_400)
    expect(tokens.get(digestOf('token-0'), 0)).toBeUndefined()
    expect(tokens.get(digestOf('token-4999'), 0)).toBeDefined()
  })
})

describe('a token that was not', () => {
  test('is verified once, however many requests bring it', async () => {
    let matched = 0
    const counting: KeySets = {
      of(issuer) {
        const set = keySets.of(issuer)
        const matching = set.matching.bind(set)
        set.matching = (alg, kid) => {
          matched++
          return matching(alg, kid)
        }
        return set
      },
      close: () => Promise.resolve(),
    }
    const rig = new Rig([tokenIssuer(server, { name: 'counted' })], { keySets: counting })
    const route = { ...ROUTE, issuers: ['counted'] }
    const token = await server.mint(claimsOf(server))
    const results = await Promise.all(Array.from({ length: 20 }, () => rig.send(token, route)))
    expect(new Set(results).size).toBe(1)
    expect(isRefusal(results[0])).toBe(false)
    expect(matched).toBe(1)
  })

  test('and is refused, is asked again the next time', async () => {
    const rig = rigOf()
    const token = await server.mint({ ...claimsOf(server), nbf: START + 60 })
    expect(await rig.outcome(token)).toBe('token-invalid')
    rig.clock.seconds += 60
    expect(await rig.outcome(token)).toBe('ok')
  })

  test('of one issuer does not wait for those of another that stalls', async () => {
    const stalled = await startIssuer()
    stalled.mode = 'stalled'
    const rig = new Rig([tokenIssuer(server), tokenIssuer(stalled, { name: 'stalled' })], {})
    const route = { ...ROUTE, issuers: ['ehr', 'stalled'] }
    const flood = await Promise.all(
      Array.from({ length: 1_100 }, (_, i) => stalled.mint({ ...claimsOf(stalled), jti: `${i}` })),
    )
    const waiting = flood.map((token) => rig.send(token, route))
    expect(waiting.filter(isRefusal)).toHaveLength(1_100 - 1_024)
    expect(await rig.outcome(await server.mint(claimsOf(server)), route)).toBe('ok')
    stalled.close()
    await Promise.all(waiting)
    await rig.authenticator.close()
  })

  test('waits with a bounded number of others', async () => {
    const stalled = await startIssuer()
    stalled.mode = 'stalled'
    const rig = new Rig([tokenIssuer(stalled)])
    const forged = (i: number): string => {
      const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
      return `${encode({ alg: 'ES256', kid: 'k1' })}.${encode({ ...claimsOf(stalled), jti: `${i}` })}.AAAA`
    }
    const waiting = Array.from({ length: 1_024 }, (_, i) => rig.send(forged(i)))
    expect(waiting.every(isPromise)).toBe(true)
    expect(isPromise(rig.send(forged(0)))).toBe(true)
    const shed = rig.send(forged(1_024))
    expect(isRefusal(shed) && [shed.code, shed.extras.retryAfter]).toEqual(['overloaded', 1])
    stalled.close()
    expect((await Promise.all(waiting)).every((it) => isRefusal(it) && it.code === 'issuer-unavailable')).toBe(true)
    expect(isPromise(rig.send(forged(1_024)))).toBe(true)
  })
})

describe('several issuers', () => {
  test('each is verified by its own keys and grants what it may', async () => {
    const rig = rigOf()
    const route = { issuers: ['ehr', 'partner'], audience: [AUDIENCE] }
    const scope = 'user/Patient.rs system/*.cruds'
    const grantOf = async (issuer: IssuerServer): Promise<Grant> =>
      (await rig.send(await issuer.mint({ ...claimsOf(issuer), scope }), route)) as Grant
    expect((await grantOf(server)).scopes).toEqual(['user/Patient.rs', 'system/*.cruds'])
    expect((await grantOf(other)).scopes).toEqual(['user/Patient.rs'])
    expect((await grantOf(other)).issuer).toBe('partner')
    const crossed = await other.mint({ ...claimsOf(other), iss: server.url })
    expect(await rig.outcome(crossed, route)).toBe('token-invalid')
  })

  test("an audience that only the route knows is not the issuer's to give", async () => {
    const aud = 'https://x.example.org'
    const token = await server.mint({ ...claimsOf(server), aud })
    expect(await rigOf().outcome(token, { issuers: ['ehr'], audience: [aud] })).toBe('token-invalid')
  })

  test('two of the same URL are refused at once', () => {
    expect(() => new Rig([tokenIssuer(server), tokenIssuer(server, { name: 'again' })], { keySets })).toThrow()
  })
})

test('what an authenticator that has seen everything says equals what a new one says', async () => {
  const claims = fc.record({
    aud: fc.constantFrom(AUDIENCE, 'https://x.example.org', [AUDIENCE, 'https://x.example.org']),
    exp: fc.constantFrom(START + 60, START + 600, START - 60, undefined),
    nbf: fc.constantFrom(undefined, START + 45),
    scope: fc.constantFrom('patient/*.rs', 'user/Patient.r openid', ''),
    patient: fc.constantFrom('p1', 'p2', ['p1', 'p2'], undefined),
    fhirUser: fc.constantFrom(undefined, 'Patient/p1', 'https://x.example.org/Patient/p1'),
  })
  const route = fc.record({
    issuers: fc.constantFrom(['ehr'], ['partner'], ['ehr', 'partner']),
    audience: fc.constantFrom([AUDIENCE], ['https://x.example.org']),
  })
  const step = fc.record({ claims, route, forged: fc.boolean(), wait: fc.constantFrom(0, 10, 31) })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 5 }), async (steps) => {
      const seasoned = rigOf()
      const sent = await Promise.all(
        steps.map(async (it) => {
          const key = it.forged ? { key: stranger } : {}
          return { ...it, token: await server.mint({ ...claimsOf(server), ...it.claims }, key) }
        }),
      )
      // Twice over, so that the second round is answered from memory where that is allowed.
      for (const { token, route, wait } of [...sent, ...sent]) {
        seasoned.clock.seconds += wait
        const fresh = rigOf()
        fresh.clock.seconds = seasoned.clock.seconds
        const [one, two] = [await seasoned.send(token, route), await fresh.send(token, route)]
        expect(codeOf(one)).toBe(codeOf(two))
        expect(one).toEqual(two)
      }
    }),
    { numRuns: 40 },
  )
})
