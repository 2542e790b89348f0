// Both kinds of credential before one authenticator: exactly one of them counts on a request.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KeyRing } from '../../src/credentials/api-keys/key-ring.ts'
import { createAuthenticator } from '../../src/credentials/authenticate.ts'
import type { Grant } from '../../src/domain/grant.ts'
import { readRequestHeaders } from '../../src/domain/http/request-headers.ts'
import { parseRequestTarget, type RequestTarget } from '../../src/domain/http/request-target.ts'
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts'
import { testKey } from './api-keys/support.ts'
import { type IssuerServer, startIssuer } from './support/issuer-server.ts'
import { claimsOf, Rig, ROUTE, START, tokenIssuer } from './support/rig.ts'

const api = testKey('api-key', { expires: START + 60 })
const service = testKey('service-key')
const ring = new KeyRing()
ring.replace([api.key, service.key])
const apiKeys = { header: 'X-API-Key', find: ring.find.bind(ring) }

let server: IssuerServer
let rig: Rig
beforeAll(async () => {
  server = await startIssuer()
  rig = new Rig([tokenIssuer(server)], { apiKeys })
})
afterAll(async () => {
  await rig.authenticator.close()
  server.close()
})

const send = (raw: readonly string[], route = ROUTE) => rig.sendRaw(raw, '/prime/v1/health', route)
const refusalOf = async (result: Grant | Refusal | Promise<Grant | Refusal>): Promise<Refusal> => {
  const settled = await result
  if (!isRefusal(settled)) throw new Error('it was accepted')
  return settled
}

test('a key is answered at once, whatever the route says of issuers and audiences', () => {
  for (const route of [ROUTE, { issuers: [], audience: [] }, { issuers: ['other'], audience: ['x'] }]) {
    expect(send(['X-API-Key', api.secret], route)).toMatchObject({ kind: 'api-key', client: 'Acme' })
    expect(send(['X-API-Key', service.secret], route)).toMatchObject({ kind: 'service-key' })
  }
})

test('a token is answered as before, an empty key header beside it or not', async () => {
  const token = await server.mint(claimsOf(server))
  expect(await send(['Authorization', `Bearer ${token}`])).toMatchObject({ kind: 'bearer' })
  expect(await send(['Authorization', `Bearer ${token}`, 'X-API-Key', ''])).toMatchObject({ kind: 'bearer' })
})

test('a good token beside a key is refused, even when it was verified before', async () => {
  const token = await server.mint(claimsOf(server))
  const bearer = ['Authorization', `Bearer ${token}`]
  expect(await send(bearer)).toMatchObject({ kind: 'bearer' })
  for (const key of [api.secret, service.secret, 'rubbish', `sgk_${'A'.repeat(43)}`]) {
    expect((await refusalOf(send([...bearer, 'X-API-Key', key]))).code).toBe('credential-ambiguous')
    expect((await refusalOf(send(['x-api-key', key, ...bearer]))).code).toBe('credential-ambiguous')
  }
})

test('no credential names both ways to bring one', async () => {
  const refusal = await refusalOf(send([]))
  expect(refusal.code).toBe('token-missing')
  expect(refusal.detail).toContain('Authorization: Bearer')
  expect(refusal.detail).toContain('X-API-Key')
})

describe('a credential in the wrong place is told where it belongs', () => {
  test('a key as a token', async () => {
    const refusal = await refusalOf(send(['Authorization', `Bearer ${api.secret}`]))
    expect([refusal.code, refusal.detail]).toEqual(['token-invalid', expect.stringContaining('x-api-key')])
  })

  test('a token as a key', async () => {
    const refusal = await refusalOf(send(['X-API-Key', await server.mint(claimsOf(server))]))
    expect([refusal.code, refusal.detail]).toEqual(['token-invalid', expect.stringContaining('Authorization: Bearer')])
  })
})

test('its end counts on every request', () => {
  const seasoned = new Rig([], { apiKeys })
  const ask = () => seasoned.sendRaw(['X-API-Key', api.secret], '/', ROUTE)
  expect(ask()).toMatchObject({ kind: 'api-key' })
  seasoned.clock.seconds = START + 60
  expect(ask()).toMatchObject({ code: 'token-expired' })
})

test('where no keys are configured, every key is unknown, and is a second credential all the same', async () => {
  const { authenticate } = createAuthenticator({
    issuers: [],
    limits: { token: 8192 },
    publicUrl: 'https://api.example.org',
    now: () => START * 1000,
  })
  const target = parseRequestTarget('/') as RequestTarget
  const ask = (raw: readonly string[]) => {
    const headers = readRequestHeaders(raw)
    return isRefusal(headers) ? headers : authenticate({ method: 'GET', target, headers }, ROUTE)
  }
  expect((await refusalOf(ask(['X-API-Key', api.secret]))).code).toBe('token-invalid')
  expect((await refusalOf(ask(['X-API-Key', api.secret, 'Authorization', 'Bearer a']))).code).toBe(
    'credential-ambiguous',
  )
  expect((await refusalOf(ask([]))).detail).not.toContain('X-API-Key')
})

test('no refusal quotes what was sent', async () => {
  for (const raw of [
    ['X-API-Key', api.secret, 'Authorization', 'Bearer a'],
    ['X-API-Key', `${api.secret}x`],
    ['X-API-Key', `sgk_${'B'.repeat(43)}`],
    ['Authorization', `Bearer ${api.secret}`],
  ]) {
    const { detail } = await refusalOf(send(raw))
    expect(detail).not.toContain(api.secret.slice(4, 20))
    expect(detail).not.toContain('BBBB')
  }
})
