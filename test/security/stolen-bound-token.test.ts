// A bound token in other hands: sent as if it were plain, with no proof, a replayed or borrowed one, or without the certificate. Nothing
// of that reaches the upstream, and neither does a proof, which belongs to this gateway.

import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { loadRouteMap } from '../../src/config/load.ts'
import { createLog } from '../../src/observability/logger.ts'
import { start } from '../../src/server/start.ts'
import { ProofMaker } from '../credentials/support/proof.ts'
import { makeAuthority } from '../support/certificates.ts'
import { verdictOf } from '../support/http-client.ts'
import { BASE, fhirMap, PUBLIC_URL, type Rig, startRig } from '../support/rig.ts'
import { askTls } from '../support/tls-port.ts'

const PATH = '/fhir/R4/Patient/p1'
const READ = `GET ${PATH}`
const PLAIN = 'GET /app/things'
const MORE = `
  - { name: app, upstream: store, match: { GET /app/things: app.read, POST /app/things: app.read } }
  - { name: onward, upstream: store, match: GET /onward, requires: app.read, authorization: passthrough }
scopes: { Products: { app.read: { credentials: [oauth2] } } }
`

let rig: Rig
let client: ProofMaker
let token: string
beforeAll(async () => {
  rig = await startRig({ map: fhirMap({ more: MORE }) })
  client = await ProofMaker.make()
  token = await rig.token('system/*.rs app.read', { cnf: { jkt: client.thumbprint } })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const proofFor = (line: string, changes = {}): Promise<string> => {
  const [method, path] = line.split(' ')
  return client.prove(`${method} ${PUBLIC_URL}${path}`, token, Math.floor(rig.clock.now / 1000), changes)
}
const ask = (line: string, headers: Record<string, string>) => rig.ask(line, { headers })
const verdict = async (line: string, headers: Record<string, string>): Promise<string> =>
  verdictOf(await ask(line, headers))

test('the client itself is let in, every time with a new proof, and the proof stays here', async () => {
  for (const line of [READ, READ, PLAIN]) {
    const answer = await ask(line, { authorization: `DPoP ${token}`, dpop: await proofFor(line) })
    expect(answer.status).toBe(200)
  }
  expect(rig.upstream.arrived).toHaveLength(3)
  for (const { headers } of rig.upstream.arrived) {
    expect(headers).not.toHaveProperty('dpop')
    expect(headers).not.toHaveProperty('authorization')
  }
})

test('nobody else is', async () => {
  const thief = await ProofMaker.make()
  const used = await proofFor(READ)
  expect(await verdict(READ, { authorization: `DPoP ${token}`, dpop: used })).toMatch(/^200/)
  rig.upstream.reset()
  const seconds = Math.floor(rig.clock.now / 1000)
  const attempts: Record<string, string>[] = [
    { authorization: `Bearer ${token}` },
    { authorization: `bearer ${token}` },
    { authorization: `DPoP ${token}` },
    { authorization: `DPoP ${token}`, dpop: used },
    { authorization: `Bearer ${token}`, dpop: await proofFor(READ) },
    { authorization: `DPoP ${token}`, dpop: await proofFor('GET /fhir/R4/Patient/p2') },
    { authorization: `DPoP ${token}`, dpop: await proofFor(`DELETE ${PATH}`) },
    { authorization: `DPoP ${token}`, dpop: await proofFor(READ, { claims: { iat: seconds - 120 } }) },
    { authorization: `DPoP ${token}`, dpop: await thief.prove(`GET ${PUBLIC_URL}${PATH}`, token, seconds) },
    { authorization: `DPoP ${token}`, dpop: await proofFor(READ, { signedBy: thief.key }) },
  ]
  for (const headers of attempts) expect(await verdict(READ, headers)).toBe('401 token-invalid')
  const twice = ['authorization', `DPoP ${token}`, 'dpop', await proofFor(READ), 'DPoP', await proofFor(READ)]
  expect(verdictOf(await rig.ask(READ, { headers: twice }))).toBe('400 header-ambiguous')
  expect(rig.upstream.arrived).toEqual([])
})

test('a proof of one request opens no method override and no other route', async () => {
  const dpop = await proofFor(PLAIN)
  const headers = { authorization: `DPoP ${token}`, dpop, 'x-http-method-override': 'GET' }
  expect(await verdict('POST /app/things', headers)).toBe('401 token-invalid')
  expect(await verdict('GET /onward', { authorization: `DPoP ${token}`, dpop: await proofFor('GET /onward') })).toBe(
    '401 token-invalid',
  )
  expect(rig.upstream.arrived).toEqual([])
})

test('the challenge says how it is done, and what was wrong', async () => {
  const challenge = async (headers: Record<string, string>): Promise<string> =>
    (await ask(READ, headers)).headers['www-authenticate'] ?? ''
  expect(await challenge({})).toMatch(/^Bearer realm="[^"]+", resource_metadata="[^"]+"$/)
  expect(await challenge({ authorization: `Bearer ${token}` })).toMatch(/, DPoP algs="[^"]+", error="invalid_token"$/)
  expect(await challenge({ authorization: `DPoP ${token}`, dpop: 'x' })).toMatch(/, error="invalid_dpop_proof"$/)
  const metadata = await rig.ask('GET /.well-known/oauth-protected-resource/fhir/R4')
  expect(metadata.json.dpop_signing_alg_values_supported).toContain('ES256')
})

test('explain tells what the token would open, and wears out no proof', async () => {
  const dpop = await proofFor(READ)
  const body = { method: 'GET', target: PATH, token, headers: { DPoP: dpop } }
  const headers = { 'content-type': 'application/json' }
  const answer = await rig.askAdmin('POST /explain', { headers, body })
  expect(answer.json).toMatchObject({ permitted: true, bound: expect.stringContaining('DPoP proof') })
  expect(await verdict(READ, { authorization: `DPoP ${token}`, dpop })).toMatch(/^200/)
})

test('a token that is bound to a certificate counts on connections with that certificate only', async () => {
  const [servers, clients] = [makeAuthority(), makeAuthority('clients')]
  const [mine, another] = [clients.issue('mine'), clients.issue('another')]
  const folder = mkdtempSync(join(tmpdir(), 'scopegate-mtls-'))
  const { cert, key } = servers.issue('server')
  for (const [name, text] of Object.entries({ cert, key, ca: clients.cert })) writeFileSync(join(folder, name), text)
  const map = fhirMap({ server: 'tls: { cert: cert, key: key, clientCa: ca, clientCertificates: optional }' })
  const at = { issuer: rig.issuer.url, jwks: rig.issuer.jwksUrl, upstream: rig.upstream.url }
  const loaded = loadRouteMap(map(at), { file: join(folder, 'routes.yaml'), env: {} })
  if ('problems' in loaded) throw new Error(loaded.problems.map(({ message }) => message).join('\n'))
  const running = await start({
    settings: loaded.settings,
    log: createLog({ level: 'error', destination: { write() {} } }),
  })
  try {
    const x5t = createHash('sha256').update(new X509Certificate(mine.cert).raw).digest('base64url')
    const seconds = Math.floor(Date.now() / 1000)
    const bound = await rig.issuer.mint({
      iss: rig.issuer.url,
      aud: BASE,
      iat: seconds,
      exp: seconds + 60,
      scope: 'system/*.rs',
      cnf: { 'x5t#S256': x5t },
    })
    const port = Number(new URL(running.url).port)
    const through = async (certificate: object, extra = ''): Promise<string> => {
      const request = `GET ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${bound}\r\n${extra}\r\n`
      return (await askTls(port, { ca: servers.cert, ...certificate }, request)).text.slice(9, 12)
    }
    expect(await through(mine)).toBe('200')
    const claimed = `X-Forwarded-Client-Cert: Hash=${x5t}\r\nX-Client-Cert: ${x5t}\r\n`
    expect([await through(another), await through({}), await through({}, claimed)]).toEqual(['401', '401', '401'])
    expect(verdictOf(await rig.ask(READ, { token: bound }))).toBe('401 token-invalid')
  } finally {
    await running.close()
    rmSync(folder, { recursive: true })
  }
})
