// Tokens that are bound to a key (RFC 9449) or to a client certificate (RFC 8705), and plain ones beside them.

import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import { InProcessState } from '../../src/state/in-process.ts'
import { type IssuerServer, type SigningKey, signingKey, startIssuer } from './support/issuer-server.ts'
import { ProofMaker, type ProofParts } from './support/proof.ts'
import { askedIssuer, claimsOf, PUBLIC_URL, Rig, ROUTE, START, tokenIssuer } from './support/rig.ts'

const PATH = '/fhir/R4/Patient'
const LINE = `GET ${PUBLIC_URL}${PATH}`

let issuer: IssuerServer
let client: ProofMaker
let stranger: SigningKey
let rig: Rig
let bound: string
let plain: string

beforeAll(async () => {
  issuer = await startIssuer()
  client = await ProofMaker.make()
  stranger = await signingKey('ES256', 'x')
  rig = rigOf()
  bound = await mintBound({ jkt: client.thumbprint })
  plain = await issuer.mint(claimsOf(issuer))
})
afterAll(async () => {
  await rig.authenticator.close()
  issuer.close()
})

const rigOf = (options = {}): Rig =>
  new Rig([askedIssuer(issuer, { clientSecret: 's' })], { replays: new InProcessState(), ...options })
const mintBound = (cnf: object): Promise<string> => issuer.mint({ ...claimsOf(issuer), cnf })

interface Sent {
  readonly authorization?: string
  readonly proof?: string
  readonly url?: string
  readonly method?: string
  readonly socket?: Socket
  readonly route?: typeof ROUTE
}

async function send(sent: Sent, by = rig): Promise<'ok' | Refusal> {
  const { authorization = `DPoP ${bound}`, proof, url = PATH, route = ROUTE, ...line } = sent
  const raw = ['Authorization', authorization, ...(proof === undefined ? [] : ['DPoP', proof])]
  const result = await by.sendRaw(raw, url, route, line)
  return isRefusal(result) ? result : 'ok'
}
const outcome = async (sent: Sent, by = rig): Promise<string> => {
  const result = await send(sent, by)
  return isRefusal(result) ? `${result.code}${result.extras.proof ? ' proof' : ''}` : result
}
const prove = (parts: ProofParts = {}, line = LINE, token = bound): Promise<string> =>
  client.prove(line, token, rig.clock.seconds, parts)
const proven = async (parts: ProofParts = {}, line = LINE): Promise<string> =>
  outcome({ proof: await prove(parts, line) })

