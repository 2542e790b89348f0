// An issuer that is down, stalls, or answers nonsense, for its keys and for its introspection endpoint, before the gateway knows anything
// and after: nobody is let in who was not verified, and who is known stays known for as long as that is promised, no longer.

import { afterAll, expect, test } from 'vitest'
import { type IssuerServer, type Mode, signingKey, startIssuer } from '../credentials/support/issuer-server.ts'
import { type Answer, verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const READ = 'GET /fhir/R4/Patient/p1'
const MODES: readonly Mode[] = ['down', 'stalled', 'trickle', 'cut', 'redirect', 'huge', 'nonsense', 'wrong-type']

const rigs: Rig[] = []
afterAll(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.close()))
})

async function open(issuer: IssuerServer, introspection?: 'opaque' | 'always'): Promise<Rig> {
  const asked = `, introspection: { url: "${issuer.url}/introspect", clientId: gw, clientSecret: s, always: ${introspection === 'always'} }`
  const map = fhirMap()
  const rig = await startRig({
    issuer,
    map: (at) => (introspection ? map(at).replace(/(jwks: "[^"]+")/, `$1${asked}`) : map(at)),
  })
  rigs.push(rig)
  return rig
}

/** All modes at once, since some take as long as the gateway waits. */
function inEveryMode(name: string, scenario: (mode: Mode) => Promise<void>): void {
  test.concurrent(name, { timeout: 30_000 }, async () => {
    const failures = await Promise.all(
      MODES.map((mode) =>
        scenario(mode).then(
          () => undefined,
          (error: Error) => `${mode}: ${error.message}`,
        ),
      ),
    )
    expect(failures.filter((failure) => failure !== undefined)).toEqual([])
  })
}

const verdicts = async (answers: Promise<Answer>[]): Promise<string[]> => (await Promise.all(answers)).map(verdictOf)

async function forgedFor({ issuer, clock }: Rig): Promise<string> {
  const now = Math.floor(clock.now / 1000)
  const key = await signingKey('ES256', 'k1')
  return issuer.mint({ iss: issuer.url, aud: 'https://api.example.org/fhir/R4', iat: now, exp: now + 60 }, { key })
}

inEveryMode('keys that never came', async (mode) => {
  const issuer = await startIssuer()
  issuer.mode = mode
  const rig = await open(issuer)
  const forged = await forgedFor(rig)
  const got = await verdicts([
    rig.ask(READ, { scope: 'system/*.rs' }),
    rig.ask(READ, { scope: 'patient/*.rs', claims: { patient: 'p1' } }),
    rig.ask(READ, { token: forged }),
    rig.ask(READ, { token: 'opaque' }),
    rig.ask(READ),
  ])
  expect(got).toEqual([
    '503 issuer-unavailable',
    '503 issuer-unavailable',
    '503 issuer-unavailable',
    '401 token-invalid',
    '401 token-missing',
  ])
  expect(rig.upstream.arrived).toEqual([])
  expect(issuer.asked.filter((path) => path === '/jwks').length).toBeLessThanOrEqual(1)
  issuer.mode = 'up'
  rig.clock.now += 31_000
  expect(verdictOf(await rig.ask(READ, { scope: 'system/*.rs' }))).toBe('200')
})

inEveryMode('keys that came once', async (mode) => {
  const issuer = await startIssuer()
  const rig = await open(issuer)
  const remembered = await rig.token('system/*.rs', { exp: Math.floor(rig.clock.now / 1000) + 7_200 })
  expect(verdictOf(await rig.ask(READ, { token: remembered }))).toBe('200')
  issuer.mode = mode
  rig.clock.now += 601_000
  const stranger = await signingKey('ES256', 'k9')
  const foreign = await issuer.mint({ iss: issuer.url }, { key: stranger })
  expect(
    await verdicts([
      rig.ask(READ, { token: remembered }),
      rig.ask(READ, { scope: 'system/*.rs' }),
      rig.ask(READ, { token: await forgedFor(rig) }),
      rig.ask(READ, { token: foreign }),
    ]),
  ).toEqual(['200', '200', '401 token-invalid', '401 token-invalid'])
  // An hour past their time they count no more, for remembered tokens neither.
  rig.clock.now += 3_600_000
  rig.upstream.reset()
  const after = await verdicts([rig.ask(READ, { token: remembered }), rig.ask(READ, { scope: 'system/*.rs' })])
  expect(after).toEqual(['503 issuer-unavailable', '503 issuer-unavailable'])
  expect(rig.upstream.arrived).toEqual([])
})

inEveryMode('introspection', async (mode) => {
  const issuer = await startIssuer()
  const rig = await open(issuer, 'opaque')
  const exp = Math.floor(rig.clock.now / 1000) + 600
  issuer.say = (token) => (token === 'bad' ? undefined : { active: true, scope: 'system/*.rs', exp })
  expect(await verdicts([rig.ask(READ, { token: 'known' }), rig.ask(READ, { token: 'bad' })])).toEqual([
    '200',
    '401 token-invalid',
  ])
  issuer.introspection = mode
  rig.upstream.reset()
  expect(await verdicts(['new', 'bad2'].map((token) => rig.ask(READ, { token })))).toEqual([
    '503 issuer-unavailable',
    '503 issuer-unavailable',
  ])
  expect(rig.upstream.arrived).toEqual([])
  expect(verdictOf(await rig.ask(READ, { token: 'known' }))).toBe('200')
  rig.clock.now += 30_000
  rig.upstream.reset()
  expect(verdictOf(await rig.ask(READ, { token: 'known' }))).toBe('503 issuer-unavailable')
  expect(rig.upstream.arrived).toEqual([])
  issuer.introspection = 'up'
  rig.clock.now += 2_000
  expect(verdictOf(await rig.ask(READ, { token: 'known' }))).toBe('200')
})

test('a JWT of an issuer that is always asked is refused while it cannot be', async () => {
  const issuer = await startIssuer()
  const rig = await open(issuer, 'always')
  const token = await rig.token('system/*.rs')
  issuer.introspection = 'down'
  expect(verdictOf(await rig.ask(READ, { token }))).toBe('503 issuer-unavailable')
  issuer.introspection = 'up'
  issuer.say = () => ({ active: true })
  expect(verdictOf(await rig.ask(READ, { token }))).toBe('200')
  issuer.close()
  rig.clock.now += 30_000
  rig.upstream.reset()
  expect(verdictOf(await rig.ask(READ, { token }))).toBe('503 issuer-unavailable')
  expect(rig.upstream.arrived).toEqual([])
})
