// API keys and service keys on the wire: which of them opens what, that they stay at the gateway, and that the key file counts as
// it changes, while requests are served.

import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { changeKeyFile } from '../../src/credentials/api-keys/key-file-write.ts'
import {
  type Directory,
  keyFileOf,
  type TestKey,
  temporaryDirectory,
  testKey,
} from '../credentials/api-keys/support.ts'
import { verdictOf } from '../support/http-client.ts'
import { fhirMap, type Rig, type RigAsk, startRig } from '../support/rig.ts'

const NOW = Math.floor(Date.now() / 1000)
const TIMES = { created: NOW - 60, expires: NOW + 3600 }
const key = (kind: 'api-key' | 'service-key', ...scopes: string[]): TestKey => testKey(kind, { ...TIMES, scopes })

const READ = key('api-key', 'data.read', 'horizon.query', 'identity.merge', 'system/*.read', 'patient/*.read')
const MERGE = key('service-key', 'identity.merge', 'data.read', 'system/*.cruds')
const REVOKED = testKey('api-key', { ...TIMES, scopes: ['data.read'], revoked: NOW - 5 })
const EXPIRED = testKey('api-key', { created: NOW - 60, expires: NOW - 5, scopes: ['data.read'] })
const KEYS = [READ, MERGE, REVOKED, EXPIRED]

let directory: Directory
let file: string
let rig: Rig

const MORE = (file: string): string => `
  - name: products
    upstream: store
    identityHeaders: { client: X-Auth-Client, subject: X-Auth-Subject, scope: X-Auth-Scope }
    match:
      POST /horizon/query: horizon.query
      POST /identity/merge: identity.merge
      GET /data: data.read
      GET /open: public
apiKeys: { header: X-Client-Key, file: ${JSON.stringify(file)} }
scopes:
  Products:
    data.read: { description: Read., credentials: [api-key, oauth2] }
    horizon.query: { description: Ask., credentials: [oauth2] }
    identity.merge: { description: Join., credentials: [service-key, oauth2] }
`

beforeAll(async () => {
  directory = temporaryDirectory()
  file = directory.write('keys.yaml', keyFileOf(KEYS.map((one) => one.key)))
  const map = fhirMap({ route: 'grants: { data.read: "system/Observation.rs" }', more: MORE(file) })
  rig = await startRig({ map })
})
afterAll(async () => {
  await rig.close()
  directory.remove()
})
beforeEach(() => rig.upstream.reset())

const carrying = ({ secret }: TestKey): RigAsk => ({ headers: { 'X-Client-Key': secret } })
const verdict = async (line: string, ask: RigAsk): Promise<string> => verdictOf(await rig.ask(line, ask))

describe('a scope counts only when the kind of the credential may carry it', () => {
  test.each<[line: string, who: string, ask: () => RigAsk, expected: string]>([
    ['GET /data', 'an API key', () => carrying(READ), '200'],
    ['GET /data', 'a service key that holds the scope', () => carrying(MERGE), '403 credential-kind'],
    ['GET /data', 'a token', () => ({ scope: 'data.read' }), '200'],
    ['POST /horizon/query', 'an API key that holds the scope', () => carrying(READ), '403 credential-kind'],
    ['POST /horizon/query', 'a service key', () => carrying(MERGE), '403 credential-kind'],
    ['POST /horizon/query', 'a token', () => ({ scope: 'horizon.query' }), '200'],
    ['POST /identity/merge', 'an API key that holds the scope', () => carrying(READ), '403 credential-kind'],
    ['POST /identity/merge', 'a service key', () => carrying(MERGE), '200'],
    ['POST /identity/merge', 'a token', () => ({ scope: 'identity.merge' }), '200'],
    ['GET /fhir/R4/Observation/o1', 'an API key by its product scope', () => carrying(READ), '200'],
    ['GET /fhir/R4/Condition/c1', 'an API key with system/*.read', () => carrying(READ), '403 credential-kind'],
    ['GET /fhir/R4/Condition/c1', 'a service key with system/*.cruds', () => carrying(MERGE), '403 credential-kind'],
    [
      'DELETE /fhir/R4/Observation/o1',
      'a service key with system/*.cruds',
      () => carrying(MERGE),
      '403 credential-kind',
    ],
    ['GET /fhir/R4/Condition/c1', 'a token with system/*.read', () => ({ scope: 'system/*.read' }), '200'],
  ])('%s by %s', async (line, _, ask, expected) => {
    expect(await verdict(line, ask())).toBe(expected)
    expect(rig.upstream.arrived).toHaveLength(expected === '200' ? 1 : 0)
  })
})

