// Tokens that only their issuer can read (RFC 7662), and JWTs of an issuer that is asked about those too.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Grant } from '../../src/domain/grant.ts'
import { isRefusal } from '../../src/domain/refusal.ts'
import { type IssuerServer, type Mode, startIssuer } from './support/issuer-server.ts'
import { AUDIENCE, askedIssuer, claimsOf, Rig, ROUTE, START, tokenIssuer } from './support/rig.ts'

const OPAQUE = 'opaque-token_1'
const EXPIRY = START + 600

let issuer: IssuerServer
let other: IssuerServer
const rigs: Rig[] = []

beforeEach(async () => {
  issuer = await startIssuer()
  other = await startIssuer()
  issuer.say = () => active()
})
afterEach(async () => {
  await Promise.all(rigs.splice(0).map((rig) => rig.authenticator.close()))
  issuer.close()
  other.close()
})

const active = (changes: object = {}) => ({
  active: true,
  scope: 'patient/Observation.rs',
  client_id: 'app',
  sub: 'user-1',
  patient: 'p1',
  exp: EXPIRY,
  ...changes,
})

function rigOf(...args: ConstructorParameters<typeof Rig>): Rig {
  const rig = new Rig(...args)
  rigs.push(rig)
  return rig
}
const asking = (introspection = {}, changes = {}): Rig => rigOf([askedIssuer(issuer, introspection, changes)])
const about = (said: object | undefined): Promise<string> => {
  issuer.say = () => said as Record<string, unknown>
  return asking().outcome(OPAQUE)
}

describe('a token that is no JWT', () => {
  test('counts when its issuer says so, and conveys what the answer says', async () => {
    const grant = await asking().grant(OPAQUE)
    expect(grant).toMatchObject({
      kind: 'bearer',
      issuer: 'ehr',
      issuerUrl: issuer.url,
      client: 'app',
      subject: 'user-1',
      patients: ['p1'],
      scopes: ['patient/Observation.rs'],
      expiresAt: EXPIRY + 30,
    })
  })

  test('is posted as a form, with client credentials that are encoded before they are joined', async () => {
    await asking().outcome('a+b/c==')
    expect(issuer.questions).toHaveLength(1)
    const { form, authorization } = issuer.questions[0]!
    expect([...form]).toEqual([
      ['token', 'a+b/c=='],
      ['token_type_hint', 'access_token'],
    ])
    const credentials = Buffer.from(authorization!.replace('Basic ', ''), 'base64').toString()
    expect(credentials).toBe('gw:a+secret%3A+%C3%BC')
  })

  test('needs no keys of its issuer', async () => {
    const rig = rigOf([{ ...askedIssuer(issuer), jwks: undefined } as never])
    expect(await rig.outcome(OPAQUE)).toBe('ok')
    await rig.authenticator.warm()
    expect(issuer.asked).toEqual([])
  })

  test('is refused where nobody can be asked', async () => {
    expect(await rigOf([tokenIssuer(issuer)]).outcome(OPAQUE)).toBe('token-invalid')
    expect(await asking({ opaque: false }).outcome(OPAQUE)).toBe('token-invalid')
    expect(issuer.questions).toEqual([])
  })

  test('follows the claim mapping and what the issuer may grant', async () => {
    issuer.say = () => active({ scope: undefined, ctx: { azs: 'user/Patient.rs system/*.rs' }, launch: ['p1', 'p2'] })
    const claims = { scope: ['/ctx/azs'], patient: ['launch'], fhirUser: ['fhirUser'], client: ['client_id'] }
    const grant = await asking({}, { claims, mayGrant: ['user/*'] }).grant(OPAQUE)
    expect(grant).toMatchObject({ scopes: ['user/Patient.rs'], patients: ['p1', 'p2'] })
  })
})

