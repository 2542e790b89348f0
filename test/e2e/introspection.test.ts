// The demo's own issuer, which is another reading of RFC 7662 and RFC 7009, behind a gateway that asks it about every token.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { startIssuer, type TokenIssuer } from '../../src/demo/issuer.ts'
import { verdictOf } from '../support/http-client.ts'
import { BASE, fhirMap, type Rig, startRig } from '../support/rig.ts'

const READ = 'GET /fhir/R4/Patient/p1'

let issuer: TokenIssuer
let rig: Rig
beforeAll(async () => {
  issuer = await startIssuer({ audience: [BASE] })
  const introspection = `introspection: { url: "${issuer.url}/introspect", clientId: gw, clientSecret: s, always: true, requireAudience: true }`
  const map = fhirMap()
  rig = await startRig({
    map: (at) =>
      map({ ...at, issuer: issuer.url, jwks: issuer.jwksUrl }).replace(/(jwks: "[^"]+")/, `$1, ${introspection}`),
  })
})
afterAll(async () => {
  await rig.close()
  await issuer.close()
})

const request = { scope: 'patient/*.rs', clientId: 'app', expiresIn: 600, patient: 'p1' }
const verdict = async (token: string): Promise<string> => verdictOf(await rig.ask(READ, { token }))

test('a token counts until its issuer revokes it, and no longer than an answer is remembered after that', async () => {
  const token = await issuer.mint(request)
  expect([await verdict(token), await verdict(token)]).toEqual(['200', '200'])
  const body = new URLSearchParams({ token })
  expect((await fetch(`${issuer.url}/revoke`, { method: 'POST', body })).status).toBe(200)
  expect(await verdict(token)).toBe('200')
  rig.clock.now += 30_000
  rig.upstream.reset()
  const refused = await rig.ask(READ, { token })
  expect(verdictOf(refused)).toBe('401 token-invalid')
  expect(refused.headers['www-authenticate']).toContain('error="invalid_token"')
  expect(rig.upstream.arrived).toEqual([])
})

test('look-ups are counted, and nothing of a token or an answer is logged or told', async () => {
  const token = await issuer.mint(request)
  await rig.ask(READ, { token })
  await rig.ask(READ, { token })
  const metrics = (await rig.askAdmin('GET /metrics')).text
  for (const result of ['hit', 'miss']) {
    expect(metrics).toMatch(
      new RegExp(`scopegate_cache_lookups_total\\{cache="introspection",result="${result}"\\} [1-9]`),
    )
  }
  const told = `${rig.log()}${metrics}`
  for (const secret of [token, token.split('.')[2]!, 'clientSecret', 'p1"']) expect(told).not.toContain(secret)
})

test('a token that its issuer never made is told nothing but that', async () => {
  expect(await verdict('an-opaque-token')).toBe('401 token-invalid')
})
