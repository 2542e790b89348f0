import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Issuer } from '../../src/config/settings.ts'
import { readClaim } from '../../src/credentials/claim.ts'
import { grantedScopes, readScopes } from '../../src/credentials/granted-scopes.ts'
import { readFhirUser, readPatients } from '../../src/credentials/launch-context.ts'
import { type IssuerServer, startIssuer } from './support/issuer-server.ts'
import { AUDIENCE, claimsOf, Rig, START, tokenIssuer } from './support/rig.ts'

let server: IssuerServer

beforeAll(async () => {
  server = await startIssuer()
})
afterAll(() => server.close())

async function grantFor(claims: object, changes: Partial<Issuer> = {}) {
  const rig = new Rig([tokenIssuer(server, changes)])
  return rig.grant(await server.mint({ ...claimsOf(server), ...claims }))
}

test('a grant holds what the token says, and ends with the skew', async () => {
  const grant = await grantFor({ fhirUser: 'Practitioner/d1' })
  expect(grant).toMatchObject({
    kind: 'bearer',
    issuer: 'ehr',
    issuerUrl: server.url,
    subject: 'user-1',
    client: 'app',
    audience: [AUDIENCE],
    scopes: ['patient/Observation.rs', 'openid'],
    patients: ['p1'],
    fhirUser: 'Practitioner/d1',
    tokenId: 'token-1',
    expiresAt: START + 630,
  })
  expect(grant.fingerprint).toMatch(/^[\w-]{43}$/)
  expect(Object.isFrozen(grant)).toBe(true)
})

test('a grant of a bare token names nobody', async () => {
  const grant = await grantFor({
    sub: undefined,
    client_id: undefined,
    jti: undefined,
    patient: undefined,
    scope: undefined,
  })
  expect(grant).toMatchObject({ scopes: [], patients: [] })
  expect(['subject', 'client', 'tokenId', 'fhirUser'].filter((key) => key in grant)).toEqual([])
})

describe('scope claims', () => {
  test.each([
    ['a b', ['a', 'b']],
    ['  a   b ', ['a', 'b']],
    ['', []],
    ['a\tb', []],
    ['a%20b', ['a%20b']],
    ['a\u00a0b', []],
    ['a"b c\\d e', ['e']],
    [
      ['a', 'b'],
      ['a', 'b'],
    ],
    [['a b', 'c', '', 7, null], ['c']],
    [{ a: true }, []],
    [7, []],
    [undefined, []],
  ])('%j', (claim, scopes) => expect(readScopes(claim)).toEqual(scopes))

  test('a string or an array, by name or by pointer; the first that is there counts', async () => {
    const claims = { ...tokenIssuer(server).claims, scope: ['scope', 'scp', '/urn:x~1y/roles~0z/1'] }
    const scopesOf = async (token: object): Promise<readonly string[]> => (await grantFor(token, { claims })).scopes
    expect(await scopesOf({ scope: undefined, scp: ['a', 'b'] })).toEqual(['a', 'b'])
    expect(await scopesOf({ scope: 'c', scp: ['a', 'b'] })).toEqual(['c'])
    expect(await scopesOf({ scope: 7, scp: ['a', 'b'] })).toEqual([])
    expect(await scopesOf({ scope: undefined, 'urn:x/y': { 'roles~z': ['no', 'yes also'] } })).toEqual(['yes', 'also'])
    expect(await scopesOf({ scope: undefined, 'urn:x/y': { 'roles~z': ['no'] } })).toEqual([])
  })
})

