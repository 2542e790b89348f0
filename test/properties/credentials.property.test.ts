// Caches of verified facts against no caches: a seasoned authenticator, reloaded now and then, beside one that is made anew for every
// single request, before the same issuers, the same revocations and the same clock.

import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createKeySets, type KeySets } from '../../src/credentials/jwks.ts'
import { type Revocation, RevocationList } from '../../src/credentials/revocation-list.ts'
import { Revocations } from '../../src/credentials/revocations.ts'
import type { Grant } from '../../src/domain/grant.ts'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import { InProcessState } from '../../src/state/in-process.ts'
import { type IssuerServer, type SigningKey, signingKey, startIssuer } from '../credentials/support/issuer-server.ts'
import { ProofMaker } from '../credentials/support/proof.ts'
import { AUDIENCE, askedIssuer, Clock, claimsOf, Rig, START, tokenIssuer } from '../credentials/support/rig.ts'

const ELSEWHERE = 'https://x.example.org'

let plain: IssuerServer
let asked: IssuerServer
let stranger: SigningKey
let keySets: KeySets
beforeAll(async () => {
  plain = await startIssuer()
  asked = await startIssuer()
  stranger = await signingKey('ES256', 'k1')
  keySets = createKeySets({ now: () => START * 1000 })
})
afterAll(async () => {
  await keySets.close()
  plain.close()
  asked.close()
})

/** Mostly the first, so that many credentials count. */
const mostly = <Value>(usual: Value, ...others: Value[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(...others) })

const facts = fc.record({
  aud: mostly<unknown>([AUDIENCE, ELSEWHERE], AUDIENCE, ELSEWHERE),
  exp: mostly<number | undefined>(START + 600, START + 20, START + 60, START - 60, START + 90_000, undefined),
  nbf: mostly<number | undefined>(undefined, START + 45),
  iat: mostly<number | undefined>(START - 5, START - 90, undefined),
  jti: mostly<string | undefined>('t0', 't1', undefined),
  sub: mostly('s0', 's1', 's2'),
  scope: mostly('patient/*.rs', 'user/Patient.r openid', ''),
  patient: mostly<unknown>('p1', ['p1', 'p2'], undefined),
  fhirUser: mostly<string | undefined>(undefined, 'Patient/p1', `${ELSEWHERE}/Patient/p1`),
  cnf: mostly<object | undefined>(undefined, { jkt: 'A'.repeat(43) }, { kid: 'k' }),
})
const credential = fc.record({
  kind: fc.constantFrom<'jwt' | 'asked-jwt' | 'opaque' | 'forged'>(
    'jwt',
    'jwt',
    'asked-jwt',
    'opaque',
    'opaque',
    'forged',
  ),
  facts,
  said: fc.record({ active: mostly(true, false), facts }),
})
const route = fc.record({
  issuers: mostly(['plain', 'asked'], ['plain'], ['asked'], []),
  audience: mostly([AUDIENCE], [ELSEWHERE], [AUDIENCE, ELSEWHERE]),
})
/** Seconds that a revocation counts beyond its end. */
const SKEW = 300
const revocation = (iss: string) =>
  fc.constantFrom<Revocation>(
    { iss, jti: 't1', expires: START + 120 - SKEW },
    { iss, sub: 's1', expires: START + 40 - SKEW },
    { iss, sub: 's2', issuedBefore: START - 30, expires: START + 120 - SKEW },
    { iss, client: 'app', issuedBefore: START - 60, expires: START + 120 - SKEW },
  )
const step = fc.record({
  which: fc.nat(2),
  route,
  wait: fc.constantFrom(0, 0, 10, 31),
  reload: mostly(false, true),
  revoked: mostly<'nothing' | 'one' | 'all'>('nothing', 'one', 'all'),
})

async function textOf(
  { kind, facts: claims }: typeof credential extends fc.Arbitrary<infer Value> ? Value : never,
  index: number,
): Promise<string> {
  if (kind === 'opaque') return `opaque-${index}`
  const issuer = kind === 'asked-jwt' ? asked : plain
  const key = kind === 'forged' ? { key: stranger } : {}
  return issuer.mint({ ...claimsOf(issuer), ...claims }, key)
}

