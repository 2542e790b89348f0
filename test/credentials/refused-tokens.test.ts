import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRefusal } from '../../src/domain/refusal.ts'
import { type Claims, type IssuerServer, type SigningKey, signingKey, startIssuer } from './support/issuer-server.ts'
import { AUDIENCE, claimsOf, Rig, START, tokenIssuer } from './support/rig.ts'

let issuer: IssuerServer
let rig: Rig
let stranger: SigningKey
let rsa: SigningKey
let es384: SigningKey

beforeAll(async () => {
  issuer = await startIssuer()
  stranger = await signingKey('ES256', 'k1')
  rsa = await signingKey('RS256', 'k-rsa')
  es384 = await signingKey('ES384', 'k-384')
  issuer.published.push(rsa.jwk, es384.jwk)
  rig = new Rig([tokenIssuer(issuer)])
})
afterAll(() => issuer.close())

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

/** Signed by the real key over exactly these texts, which `SignJWT` would not write. */
async function signTexts(header: string, claims: string): Promise<string> {
  const input = `${encode(header)}.${encode(claims)}`
  const algorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const signature = await crypto.subtle.sign(algorithm, issuer.key.privateKey, Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}

const HEADER = '{"alg":"ES256","kid":"k1","typ":"at+jwt"}'
const claimsText = (): string => JSON.stringify(claimsOf(issuer))

function hs256WithPublicKey(): string {
  const pem = createPublicKey({ key: rsa.jwk as never, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const input = `${encode({ alg: 'HS256', kid: 'k-rsa', typ: 'at+jwt' })}.${encode(claimsText())}`
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`
}

test('the token that all others are made from is accepted', async () => {
  expect(await rig.outcome(await issuer.mint(claimsOf(issuer)))).toBe('ok')
  expect(await rig.outcome(await signTexts(HEADER, claimsText()))).toBe('ok')
  expect(await rig.outcome(await issuer.mint(claimsOf(issuer), { key: rsa }))).toBe('ok')
})

describe('a claim that is missing, wrong or too much', () => {
  const rows: [string, Claims, string][] = [
    ['no issuer', { iss: undefined }, 'token-invalid'],
    ['another issuer', { iss: 'https://elsewhere.example.org' }, 'token-invalid'],
    ['no audience', { aud: undefined }, 'token-invalid'],
    ['another audience', { aud: 'https://elsewhere.example.org' }, 'token-invalid'],
    ['an audience that only starts the same', { aud: `${AUDIENCE}/Patient` }, 'token-invalid'],
    ['an audience with a slash more', { aud: `${AUDIENCE}/` }, 'token-invalid'],
    ['an audience in other case', { aud: AUDIENCE.toUpperCase() }, 'token-invalid'],
    ['an audience list with a number', { aud: [AUDIENCE, 1] }, 'token-invalid'],
    ['an empty audience list', { aud: [] }, 'token-invalid'],
    ['an audience object', { aud: { [AUDIENCE]: true } }, 'token-invalid'],
    ['no expiry', { exp: undefined }, 'token-invalid'],
    ['an expiry in words', { exp: `${START + 600}` }, 'token-invalid'],
    ['expired', { exp: START - 31 }, 'token-expired'],
    ['expired at this very moment', { exp: START - 30 }, 'token-expired'],
    ['not valid yet', { nbf: START + 31 }, 'token-invalid'],
    ['a start in words', { nbf: 'now' }, 'token-invalid'],
    ['issued in the future', { iat: START + 31 }, 'token-invalid'],
    ['issued in words', { iat: 'now' }, 'token-invalid'],
    ['a life of more than a day', { iat: START, exp: START + 86_401 }, 'token-invalid'],
    ['a life of more than a day from now, undated', { iat: undefined, exp: START + 86_400 + 31 }, 'token-invalid'],
    ['a subject that is no text', { sub: 7 }, 'token-invalid'],
    ['bound to a DPoP key', { cnf: { jkt: 'x' } }, 'token-invalid'],
    ['bound to a certificate', { cnf: { 'x5t#S256': 'x' } }, 'token-invalid'],
    ['bound to nothing', { cnf: null }, 'token-invalid'],
    ['an id_token: nonce', { nonce: 'x' }, 'token-invalid'],
    ['an id_token: at_hash', { at_hash: 'x' }, 'token-invalid'],
    ['an id_token: c_hash', { c_hash: 'x' }, 'token-invalid'],
    ['an id_token of Keycloak', { typ: 'ID' }, 'token-invalid'],
    ['an id_token of Cognito', { token_use: 'id' }, 'token-invalid'],
  ]
  test.each(rows)('%s', async (_, changes, code) => {
    const token = await issuer.mint({ ...claimsOf(issuer), ...changes }, { header: { typ: 'JWT' } })
    expect(await rig.outcome(token)).toBe(code)
  })

  test('an issuer with a slash more', async () => {
    expect(await rig.outcome(await issuer.mint({ ...claimsOf(issuer), iss: `${issuer.url}/` }))).toBe('token-invalid')
  })
})

describe('a claim at its limit is accepted', () => {
  const rows: [string, Claims][] = [
    ['expired within the skew', { exp: START - 29 }],
    ['valid from within the skew', { nbf: START + 30 }],
    ['issued within the skew', { iat: START + 30 }],
    ['a life of a day', { iat: START, exp: START + 86_400 }],
    ['no iat', { iat: undefined }],
    ['several audiences', { aud: ['https://elsewhere.example.org', AUDIENCE] }],
    ['fractions of seconds', { exp: START + 60.5 }],
  ]
  test.each(rows)('%s', async (_, changes) => {
    expect(await rig.outcome(await issuer.mint({ ...claimsOf(issuer), ...changes }))).toBe('ok')
  })
})

describe('a header that is not allowed', () => {
  const rows: [string, Record<string, unknown>][] = [
    ['crit', { crit: ['exp'], exp: 1 }],
    ['crit with b64', { crit: ['b64'], b64: false }],
    ['b64 without crit', { b64: true }],
    ['type of an id_token', { typ: 'idt' }],
    ['type of a logout token', { typ: 'logout+jwt' }],
    ['type of a DPoP proof', { typ: 'dpop+jwt' }],
    ['type that is no text', { typ: ['JWT'] }],
    ['algorithm in other case', { alg: 'es256' }],
    ['algorithm that is no text', { alg: ['ES256'] }],
    ['no algorithm', { alg: undefined }],
    ['none', { alg: 'none' }],
    ['None', { alg: 'None' }],
    ['a name of every object', { alg: 'constructor' }],
    ['a key id that is no text', { kid: 1 }],
    ['an empty key id', { kid: '' }],
    ['a long key id', { kid: 'k'.repeat(513) }],
  ]
  test.each(rows)('%s', async (_, changes) => {
    const header = JSON.stringify({ alg: 'ES256', kid: 'k1', typ: 'at+jwt', ...changes })
    expect(await rig.outcome(await signTexts(header, claimsText()))).toBe('token-invalid')
  })

  test.each(['at+jwt', 'AT+JWT', 'application/at+jwt', 'Application/AT+JWT', 'JWT', 'jwt', undefined])(
    'type %s is allowed',
    async (typ) => {
      const header = JSON.stringify({ alg: 'ES256', kid: 'k1', typ })
      expect(await rig.outcome(await signTexts(header, claimsText()))).toBe('ok')
    },
  )

  test('a list of at+jwt alone refuses JWT and no type at all', async () => {
    const strict = new Rig([tokenIssuer(issuer, { typ: ['at+jwt'] })])
    const outcome = async (typ?: string) =>
      strict.outcome(await signTexts(JSON.stringify({ alg: 'ES256', kid: 'k1', typ }), claimsText()))
    expect(await outcome('application/at+JWT')).toBe('ok')
    expect(await outcome('JWT')).toBe('token-invalid')
    expect(await outcome()).toBe('token-invalid')
  })
})

describe('a signature that does not count', () => {
  test('alg none, with and without a signature', async () => {
    const input = `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claimsText())}`
    expect(await rig.outcome(`${input}.`)).toBe('token-invalid')
    expect(await rig.outcome(`${input}.AAAA`)).toBe('token-invalid')
  })

  test('HS256 with the public key as its secret, even when the issuer lists it', async () => {
    expect(await rig.outcome(hs256WithPublicKey())).toBe('token-invalid')
    const careless = new Rig([tokenIssuer(issuer, { algorithms: ['HS256' as 'ES256', 'ES256'] })])
    expect(await careless.outcome(hs256WithPublicKey())).toBe('token-invalid')
  })

  test('the key of somebody else, under a known or an unknown id, or brought along', async () => {
    const claims = claimsOf(issuer)
    expect(await rig.outcome(await issuer.mint(claims, { key: stranger }))).toBe('token-invalid')
    expect(await rig.outcome(await issuer.mint(claims, { key: stranger, header: { kid: 'k9' } }))).toBe('token-invalid')
    const brought = { jwk: stranger.jwk, jku: `${issuer.url}/elsewhere`, x5u: `${issuer.url}/elsewhere`, x5c: ['AAAA'] }
    const before = issuer.asked.length
    expect(await rig.outcome(await issuer.mint(claims, { key: stranger, header: brought }))).toBe('token-invalid')
    expect(issuer.asked.length).toBe(before)
    expect(await rig.outcome(await issuer.mint(claims, { header: brought }))).toBe('ok')
  })

  test('changed claims, a cut or a changed signature', async () => {
    const token = await issuer.mint(claimsOf(issuer))
    const [header, , signature] = token.split('.')
    const changed = encode({ ...claimsOf(issuer), scope: 'system/*.*' })
    expect(await rig.outcome(`${header}.${changed}.${signature}`)).toBe('token-invalid')
    expect(await rig.outcome(token.slice(0, -6))).toBe('token-invalid')
    expect(await rig.outcome(`${token.slice(0, -6)}AAAAAA`)).toBe('token-invalid')
    expect(await rig.outcome(`${header}.${token.split('.')[1]}.`)).toBe('token-invalid')
  })

  test('an algorithm that is not on the list, though the key is published', async () => {
    const token = await issuer.mint(claimsOf(issuer), { key: es384 })
    expect(await rig.outcome(token)).toBe('token-invalid')
    expect(await new Rig([tokenIssuer(issuer, { algorithms: ['ES384'] })]).outcome(token)).toBe('ok')
  })

  test('a key for another algorithm of the same list', async () => {
    const header = JSON.stringify({ alg: 'RS256', kid: 'k1', typ: 'at+jwt' })
    expect(await rig.outcome(await signTexts(header, claimsText()))).toBe('token-invalid')
  })
})

describe('a text that is no JWT', () => {
  test.each([
    'garbage',
    'not.a-token',
    'a.b.c',
    '..',
    '...',
    '.....',
    `${'a.'.repeat(300)}a`,
    `${encode('[]')}.${encode('{}')}.AAAA`,
    `${encode('null')}.${encode('null')}.AAAA`,
    `${encode({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`,
    'a'.repeat(8193),
  ])('%.40s', async (token) => expect(await rig.outcome(token)).toBe('token-invalid'))

  test.each([
    ['in the header', '{"alg":"none","alg":"ES256","kid":"k1","typ":"at+jwt"}', undefined],
    ['in the header, escaped', '{"alg":"ES256","kid":"k1","typ":"at+jwt","\\u0061lg":"ES256"}', undefined],
    ['in the claims', undefined, ['"scope":', '"scope":"system/*.*","scope":']],
    ['in the claims, escaped', undefined, ['"scope":', '"sc\\u006fpe" : "system/*.*","scope":']],
    ['deep in the claims', undefined, ['"scope":', '"x":[{"y":{"a":1,"b":2,"a":3}}],"scope":']],
  ] as const)('a name twice: %s', async (_, header, change) => {
    const claims = change === undefined ? claimsText() : claimsText().replace(change[0], change[1])
    expect(await rig.outcome(await signTexts(header ?? HEADER, claims))).toBe('token-invalid')
  })

  test('the same name in two objects, or as a value, is fine', async () => {
    const claims = claimsText().replace('"scope":', '"x":[{"a":"a"},{"a":"\\"a\\":"}],"scope":')
    expect(await rig.outcome(await signTexts(HEADER, claims))).toBe('ok')
  })

  test('deep nesting, broken UTF-8, a byte order mark', async () => {
    const nested = claimsText().replace('"scope":', `"x":${'['.repeat(40)}${']'.repeat(40)},"scope":`)
    expect(await rig.outcome(await signTexts(HEADER, nested))).toBe('token-invalid')
    expect(await rig.outcome(await signTexts(HEADER, `\ufeff${claimsText()}`))).toBe('token-invalid')
    const bytes = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')])
    expect(await rig.outcome(`${encode(HEADER)}.${bytes.toString('base64url')}.AAAA`)).toBe('token-invalid')
  })

  test('another spelling of the same bytes', async () => {
    const token = await issuer.mint(claimsOf(issuer))
    expect(await rig.outcome(`${token}=`)).toBe('token-invalid')
    const last = token.at(-1)!
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const other = alphabet[alphabet.indexOf(last) ^ 1]!
    expect(Buffer.from(other, 'base64url')).toEqual(Buffer.from(last, 'base64url'))
    expect(await rig.outcome(token.slice(0, -1) + other)).toBe('token-invalid')
  })
})

test('no refusal repeats anything of the token', async () => {
  const secret = 'zebra-7781'
  const claims = { ...claimsOf(issuer), sub: secret, patient: secret, aud: secret, iss: issuer.url }
  for (const token of [
    await issuer.mint(claims),
    await issuer.mint({ ...claims, iss: secret }),
    `${secret}.${secret}`,
  ]) {
    const result = await rig.send(token)
    expect(isRefusal(result) && !result.detail.includes(secret) && !result.detail.includes(token)).toBe(true)
  }
})
