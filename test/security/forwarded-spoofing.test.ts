// What proxies in front are said to have seen (CVE-2026-40575, -76835, Traefik's and Envoy's kin): no client is believed, a trusted
// proxy only about addresses, and no decision, link or challenge is ever made of any of it.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { fhirMap, PUBLIC_URL, type Rig, startRig } from '../support/rig.ts'

const CLAIMS = {
  forwarded: 'for=203.0.113.9;host=evil.example;proto=http',
  'x-forwarded-for': '203.0.113.9',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-proto': 'http',
  'x-forwarded-port': '1',
  'x-forwarded-prefix': '/evil',
  'x-forwarded-server': 'evil.example',
  'x-forwarded-uri': '/fhir/R4/metadata',
  'x-forwarded-method': 'OPTIONS',
  'x-forwarded-client-cert': 'Hash=1;Subject="CN=admin"',
  'x-original-url': '/fhir/R4/metadata',
  'x-rewrite-url': '/fhir/R4/metadata',
  'x-real-ip': '203.0.113.9',
  'x-client-ip': '203.0.113.9',
  'true-client-ip': '203.0.113.9',
  'cf-connecting-ip': '203.0.113.9',
  'x-ssl-client-cert': 'CN=admin',
}

let untrusting: Rig
let trusting: Rig
beforeAll(async () => {
  untrusting = await startRig()
  trusting = await startRig({ map: fhirMap({ server: 'trustedProxies: [127.0.0.0/8, "10.0.0.0/8"]' }) })
})
afterAll(() => Promise.all([untrusting.close(), trusting.close()]))
afterEach(() => {
  untrusting.upstream.reset()
  trusting.upstream.reset()
})

describe.each([
  ['nobody is trusted', () => untrusting, '127.0.0.1'],
  ['this machine is trusted', () => trusting, '203.0.113.9'],
] as const)('where %s', (_, rigOf, address) => {
  test("the upstream is told the gateway's own words, each once", async () => {
    const rig = rigOf()
    expect((await rig.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.r', headers: CLAIMS })).status).toBe(200)
    const { headers, rawHeaders } = rig.upstream.arrived[0]!
    const told = Object.keys(headers).filter((name) => name in CLAIMS)
    expect(told.sort()).toEqual(['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])
    expect(headers).toMatchObject({
      'x-forwarded-for': address,
      'x-forwarded-host': 'api.example.org',
      'x-forwarded-proto': 'https',
    })
    expect(rawHeaders.filter((field) => field.toLowerCase() === 'x-forwarded-for')).toHaveLength(1)
  })

  test('no way round the credential leads over another path, method or certificate', async () => {
    const rig = rigOf()
    const answer = await rig.ask('GET /fhir/R4/Patient/p1', { headers: CLAIMS })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain(PUBLIC_URL)
    expect(JSON.stringify(answer.headers) + answer.text).not.toContain('evil.example')
    expect(rig.upstream.arrived).toEqual([])
  })

  test('documents and links name the public URL', async () => {
    const rig = rigOf()
    const { text } = await rig.ask('GET /fhir/R4/.well-known/smart-configuration', { headers: CLAIMS })
    expect(text).not.toContain('evil.example')
    const metadata = await rig.ask('GET /fhir/R4/metadata', { headers: CLAIMS })
    expect(metadata.text).toContain(`${PUBLIC_URL}/fhir/R4`)
    expect(metadata.text).not.toContain('evil.example')
  })
})

test('of several addresses the one counts that the last trusted proxy saw', async () => {
  const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9, 10.1.2.3' }
  await trusting.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.r', headers })
  expect(trusting.upstream.arrived[0]!.headers['x-forwarded-for']).toBe('203.0.113.9')
})

test.each([
  ['two different stories', { forwarded: 'for=203.0.113.9', 'x-forwarded-for': '203.0.113.8' }],
  ['no address', { 'x-forwarded-for': 'unknown' }],
  ['a broken one', { forwarded: 'for="203.0.113.9' }],
])('%s: the address of the connection', async (_, headers) => {
  await trusting.ask('GET /fhir/R4/Patient/p1', { scope: 'system/*.r', headers })
  expect(trusting.upstream.arrived[0]!.headers['x-forwarded-for']).toBe('127.0.0.1')
})
