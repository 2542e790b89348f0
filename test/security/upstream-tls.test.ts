// TLS towards upstreams and issuers is verified, whatever the environment says: a proxy that did not was an open door to whoever sat
// between (CVE-2026-107318). The certificate here is good but for its issuer: itself.

import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg64ucVHKrExNCXAX1
w2Fg5ZbLCefjZr2I2nIqSe6Cq8ahRANCAASnWzRNEYZqXg3Z9cJyHqYzVXJ9lBGW
kSwvKQJXelo5tUqz5MfCNOQ/z200QK7plFNYNYovYd7/UXaEYfc4QRmv
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUCwk2gOT8dVXsoobP93fGdsCBeDgwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjA5MzI1NVoYDzIxMjYxMDI5
MDkzMjU1WjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASnWzRNEYZqXg3Z9cJyHqYzVXJ9lBGWkSwvKQJXelo5tUqz5MfCNOQ/
z200QK7plFNYNYovYd7/UXaEYfc4QRmvo2QwYjAdBgNVHQ4EFgQUqJCgkgeTQaHz
MtUyhuf7a3mTaCgwHwYDVR0jBBgwFoAUqJCgkgeTQaHzMtUyhuf7a3mTaCgwDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IC6xq4zVQqAH+ySjWwCVsdEEb2z3qplx2miqMk1E+/fbAiEAiUfApOXFbXgSdnxX
82YhH9pEJ9UojK7DmJSfmMFJKKM=
-----END CERTIFICATE-----`

let server: Server
let url: string
const asked: string[] = []
let jwks: unknown
beforeAll(async () => {
  server = createServer({ key, cert }, (request, response) => {
    asked.push(request.url!)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: jwks }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => server.close())

let rig: Rig
afterEach(async () => {
  vi.unstubAllEnvs()
  await rig.close()
})

/** Unverified, it would be let through: the way is open but for the certificate. */
const UNVERIFIED = ['', '0']

test.each(UNVERIFIED)('an upstream, NODE_TLS_REJECT_UNAUTHORIZED=%s', async (unverified) => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', unverified)
  asked.length = 0
  rig = await startRig({ map: fhirMap({ store: `${url}/base` }) })
  const answer = await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.r' })
  expect(verdictOf(answer)).toMatch(/^502 upstream-/)
  expect(verdictOf(await rig.ask('GET /fhir/R4/metadata'))).toBe('502 upstream-unreachable')
  expect(asked).toEqual([])
})

test.each(UNVERIFIED)("an issuer's keys, NODE_TLS_REJECT_UNAUTHORIZED=%s", async (unverified) => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', unverified)
  asked.length = 0
  const map = fhirMap()
  rig = await startRig({ map: (at) => map(at).replace(/jwks: "[^"]*"/, `jwks: "${url}/jwks"`) })
  jwks = rig.issuer.published
  const answer = await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.r' })
  expect(verdictOf(answer)).toBe('503 issuer-unavailable')
  expect(asked).toEqual([])
})