describe('a key that does not count', () => {
  test.each<[name: string, ask: RigAsk, expected: string]>([
    ['unknown', { headers: { 'X-Client-Key': `sgk_${'A'.repeat(43)}` } }, '401 token-invalid'],
    ['of the other prefix', { headers: { 'X-Client-Key': `sgs_${READ.secret.slice(4)}` } }, '401 token-invalid'],
    ['cut', { headers: { 'X-Client-Key': READ.secret.slice(0, -1) } }, '401 token-invalid'],
    ['its own hash', { headers: { 'X-Client-Key': `sgk_${READ.key.sha256}` } }, '401 token-invalid'],
    ['revoked', carrying(REVOKED), '401 token-revoked'],
    ['expired', carrying(EXPIRED), '401 token-expired'],
    ['as a token', { token: READ.secret }, '401 token-invalid'],
    ['beside a token', { ...carrying(READ), scope: 'data.read' }, '400 credential-ambiguous'],
    ['in the URL too', { headers: { 'X-Client-Key': READ.secret } }, '400 credential-ambiguous'],
    ['under the default name', { headers: { 'X-API-Key': READ.secret } }, '401 token-missing'],
  ])('%s', async (name, ask, expected) => {
    const line = name === 'in the URL too' ? `GET /data?k=${READ.secret}` : 'GET /data'
    const answer = await rig.ask(line, ask)
    expect(verdictOf(answer)).toBe(expected)
    const error = { 401: 'error="invalid_token"', 400: 'error="invalid_request"' }[answer.status]
    const challenge = answer.headers['www-authenticate']
    if (expected.endsWith('missing')) expect(challenge).not.toContain('error=')
    else expect(challenge).toMatch(new RegExp(`^Bearer realm="[^"]+", ${error}`))
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.text).not.toContain(READ.secret.slice(4))
    expect(rig.upstream.arrived).toEqual([])
  })

  test('is refused on a FHIR route in FHIR', async () => {
    const answer = await rig.ask('GET /fhir/R4/Observation/o1', carrying(REVOKED))
    expect(answer.json).toMatchObject({ resourceType: 'OperationOutcome' })
    expect(verdictOf(answer)).toBe('401 token-revoked')
  })
})

describe('the key stays at the gateway', () => {
  test('and the upstream learns whose it is', async () => {
    await rig.ask('GET /data', { headers: { 'x-CLIENT-key': READ.secret } })
    const [arrived] = rig.upstream.arrived
    expect(arrived!.headers).toMatchObject({ 'x-auth-client': 'Acme', 'x-auth-scope': 'data.read' })
    expect(arrived!.headers).not.toHaveProperty('x-auth-subject')
    expect(arrived!.rawHeaders.join('\n')).not.toContain(READ.secret)
    expect(Object.keys(arrived!.headers)).not.toContain('x-client-key')
  })

  test('on a public route too', async () => {
    expect(await verdict('GET /open', carrying(READ))).toBe('200')
    expect(rig.upstream.arrived[0]!.rawHeaders.join('\n')).not.toContain(READ.secret)
  })

  test.each(['X_Client_Key', 'x.client.key', 'X-Client_Key'])('the spelling %s is refused', async (name) => {
    for (const line of ['GET /data', 'GET /open']) {
      expect(await verdict(line, { headers: { [name]: READ.secret } })).toBe('400 header-ambiguous')
      expect(await verdict(line, { headers: { [name]: 'x', 'X-Client-Key': READ.secret } })).toBe(
        '400 header-ambiguous',
      )
    }
    expect(rig.upstream.arrived).toEqual([])
  })

  test('two of them are refused', async () => {
    const twice = (...keys: string[]): RigAsk => ({ headers: keys.flatMap((one) => ['X-Client-Key', one]) })
    expect(await verdict('GET /data', twice(READ.secret, READ.secret))).toBe('400 credential-ambiguous')
    expect(await verdict('GET /data', twice(READ.secret, MERGE.secret))).toBe('400 credential-ambiguous')
    expect(await verdict('GET /data', twice('', READ.secret))).toBe('400 credential-ambiguous')
    expect(await verdict('GET /data', twice(`${READ.secret},${MERGE.secret}`))).toBe('400 credential-ambiguous')
  })

  test('and neither log nor metrics nor the admin port name it', async () => {
    const { text } = await rig.askAdmin('GET /keys')
    const metrics = (await rig.askAdmin('GET /metrics')).text
    for (const { secret, key } of KEYS) {
      for (const said of [rig.log(), text, metrics]) {
        expect(said).not.toContain(secret.slice(4))
        expect(said).not.toContain(key.sha256)
      }
    }
  })
})