describe('a token that is bound to a key', () => {
  test('counts with a proof, every time with another one, remembered or not', async () => {
    for (let i = 0; i < 3; i++) expect(await proven()).toBe('ok')
    expect(rig.lookups.slice(-2)).toEqual(['hit', 'hit'])
  })

  test.each(['ES256', 'ES384', 'RS256', 'PS256', 'Ed25519'])('by a key of %s', async (alg) => {
    const maker = await ProofMaker.make(alg)
    const token = await mintBound({ jkt: maker.thumbprint })
    const proof = await maker.prove(LINE, token, START)
    expect(await outcome({ authorization: `dpop ${token}`, proof })).toBe('ok')
  })

  test('does not count as a bearer token, with or without a proof', async () => {
    expect(await outcome({ authorization: `Bearer ${bound}` })).toBe('token-invalid')
    expect(await outcome({ authorization: `Bearer ${bound}`, proof: await prove() })).toBe('token-invalid')
  })

  test('does not count without a proof, nor with an empty one', async () => {
    expect(await outcome({})).toBe('token-invalid proof')
    expect(await outcome({ proof: '' })).toBe('token-invalid proof')
  })

  test('counts once for each proof', async () => {
    const proof = await prove()
    const outcomes = await Promise.all([1, 2, 3].map(() => outcome({ proof })))
    expect(outcomes.sort()).toEqual(['ok', 'token-invalid proof', 'token-invalid proof'])
    expect(await outcome({ proof })).toBe('token-invalid proof')
  })

  test('a proof whose use cannot be remembered is not taken', async () => {
    const full = rigOf({ replays: { once: () => Promise.reject(new Error('full')) } })
    expect(await outcome({ proof: await prove() }, full)).toBe('overloaded')
    const without = new Rig([tokenIssuer(issuer)])
    expect(await outcome({ proof: await prove() }, without)).toBe('overloaded')
    await Promise.all([full.authenticator.close(), without.authenticator.close()])
  })

  test('its proofs count for its client, whatever keys that has, so that it cannot fill the memory of them for others', async () => {
    const owners: (string | undefined)[] = []
    const once = (_mark: string, _milliseconds: number, owner?: string): boolean => owners.push(owner) > 0
    const counted = rigOf({ replays: { once } })
    const another = await ProofMaker.make()
    const asks = async (maker: ProofMaker, client: string): Promise<void> => {
      const token = await issuer.mint({ ...claimsOf(issuer), client_id: client, cnf: { jkt: maker.thumbprint } })
      const proof = await maker.prove(LINE, token, rig.clock.seconds)
      expect(await outcome({ authorization: `DPoP ${token}`, proof }, counted)).toBe('ok')
    }
    await asks(client, 'one')
    await asks(another, 'one')
    await asks(another, 'two')
    expect(owners[0]).toMatch(/^[\w-]{43}$/)
    expect([owners[1] === owners[0], owners[2] === owners[0]]).toEqual([true, false])
    await counted.authenticator.close()
  })

  test('by introspection too', async () => {
    issuer.say = () => ({
      active: true,
      token_type: 'DPoP',
      exp: START + 600,
      cnf: { jkt: client.thumbprint },
    })
    const proof = await prove({}, LINE, 'opaque')
    expect(await outcome({ authorization: 'DPoP opaque', proof })).toBe('ok')
    expect(await outcome({ authorization: 'DPoP opaque', proof })).toBe('token-invalid proof')
    expect(await outcome({ authorization: 'Bearer opaque' })).toBe('token-invalid')
  })

  test('is refused where the route passes tokens on', async () => {
    const route = { ...ROUTE, authorization: 'passthrough' as const }
    expect(await outcome({ proof: await prove(), route })).toBe('token-invalid')
    expect(await outcome({ authorization: `Bearer ${plain}`, route })).toBe('ok')
  })

  test('is told who it would be without a proof, to explain only', async () => {
    const target = { path: PATH, parameters: [] }
    const headers = { get: (name: string) => (name === 'authorization' ? `Bearer ${bound}` : undefined) }
    const found = await rig.authenticator.identify({ method: 'GET', target, headers }, ROUTE)
    expect(found).toMatchObject({ subject: 'user-1', confirmation: { proofKey: client.thumbprint } })
  })
})

describe('a plain token', () => {
  test('is refused by the scheme of bound ones, and with a proof', async () => {
    expect(await outcome({ authorization: `DPoP ${plain}` })).toBe('token-invalid')
    const proof = await prove({}, LINE, plain)
    expect(await outcome({ authorization: `DPoP ${plain}`, proof })).toBe('token-invalid')
    expect(await outcome({ authorization: `Bearer ${plain}`, proof })).toBe('token-invalid')
    expect(await outcome({ authorization: `Bearer ${plain}`, proof: 'rubbish' })).toBe('token-invalid')
    expect(await outcome({ authorization: `Bearer ${plain}`, proof: '' })).toBe('ok')
  })
})