describe('a claim by its place', () => {
  const claims = JSON.parse('{"a":{"b":[{"c":1}]},"x/y":2,"m~n":3,"":4,"/a":5,"nothing":null,"__proto__":{"p":6}}')
  test.each([
    ['a', { b: [{ c: 1 }] }],
    ['/a/b/0/c', 1],
    ['/x~1y', 2],
    ['/m~0n', 3],
    ['/', 4],
    ['/__proto__/p', 6],
    ['/a/b/00/c', undefined],
    ['/a/b/-', undefined],
    ['/a/b/length', undefined],
    ['/a/b/1/c', undefined],
    ['/a/toString', undefined],
    ['toString', undefined],
    ['constructor', undefined],
    ['nothing', undefined],
  ])('%s', (place, value) => expect(readClaim(claims, [place])).toEqual(value))

  test('the first that holds anything', () => {
    expect(readClaim(claims, ['missing', 'nothing', 'm~n', 'x/y'])).toBe(3)
    expect(readClaim(claims, [])).toBeUndefined()
  })
})

describe('launch patients', () => {
  test.each([
    ['p1', ['p1']],
    ['Patient/p1', ['p1']],
    [
      ['p1', 'Patient/p2', 'p1'],
      ['p1', 'p2'],
    ],
    [[], []],
    ['', []],
    ['.', []],
    ['..', []],
    ['Patient/..', []],
    ['Patient/', []],
    ['Patient/Patient/p1', []],
    ['Practitioner/p1', []],
    ['Patient/p1/_history/1', []],
    [`${AUDIENCE}/Patient/p1`, []],
    ['p1,p2', []],
    ['p1 p2', []],
    ['p1\n', []],
    ['p%31', []],
    ['p'.repeat(65), []],
    [['p1', ''], []],
    [['p1', 7], []],
    [7, []],
    [null, []],
    [{ id: 'p1' }, []],
    [undefined, []],
  ])('%j', (claim, ids) => expect(readPatients(claim)).toEqual(ids))
})

describe('fhirUser', () => {
  const known = (reference: string) => ({ reference, unreadable: false })
  const unnamed = { unreadable: false }
  const unreadable = { unreadable: true }
  test.each([
    ['Patient/p1', known('Patient/p1')],
    [`${AUDIENCE}/Practitioner/d1`, known('Practitioner/d1')],
    [undefined, unnamed],
    ['', unnamed],
    ['https://elsewhere.example.org/fhir/Practitioner/d1', unnamed],
    ['https://elsewhere.example.org/fhir/Patient/p1', unreadable],
    ['https://elsewhere.example.org/fhir/Practitioner/d1#/Patient/p1', unreadable],
    ['https://elsewhere.example.org/fhir/Patient/p1?x=/Practitioner/d1', unreadable],
    [`${AUDIENCE}x/Patient/p1`, unreadable],
    ['Patient/p1/_history/2', unreadable],
    ['Patient/..', unreadable],
    ['patient/p1', unreadable],
    ['p1', unreadable],
    ['/Patient/p1', unreadable],
    [['Patient/p1'], unreadable],
    [{ reference: 'Patient/p1' }, unreadable],
  ])('%j', (claim, user) => expect(readFhirUser(claim, [AUDIENCE])).toEqual(user))

  test('a base may end with a slash', () => {
    expect(readFhirUser(`${AUDIENCE}/Patient/p1`, ['https://x.example.org', `${AUDIENCE}/`])).toEqual(
      known('Patient/p1'),
    )
  })

  test('with a user who cannot be read, user/ scopes count for nothing', async () => {
    const scope = 'user/Observation.rs patient/Observation.rs system/Observation.rs openid'
    const grant = await grantFor({ scope, fhirUser: 'https://elsewhere.example.org/fhir/Patient/p2' })
    expect(grant.scopes).toEqual(['patient/Observation.rs', 'system/Observation.rs', 'openid'])
    expect(grant.fhirUser).toBeUndefined()
    expect((await grantFor({ scope, fhirUser: 'Practitioner/d1' })).scopes).toEqual(scope.split(' '))
  })
})