describe('an answer that does not count', () => {
  test.each<[string, object | undefined]>([
    ['not active', undefined],
    ['active: false with everything else', { ...active(), active: false }],
    ['active as a text', active({ active: 'true' })],
    ['active as a number', active({ active: 1 })],
    ['another issuer', active({ iss: 'https://other.example.org' })],
    ['an issuer that is no text', active({ iss: ['x'] })],
    ['another audience', active({ aud: 'https://other.example.org' })],
    ['an audience that is no text', active({ aud: [AUDIENCE, 1] })],
    ['an expiry that is no number', active({ exp: String(EXPIRY) })],
    ['not yet', active({ nbf: START + 60 })],
    ['issued in the future', active({ iat: START + 60 })],
    ['longer than tokens may live', active({ exp: START + 25 * 3600 })],
    ['a refresh token by its type', active({ token_type: 'refresh_token' })],
    ['a refresh token by its use', active({ token_use: 'refresh_token' })],
    ['a type that is no text', active({ token_type: 1 })],
    ['DPoP without a key', active({ token_type: 'DPoP' })],
    ['bound in an unknown way', active({ cnf: { kid: 'x' } })],
    ['an id_token', active({ nonce: 'n' })],
    ['a subject that is no text', active({ sub: 7 })],
  ])('%s', async (_, said) => expect(await about(said)).toBe('token-invalid'))

  test('expired', async () => expect(await about(active({ exp: START - 31 }))).toBe('token-expired'))

  test('of an issuer that must name the audience', async () => {
    expect(await asking({ requireAudience: true }).outcome(OPAQUE)).toBe('token-invalid')
    issuer.say = () => active({ aud: ['https://elsewhere.example.org', AUDIENCE] })
    expect(await asking({ requireAudience: true }).outcome(OPAQUE)).toBe('ok')
  })

  test.each([
    '{"active":false,"active":true,"exp":1900000000}',
    '{"active":true,"\\u0061ctive":true}',
    '[true]',
    'true',
    '',
  ])('that two readers could read differently, or is no object: %s', async (saying) => {
    issuer.saying = saying
    expect(await asking().outcome(OPAQUE)).toBe('issuer-unavailable')
  })

  test.each(['Bearer', 'bearer', 'access_token', undefined])('the type %s is that of an access token', async (type) => {
    expect(await about(active({ token_type: type }))).toBe('ok')
  })
})

describe('an endpoint that does not answer properly makes nothing count', () => {
  test.each<Mode>(['down', 'redirect', 'huge', 'nonsense', 'wrong-type', 'cut'])('%s', async (mode) => {
    issuer.introspection = mode
    const problems: string[] = []
    const rig = rigOf([askedIssuer(issuer)], { onIntrospectionFailure: (name, it) => problems.push(`${name} ${it}`) })
    const refusal = await rig.send(OPAQUE)
    expect(isRefusal(refusal) && [refusal.code, refusal.status, refusal.extras.retryAfter]).toEqual([
      'issuer-unavailable',
      503,
      1,
    ])
    expect(issuer.asked).toEqual([])
    expect(problems).toHaveLength(1)
    expect(problems[0]).not.toContain(issuer.url)
    issuer.introspection = 'up'
    expect(await rig.outcome(OPAQUE)).toBe('ok')
  })

  test('not there at all', async () => {
    issuer.close()
    expect(await asking().outcome(OPAQUE)).toBe('issuer-unavailable')
  })

  test('stalled or trickling: refused after a bounded time', { timeout: 15_000 }, async () => {
    const rig = asking()
    issuer.introspection = 'stalled'
    const stalled = rig.outcome('one')
    await expect.poll(() => issuer.questions.length).toBe(1)
    issuer.introspection = 'trickle'
    expect(await Promise.all([stalled, rig.outcome('two')])).toEqual(['issuer-unavailable', 'issuer-unavailable'])
  })
})