describe('a proof that does not fit', () => {
  test.each<[string, ProofParts]>([
    ['another method', { claims: { htm: 'POST' } }],
    ['the method in lower case', { claims: { htm: 'get' } }],
    ['no method', { claims: { htm: undefined } }],
    ['no URL', { claims: { htu: undefined } }],
    ['no token hash', { claims: { ath: undefined } }],
    ['the hash of another token', { claims: { ath: createHash('sha256').update('x').digest('base64url') } }],
    ['no id', { claims: { jti: undefined } }],
    ['an empty id', { claims: { jti: '' } }],
    ['a long id', { claims: { jti: 'j'.repeat(257) } }],
    ['an id that is no text', { claims: { jti: 7 } }],
    ['no time', { claims: { iat: undefined } }],
    ['a time that is no number', { claims: { iat: String(START) } }],
    ['a minute old and more', { claims: { iat: START - 61 } }],
    ['a minute ahead and more', { claims: { iat: START + 61 } }],
    ['another type', { header: { typ: 'JWT' } }],
    ['no type', { header: { typ: undefined } }],
    ['the type of an access token', { header: { typ: 'at+jwt' } }],
    ['no key', { header: { jwk: undefined } }],
    ['a key that is a text', { header: { jwk: 'x' } }],
  ])('%s', async (_, parts) => expect(await proven(parts)).toBe('token-invalid proof'))

  test('another key than that of the token, shown or only used', async () => {
    const other = await ProofMaker.make()
    expect(await outcome({ proof: await other.prove(LINE, bound, START) })).toBe('token-invalid proof')
    expect(await proven({ signedBy: stranger })).toBe('token-invalid proof')
  })

  test('a private or a symmetric key in its header', async () => {
    for (const member of ['d', 'p', 'k', 'priv']) {
      expect(await proven({ header: { jwk: { ...client.publicKey, [member]: 'AAAA' } } })).toBe('token-invalid proof')
    }
  })

  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  test.each([
    ['no signature', 'none'],
    ['a symmetric one', 'HS256'],
    ['another curve', 'ES384'],
    ['a name of every object', 'constructor'],
  ])('algorithm: %s', async (_, alg) => {
    const [, claims, signature] = (await prove()).split('.')
    const header = encode({ typ: 'dpop+jwt', alg, jwk: client.publicKey })
    expect(await outcome({ proof: `${header}.${claims}.${alg === 'none' ? '' : signature}` })).toBe(
      'token-invalid proof',
    )
  })

  test('texts that are no proof', async () => {
    const good = await prove()
    const [header, claims] = good.split('.')
    for (const proof of [
      'x',
      'a.b.c',
      `${good}=`,
      `${good}.x.y`,
      `${header}.${claims}.`,
      'a'.repeat(5_000),
      `${good},${good}`,
    ]) {
      expect(await outcome({ proof })).toBe('token-invalid proof')
    }
    expect(await outcome({ proof: good })).toBe('ok')
  })

  test('header extensions', async () => {
    const header = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.publicKey, crit: ['x'], x: 1 })
    const [, claims, signature] = (await prove()).split('.')
    expect(await outcome({ proof: `${header}.${claims}.${signature}` })).toBe('token-invalid proof')
  })

  test('no refusal repeats anything of the proof', async () => {
    const refusal = await send({ proof: await prove({ claims: { htu: 'https://zebra-7781.example.org/' } }) })
    expect(isRefusal(refusal) && refusal.detail.includes('zebra')).toBe(false)
  })
})

describe('the URL of a proof', () => {
  const urlIs = (htu: string, url?: string): Promise<string> =>
    prove({ claims: { htu } }).then((proof) => outcome({ proof, ...(url === undefined ? {} : { url }) }))

  test.each([
    `${PUBLIC_URL}${PATH}`,
    `HTTPS://API.EXAMPLE.ORG${PATH}`,
    `https://api.example.org:443${PATH}`,
    `${PUBLIC_URL}${PATH}?name=x`,
    `${PUBLIC_URL}${PATH}#x`,
    `${PUBLIC_URL}/fhir/%52%34/Patient`,
  ])('%s is the same', async (htu) => expect(await urlIs(htu)).toBe('ok'))

  test('has no query, whatever the request has', async () => {
    expect(await urlIs(`${PUBLIC_URL}${PATH}`, `${PATH}?name=x`)).toBe('ok')
  })

  test.each([
    'https://other.example.org/fhir/R4/Patient',
    `http://api.example.org${PATH}`,
    `https://api.example.org:8443${PATH}`,
    `${PUBLIC_URL}${PATH}/`,
    `${PUBLIC_URL}${PATH}/1`,
    `${PUBLIC_URL}/fhir/R4/patient`,
    `${PUBLIC_URL}/fhir/R4`,
    `${PUBLIC_URL}/`,
    PUBLIC_URL,
    `${PUBLIC_URL}/x/../fhir/R4/Patient`,
    `${PUBLIC_URL}//fhir/R4/Patient`,
    `${PUBLIC_URL}\\fhir\\R4\\Patient`,
    `https://user@api.example.org${PATH}`,
    `https:${PATH}`,
    PATH,
    `${PUBLIC_URL}${PATH}\n`,
    ` ${PUBLIC_URL}${PATH}`,
    `https://api.example.org@other.example.org${PATH}`,
  ])('%j is another', async (htu) => expect(await urlIs(htu)).toBe('token-invalid proof'))

  test('begins as clients call the gateway, with the prefix that a server in front cuts off', async () => {
    const behind = rigOf({ publicUrl: 'https://api.example.org/gw' })
    const at = async (htu: string) => outcome({ proof: await prove({ claims: { htu } }) }, behind)
    expect(await at(`https://api.example.org/gw${PATH}`)).toBe('ok')
    expect(await at(`https://api.example.org${PATH}`)).toBe('token-invalid proof')
    await behind.authenticator.close()
  })
})