describe('what an issuer may grant', () => {
  const plain = { scopeMap: {}, dottedScopes: false, usCoreMisprints: true }
  const granted = (minted: string, rules: Partial<Parameters<typeof grantedScopes>[1]>): string =>
    grantedScopes(minted.split(' '), { ...plain, ...rules }).join(' ')

  test.each([
    [['patient/*', 'openid'], 'patient/*.rs patient/Observation.r openid', 'patient/*.rs patient/Observation.r openid'],
    [['patient/*'], 'system/*.rs user/Patient.r patients/x openid', ''],
    [['patient/*.rs'], 'patient/*.rs patient/Observation.rs patient/*.rsx', 'patient/*.rs'],
    [['*'], 'system/*.cruds x', 'system/*.cruds x'],
    [['openid'], 'openid2 OPENID openid', 'openid'],
    [[], 'openid', ''],
  ])('mayGrant %j: %s', (mayGrant, minted, expected) => expect(granted(minted, { mayGrant })).toBe(expected))

  test('scopeMap replaces a scope by what it means; nothing inherited from objects does', () => {
    const scopeMap = { 'fhir-reader': 'user/*.rs openid' }
    expect(granted('fhir-reader other', { scopeMap })).toBe('user/*.rs openid other')
    expect(granted('constructor toString', { scopeMap })).toBe('constructor toString')
    expect(granted('fhir-reader', { scopeMap, mayGrant: ['user/*'] })).toBe('user/*.rs')
    expect(granted('fhir-reader', { scopeMap, mayGrant: ['fhir-reader'] })).toBe('user/*.rs openid')
    expect(granted('fhir-reader', { scopeMap, mayGrant: ['patient/*'] })).toBe('')
  })

  test.each([
    ['patient.Observation.read', 'patient/Observation.read'],
    ['user$all.rs', 'user/*.rs'],
    ['system%2fPatient.cud', 'system/Patient.cud'],
    ['system%2F*.*', 'system/*.*'],
    ['patient.all.all', 'patient/*.*'],
    ['patient/all.rs', 'patient/*.rs'],
    ['patient.Observation.', 'patient.Observation.'],
    ['patient.Observation.sr', 'patient.Observation.sr'],
    ['xpatient.Observation.read', 'xpatient.Observation.read'],
    ['patient.Observation.read.more', 'patient.Observation.read.more'],
    ['patient.Observation.rs?category=a.b', 'patient.Observation.rs?category=a.b'],
    ['cms.fhir.r4.read', 'cms.fhir.r4.read'],
    ['patient%2fObservation%2eread', 'patient%2fObservation%2eread'],
    ['patient%20user.Patient.read', 'patient%20user.Patient.read'],
  ])('dottedScopes: %s', (minted, expected) => {
    expect(granted(minted, { dottedScopes: true })).toBe(expected)
    if (minted !== 'patient/all.rs') expect(granted(minted, {})).toBe(minted)
  })

  test('what mayGrant lets through is judged in its final spelling', () => {
    expect(granted('system.Patient.read user.Patient.read', { dottedScopes: true, mayGrant: ['user/*'] })).toBe(
      'user/Patient.read',
    )
  })

  test('the misprints of US Core mean what was meant, unless switched off', () => {
    const printed =
      'patient.Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern`'
    const meant =
      'patient/Condition.rs?category=http://hl7.org/fhir/us/core/CodeSystem/condition-category|health-concern'
    expect(granted(printed, { mayGrant: ['patient/*'] })).toBe(meant)
    expect(granted(printed, { usCoreMisprints: false })).toBe(printed)
  })

  test('whatever is minted, nothing beyond mayGrant is granted', () => {
    const context = fc.constantFrom('patient', 'user', 'system', 'launch', 'x')
    const separator = fc.constantFrom('/', '.', '$', '%2f', '%2F', '%252f')
    const rest = fc.constantFrom('Observation.rs', '*.*', 'all.all', 'Patient.read?x=y', '')
    const scope = fc.tuple(context, separator, rest).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(scope), fc.boolean(), (minted, dottedScopes) => {
        const scopes = grantedScopes(minted, { ...plain, dottedScopes, mayGrant: ['patient/*', 'openid'] })
        expect(scopes.filter((it) => !it.startsWith('patient/') && it !== 'openid')).toEqual([])
      }),
    )
  })
})