describe('answers are remembered', () => {
  test('as long as the route map allows, and at once', async () => {
    const rig = asking()
    const grant = await rig.grant(OPAQUE)
    rig.clock.seconds += 29
    expect(rig.send(OPAQUE)).toBe(grant)
    rig.clock.seconds += 1
    expect(await rig.outcome(OPAQUE)).toBe('ok')
    expect(issuer.questions).toHaveLength(2)
    expect(rig.asked).toEqual(['miss', 'hit', 'miss'])
    expect(rig.lookups).toEqual([])
  })

  test('never beyond the end of the token', async () => {
    const rig = asking({ cache: 3_600_000 })
    expect(await rig.outcome(OPAQUE)).toBe('ok')
    rig.clock.seconds = EXPIRY + 29
    expect(rig.send(OPAQUE)).not.toBeInstanceOf(Promise)
    rig.clock.seconds = EXPIRY + 30
    expect(await rig.outcome(OPAQUE)).toBe('token-expired')
  })

  test('a token without an end counts for as long as its answer is remembered', async () => {
    issuer.say = () => active({ exp: undefined })
    expect((await asking().grant(OPAQUE)).expiresAt).toBe(START + 30)
  })

  test('and are the only thing that counts while the endpoint is down', async () => {
    const rig = asking()
    expect(await rig.outcome(OPAQUE)).toBe('ok')
    issuer.introspection = 'down'
    rig.clock.seconds += 29
    expect(await rig.outcome(OPAQUE)).toBe('ok')
    expect(await rig.outcome('another')).toBe('issuer-unavailable')
    rig.clock.seconds += 1
    expect(await rig.outcome(OPAQUE)).toBe('issuer-unavailable')
    issuer.introspection = 'up'
    rig.clock.seconds += 1
    expect(await rig.outcome(OPAQUE)).toBe('ok')
  })

  test('a token that does not count is asked about again after five seconds', async () => {
    const rig = asking()
    issuer.say = () => undefined
    for (let i = 0; i < 10; i++) expect(await rig.outcome(OPAQUE)).toBe('token-invalid')
    expect(issuer.questions).toHaveLength(1)
    issuer.say = () => active()
    rig.clock.seconds += 5
    expect(await rig.outcome(OPAQUE)).toBe('ok')
  })

  test('a cache of nothing asks every time', async () => {
    const rig = asking({ cache: 0 })
    for (let i = 0; i < 3; i++) expect(await rig.outcome(OPAQUE)).toBe('ok')
    expect(issuer.questions).toHaveLength(3)
  })

  test('not by a clock that was set back', async () => {
    const rig = asking()
    expect(await rig.outcome(OPAQUE)).toBe('ok')
    rig.clock.seconds -= 3600
    issuer.say = () => undefined
    expect(await rig.outcome(OPAQUE)).toBe('token-invalid')
  })

  test('for a token that differs in one character, nothing', async () => {
    const rig = asking()
    issuer.say = (token) => (token === OPAQUE ? active() : undefined)
    expect(await rig.outcome(OPAQUE)).toBe('ok')
    for (const changed of [`${OPAQUE}=`, OPAQUE.toUpperCase(), OPAQUE.slice(0, -1), `${OPAQUE}1`]) {
      expect(await rig.outcome(changed)).toBe('token-invalid')
    }
  })

  test('one question for however many requests bring the token at once', async () => {
    const rig = asking()
    const grants = await Promise.all(Array.from({ length: 50 }, () => rig.send(OPAQUE)))
    expect(new Set(grants).size).toBe(1)
    expect(issuer.questions).toHaveLength(1)
  })
})