describe('a token that is bound to a client certificate', () => {
  const DER = Buffer.from('the certificate of this client')
  const x5t = createHash('sha256').update(DER).digest('base64url')
  const socketWith = (raw: Buffer | undefined, authorized: boolean, seconds = 600): TLSSocket => {
    const validToDate = new Date(rig.clock.now() + seconds * 1000)
    return Object.create(TLSSocket.prototype, {
      authorized: { value: authorized },
      getPeerX509Certificate: { value: () => raw && { raw, validToDate } },
    })
  }

  test('counts on a connection with that certificate, verified in the handshake, and on no other', async () => {
    const authorization = `Bearer ${await mintBound({ 'x5t#S256': x5t })}`
    const on = (socket?: Socket) => outcome({ authorization, ...(socket && { socket }) })
    const good = socketWith(DER, true)
    expect([await on(good), await on(good)]).toEqual(['ok', 'ok'])
    expect(await on(socketWith(DER, false))).toBe('token-invalid')
    expect(await on(socketWith(DER, true, 0))).toBe('token-invalid')
    expect(await on(socketWith(Buffer.from('another'), true))).toBe('token-invalid')
    expect(await on(socketWith(undefined, true))).toBe('token-invalid')
    expect(await on()).toBe('token-invalid')
    expect(await on({ authorized: true, getPeerX509Certificate: () => ({ raw: DER }) } as never)).toBe('token-invalid')
  })

  test('and to a key, counts with both only', async () => {
    const token = await mintBound({ 'x5t#S256': x5t, jkt: client.thumbprint })
    const proof = await prove({}, LINE, token)
    expect(await outcome({ authorization: `DPoP ${token}`, proof })).toBe('token-invalid')
    expect(await outcome({ authorization: `Bearer ${token}`, socket: socketWith(DER, true) })).toBe('token-invalid')
    expect(await outcome({ authorization: `DPoP ${token}`, proof, socket: socketWith(DER, true) })).toBe('ok')
  })
})

describe('a binding that cannot be checked', () => {
  test.each<[unknown]>([
    [{}],
    [null],
    ['x'],
    [[]],
    [{ kid: 'k' }],
    [{ jwk: {} }],
    [{ jku: 'https://x.example.org' }],
    [{ jkt: 'short' }],
    [{ jkt: 7 }],
    [{ jkt: `${'A'.repeat(42)}B` }],
    [{ 'x5t#S256': '' }],
    [{ jkt: 'A'.repeat(43), kid: 'k' }],
    [{ constructor: 'A'.repeat(43) }],
  ])('%j', async (cnf) => {
    const token = await mintBound(cnf as object)
    expect(await outcome({ authorization: `Bearer ${token}` })).toBe('token-invalid')
    expect(await outcome({ authorization: `DPoP ${token}`, proof: await prove({}, LINE, token) })).toBe('token-invalid')
  })
})