test('the admin port tells whose keys are used, and when', async () => {
  await rig.ask('GET /data', carrying(READ))
  const { json } = await rig.askAdmin('GET /keys')
  const [read, merge, revoked, expired] = json.keys
  expect(read).toEqual({
    id: READ.key.id,
    kind: 'api-key',
    owner: 'Acme',
    status: 'active',
    scopes: READ.key.scopes,
    expires: new Date(TIMES.expires * 1000).toISOString(),
    lastUsed: new Date(rig.clock.now).toISOString(),
  })
  expect([merge.status, revoked.status, expired.status]).toEqual(['active', 'revoked', 'expired'])
  expect(revoked).not.toHaveProperty('lastUsed')
  expect(verdictOf(await rig.askAdmin('POST /keys'))).toContain('405')
})

describe('while requests are served', () => {
  const during = key('api-key', 'data.read')
  const eventually = (ask: RigAsk) => expect.poll(() => verdict('GET /data', ask), { interval: 50, timeout: 5_000 })

  test('a key that is made counts, is replaced, and when it is revoked ends, on the same connection', async () => {
    expect(await verdict('GET /data', carrying(during))).toBe('401 token-invalid')
    await changeKeyFile(file, () => ({ add: during.key }))
    await eventually(carrying(during)).toBe('200')
    // The decision on this FHIR route is remembered; the credential is judged all the same.
    expect(await verdict('GET /fhir/R4/Observation/o1', carrying(during))).toBe('200')

    await changeKeyFile(file, () => ({ end: { id: during.key.id, revoked: NOW } }))
    await eventually(carrying(during)).toBe('401 token-revoked')
    expect(await verdict('GET /fhir/R4/Observation/o1', carrying(during))).toBe('401 token-revoked')
    expect(await verdict('GET /data', carrying(READ))).toBe('200')
  })

  test('a broken file changes nothing and is said without what it holds', async () => {
    writeFileSync(file, `version: 1\nkeys:\n  - { id: ${READ.secret} }\n`)
    await expect
      .poll(async () => (await rig.askAdmin('GET /keys')).json.problems.length, { timeout: 5_000 })
      .not.toBe(0)
    expect(await verdict('GET /data', carrying(READ))).toBe('200')
    expect(rig.log()).toContain('the key file is broken')
    expect(rig.log() + (await rig.askAdmin('GET /keys')).text).not.toContain(READ.secret.slice(4))
    writeFileSync(file, keyFileOf([MERGE.key]))
    await eventually(carrying(READ)).toBe('401 token-invalid')
    writeFileSync(file, keyFileOf(KEYS.map((one) => one.key)))
    await eventually(carrying(READ)).toBe('200')
  })

  test('a key ends at its end, remembered decision or not', async () => {
    expect(await verdict('GET /fhir/R4/Observation/o1', carrying(READ))).toBe('200')
    const { now } = rig.clock
    rig.clock.now = TIMES.expires * 1000
    expect(await verdict('GET /fhir/R4/Observation/o1', carrying(READ))).toBe('401 token-expired')
    rig.clock.now = now
  })
})