describe('an endpoint is not stormed', () => {
  test('by questions at the same time: 64, then come again', async () => {
    const rig = asking()
    issuer.introspection = 'stalled'
    const waiting = Array.from({ length: 64 }, (_, i) => rig.send(`token-${i}`))
    const shed = rig.send('one-more')
    expect(isRefusal(shed) && [shed.code, shed.extras.retryAfter]).toEqual(['overloaded', 1])
    expect(rig.send('token-0')).toBeInstanceOf(Promise)
    issuer.close()
    const outcomes = await Promise.all(waiting)
    expect(outcomes.every((it) => isRefusal(it) && it.code === 'issuer-unavailable')).toBe(true)
  })

  test('while it is down: after five failures in a row, five questions a second at most until it answers', async () => {
    const rig = asking()
    issuer.introspection = 'down'
    for (let i = 0; i < 200; i++) {
      expect(await rig.outcome(`token-${i}`)).toBe('issuer-unavailable')
      rig.clock.seconds += 0.05
    }
    expect(issuer.questions.length).toBeLessThanOrEqual(5 + 10)
    issuer.introspection = 'up'
    rig.clock.seconds += 1
    for (let i = 0; i < 5; i++) expect(await rig.outcome(`good-${i}`)).toBe('ok')
  })

  test('what it says about one bad token is not held against the others', async () => {
    const rig = asking()
    issuer.introspection = 'nonsense'
    for (let i = 0; i < 10; i++) expect(await rig.outcome(`token-${i}`)).toBe('issuer-unavailable')
    issuer.introspection = 'up'
    expect(await rig.outcome(OPAQUE)).toBe('ok')
  })
})

describe('with several issuers', () => {
  const both = () => [
    askedIssuer(issuer, {}, { mayGrant: ['patient/*'] }),
    askedIssuer(other, {}, { name: 'partner', mayGrant: ['user/*'] }),
  ]
  const route = (...issuers: string[]) => ({ ...ROUTE, issuers })

  test('a token is shown to those of the route only, in its order, until one knows it', async () => {
    const rig = rigOf(both())
    issuer.say = () => undefined
    other.say = () => active({ scope: 'user/Patient.rs patient/*.rs' })
    expect(await rig.outcome(OPAQUE, route('ehr'))).toBe('token-invalid')
    expect([issuer.questions.length, other.questions.length]).toEqual([1, 0])
    const grant = (await rig.send(OPAQUE, route('ehr', 'partner'))) as Grant
    expect([grant.issuer, grant.scopes]).toEqual(['partner', ['user/Patient.rs']])
    expect(rig.send(OPAQUE, route('partner'))).toBe(grant)
    expect(await rig.outcome(OPAQUE, route())).toBe('token-invalid')
    expect([issuer.questions.length, other.questions.length]).toEqual([1, 1])
  })

  test('a first one that cannot be asked leaves it open, unless the second knows the token', async () => {
    issuer.introspection = 'down'
    const rig = rigOf(both())
    expect(await rig.outcome(OPAQUE, route('ehr', 'partner'))).toBe('issuer-unavailable')
    other.say = (token) => (token === OPAQUE ? undefined : active())
    expect(await rig.outcome('known-to-partner', route('ehr', 'partner'))).toBe('ok')
  })

  test('a JWT is shown to the issuer that it names, and to no other', async () => {
    const rig = rigOf([
      askedIssuer(issuer, { always: true }, { mayGrant: ['patient/*'] }),
      askedIssuer(other, { always: true }, { name: 'partner', mayGrant: ['user/*'] }),
    ])
    const token = await issuer.mint(claimsOf(issuer))
    issuer.say = () => active({ jti: 'token-1' })
    expect(await rig.outcome(token, route('partner', 'ehr'))).toBe('ok')
    expect(await rig.outcome(`${token.slice(0, -3)}AAA`, route('partner', 'ehr'))).toBe('token-invalid')
    expect(await rig.outcome(`${token}=`, route('partner', 'ehr'))).toBe('token-invalid')
    expect([issuer.questions.length, other.questions.length]).toEqual([1, 0])
  })
})