/** What can bear on a decision, or why there is none. */
const said = (result: Grant | Refusal): string => (isRefusal(result) ? result.code : result.fingerprint)

test('What is remembered of a credential says what looking anew would say, on every route, across expiry, reloads and revocations.', async () => {
  const issuers = () => [
    tokenIssuer(plain, { name: 'plain', mayGrant: ['patient/*', 'user/*'] }),
    askedIssuer(asked, { always: true }, { name: 'asked' }),
  ]
  let remembered = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(credential, { minLength: 3, maxLength: 3 }),
      fc.array(step, { minLength: 4, maxLength: 10 }),
      fc.tuple(revocation(plain.url), revocation(asked.url)),
      async (credentials, steps, revocationsToMake) => {
        const clock = new Clock()
        const tokens = await Promise.all(credentials.map(textOf))
        const answers = new Map(tokens.map((token, i) => [token, credentials[i]!.said]))
        asked.say = (token) => {
          const answer = answers.get(token)
          return answer && { active: answer.active, client_id: 'app', ...answer.facts }
        }
        const revocations = new Revocations(clock.now)
        const source = revocations.source()
        const rigOf = (): Rig => new Rig(issuers(), { keySets, revocations, now: clock.now })
        const seasons = [rigOf()]
        for (const { which, route, wait, reload, revoked } of steps) {
          clock.seconds += wait
          const count = revoked === 'all' ? 2 : revoked === 'one' ? 1 : 0
          source.replace(new RevocationList(revocationsToMake.slice(0, count)))
          if (reload) seasons.push(rigOf())
          const token = tokens[which]!
          const fresh = rigOf()
          const [one, two] = await Promise.all([seasons.at(-1)!, fresh].map((rig) => rig.send(token, route)))
          await fresh.authenticator.close()
          expect(said(one!)).toBe(said(two!))
        }
        for (const { lookups, asked, authenticator } of seasons) {
          remembered += [...lookups, ...asked].filter((it) => it === 'hit').length
          await authenticator.close()
        }
      },
    ),
    { numRuns: 50 },
  )
  // Otherwise nothing was held against anything.
  expect(remembered).toBeGreaterThan(15)
})

test('Whatever is changed in a proof of possession, or in the request that it came with, it is not taken.', async () => {
  const client = await ProofMaker.make()
  const rig = new Rig([tokenIssuer(plain, { name: 'ehr' })], { keySets, replays: new InProcessState() })
  const token = await plain.mint({ ...claimsOf(plain), cnf: { jkt: client.thumbprint } })
  const send = async (proof: string, { method = 'GET', path = '/fhir/R4/Patient', sent = token } = {}) =>
    said(
      (await rig.sendRaw(['Authorization', `DPoP ${sent}`, 'DPoP', proof], path, undefined, { method })) as
        | Grant
        | Refusal,
    )
  const other = await plain.mint({ ...claimsOf(plain), cnf: { jkt: client.thumbprint }, jti: 'other' })
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.stringMatching(/^[A-Za-z0-9_.-]$/), async (position, character) => {
      const proof = await client.prove('GET https://api.example.org/fhir/R4/Patient', token, START)
      const at = position % proof.length
      if (proof[at] !== character) {
        const changed = proof.slice(0, at) + character + proof.slice(at + 1)
        expect(await send(changed)).toBe('token-invalid')
      }
      for (const request of [{ method: 'HEAD' }, { path: '/fhir/R4/Patient/1' }, { sent: other }]) {
        expect(await send(proof, request)).toBe('token-invalid')
      }
      // After all that, the proof itself is still good, once.
      expect(await send(proof)).toMatch(/^[\w-]{43}$/)
      expect(await send(proof)).toBe('token-invalid')
    }),
  )
  await rig.authenticator.close()
})
