// A token that was minted for something else: for another audience of the same issuer, for one whose address begins like ours, by
// another issuer that the gateway knows, or for another route. It opens nothing, and a token that was verified once is not remembered
// as good for another route.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type IssuerServer, startIssuer } from '../credentials/support/issuer-server.ts'
import { verdictOf } from '../support/http-client.ts'
import { BASE, fhirMap, PUBLIC_URL, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
let other: IssuerServer
beforeAll(async () => {
  other = await startIssuer()
  const more = `
  - { name: second, fhir: R4, path: /second, upstream: store, smart: true, issuers: [other], audience: "${PUBLIC_URL}/second" }
`
  const map = fhirMap({ route: 'issuers: [ehr]', more })
  rig = await startRig({
    map: (at) =>
      map(at)
        .replace(', jwks:', ', mayGrant: ["user/*", "patient/*"], jwks:')
        .replace(
          'upstreams:',
          `  - { name: other, issuer: "${other.url}", audience: ["${PUBLIC_URL}/second", "${BASE}"], jwks: "${other.jwksUrl}", mayGrant: ["system/*"] }\nupstreams:`,
        ),
  })
})
afterAll(async () => {
  await rig.close()
  other.close()
})
beforeEach(() => rig.upstream.reset())

const READ = 'GET /fhir/R4/Patient/p1'

describe('another audience', () => {
  test.each<[name: string, aud: unknown]>([
    ['another API of the same issuer', `${PUBLIC_URL}/reports`],
    ['one that goes on', `${BASE}.evil.example`],
    ['one that goes on below', `${BASE}/Patient`],
    ['one that stops before', PUBLIC_URL],
    ['a slash more', `${BASE}/`],
    ['other letters', BASE.toUpperCase()],
    ['http', BASE.replace('https', 'http')],
    ['a port', BASE.replace('.org', '.org:443')],
    ['a space before', ` ${BASE}`],
    ['a list without ours', [`${PUBLIC_URL}/reports`, 'x']],
    ['an empty list', []],
    ['a list in a list', [[BASE]]],
    ['an object', { [BASE]: true }],
    ['none', undefined],
    ['the client', 'app-1'],
  ])('%s', async (_, aud) => {
    const answer = await rig.ask(READ, { scope: 'user/*.rs', claims: { aud } })
    expect(verdictOf(answer)).toBe('401 token-invalid')
    expect(rig.upstream.arrived).toEqual([])
  })
})

describe('another issuer', () => {
  const claims = (more: object = {}) => {
    const now = Math.floor(rig.clock.now / 1000)
    return {
      iss: other.url,
      aud: [BASE, `${PUBLIC_URL}/second`],
      sub: 'x',
      iat: now,
      exp: now + 60,
      scope: 'system/*.cruds user/*.cruds',
      ...more,
    }
  }

  test('counts where it is named, with the scopes that it may grant, and nowhere else', async () => {
    const token = await other.mint(claims())
    expect((await rig.ask('GET /second/Patient/p1', { token })).status).toBe(200)
    for (let again = 0; again < 2; again++) expect(verdictOf(await rig.ask(READ, { token }))).toBe('401 token-invalid')
    expect(rig.upstream.arrived).toHaveLength(1)
    const userOnly = await other.mint(claims({ scope: 'user/*.cruds' }))
    expect(verdictOf(await rig.ask('GET /second/Patient/p1', { token: userOnly }))).toBe('403 scope-insufficient')
  })

  test('cannot speak for ours', async () => {
    for (const iss of [rig.issuer.url, `${rig.issuer.url}/`, `${other.url}/`, [rig.issuer.url], null]) {
      const token = await other.mint(claims({ iss }))
      expect(verdictOf(await rig.ask(READ, { token }))).toBe('401 token-invalid')
    }
  })

  test('cannot have its key looked up elsewhere', async () => {
    const { jwk } = other.key
    const headers = [
      { jku: other.jwksUrl },
      { jwk },
      { x5u: other.jwksUrl },
      { kid: other.jwksUrl },
      { kid: '../jwks' },
    ]
    for (const header of headers) {
      const token = await other.mint(claims({ iss: rig.issuer.url, aud: BASE }), { header })
      const asked = other.asked.length
      expect(verdictOf(await rig.ask(READ, { token }))).toBe('401 token-invalid')
      expect(other.asked).toHaveLength(asked)
    }
  })
})

test('a token of one route, remembered, does not open another', async () => {
  const token = await rig.token('user/*.rs')
  expect((await rig.ask(READ, { token })).status).toBe(200)
  for (let again = 0; again < 2; again++) {
    expect(verdictOf(await rig.ask('GET /second/Patient/p1', { token }))).toBe('401 token-invalid')
  }
})

test('a token that is remembered ends at its end', async () => {
  const before = rig.clock.now
  try {
    const token = await rig.token('user/*.rs')
    expect((await rig.ask(READ, { token })).status).toBe(200)
    rig.clock.now = before + 629_000
    expect((await rig.ask(READ, { token })).status).toBe(200)
    rig.clock.now = before + 631_000
    expect(verdictOf(await rig.ask(READ, { token }))).toBe('401 token-expired')
  } finally {
    rig.clock.now = before
  }
})