describe('a JWT of an issuer that is always asked', () => {
  const always = (changes = {}) => asking({ always: true }, changes)
  const minted = (claims: object = {}) => issuer.mint({ ...claimsOf(issuer), ...claims })
  const joined = async (claims: object, said: object | undefined): Promise<string> => {
    issuer.say = () => said as Record<string, unknown>
    return always().outcome(await minted(claims))
  }

  test('is verified first: what does not verify is shown to nobody', async () => {
    const rig = always()
    const forged = `${(await minted()).slice(0, -6)}AAAAAA`
    expect(await rig.outcome(forged)).toBe('token-invalid')
    expect(await rig.outcome(await minted({ exp: START - 60 }))).toBe('token-expired')
    expect(await rig.outcome(await minted(), { ...ROUTE, issuers: [] })).toBe('token-invalid')
    expect(await rig.outcome(await minted(), { ...ROUTE, audience: ['https://x.example.org'] })).toBe('token-invalid')
    expect(issuer.questions).toEqual([])
  })

  test('counts while its issuer says so, remembered or not', async () => {
    const rig = always()
    const token = await minted()
    const grant = await rig.grant(token)
    expect(rig.send(token)).toBe(grant)
    issuer.say = () => undefined
    rig.clock.seconds += 30
    expect(await rig.outcome(token)).toBe('token-invalid')
    expect([rig.lookups, rig.asked]).toEqual([
      ['miss', 'hit', 'hit'],
      ['miss', 'hit', 'miss'],
    ])
  })

  test('is refused while the issuer cannot be asked', async () => {
    issuer.introspection = 'down'
    expect(await always().outcome(await minted())).toBe('issuer-unavailable')
  })

  test('gets the launch patient and the user from the answer, where the token lacks them', async () => {
    issuer.say = () => active({ fhirUser: 'Practitioner/d1', sub: 'of-the-id-token' })
    const grant = await always().grant(await minted({ patient: undefined }))
    expect(grant).toMatchObject({ patients: ['p1'], fhirUser: 'Practitioner/d1', subject: 'user-1' })
  })

  test('keeps only scopes and audiences that both say', async () => {
    issuer.say = () => active({ scope: 'openid system/*.rs', aud: [AUDIENCE, 'https://x.example.org'] })
    const grant = await always().grant(await minted())
    expect([grant.scopes, grant.audience]).toEqual([['openid'], [AUDIENCE]])
    issuer.say = () => active({ scope: undefined })
    expect((await always().grant(await minted())).scopes).toEqual(['patient/Observation.rs', 'openid'])
    issuer.say = () => active({ scope: '' })
    expect((await always().grant(await minted())).scopes).toEqual([])
  })

  test('ends when the first of both ends', async () => {
    issuer.say = () => active({ exp: START + 60 })
    expect((await always().grant(await minted())).expiresAt).toBe(START + 90)
    issuer.say = () => active({ exp: START + 6_000 })
    expect((await always().grant(await minted())).expiresAt).toBe(START + 630)
  })

  test.each<[string, object, object]>([
    ['another client', {}, active({ client_id: 'another' })],
    ['another token', {}, active({ jti: 'token-2' })],
    ['another patient', {}, active({ patient: 'p2' })],
    ['one patient more', {}, active({ patient: ['p1', 'p2'] })],
    ['another user', { fhirUser: 'Practitioner/d1' }, active({ fhirUser: 'Practitioner/d2' })],
    ['another audience', {}, active({ aud: 'https://x.example.org' })],
    ['another issuer', {}, active({ iss: 'https://x.example.org' })],
    ['not active', {}, { active: false }],
  ])('is refused when the answer says %s', async (_, claims, said) => {
    expect(await joined(claims, said)).toBe('token-invalid')
  })

  test('a user who cannot be read in the answer takes the user/ scopes along', async () => {
    issuer.say = () => active({ scope: undefined, fhirUser: 'https://x.example.org/Patient/p9' })
    const grant = await always().grant(await minted({ scope: 'user/*.rs openid' }))
    expect(grant.scopes).toEqual(['openid'])
  })
})
