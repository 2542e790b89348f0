// Three documents are open to everyone, at exactly their paths. Others skipped the check for whatever ended in `/metadata`, query
// included, and answered what stood before it.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { verdictOf } from '../support/http-client.ts'
import { exchangeRaw, refusalIn, requestText } from '../support/raw-socket.ts'
import { fhirMap, type Rig, startRig } from '../support/rig.ts'

let rig: Rig
beforeAll(async () => {
  const map = fhirMap()
  rig = await startRig({
    map: (at) => map(at).replace('smart: true', 'smart: { endpoints: { token: "https://ehr.example.org/token" } }'),
  })
})
afterAll(() => rig.close())
beforeEach(() => rig.upstream.reset())

const OPEN = [
  '/fhir/R4/metadata',
  '/fhir/R4/.well-known/smart-configuration',
  '/.well-known/oauth-protected-resource/fhir/R4',
]

test.each([
  '/fhir/R4/Patient?x=/metadata',
  '/fhir/R4/Patient?/metadata',
  '/fhir/R4/Patient?x=/.well-known/smart-configuration',
  '/fhir/R4/Patient/metadata',
  '/fhir/R4/metadata/Patient',
  '/fhir/R4/metadata/Patient/p1',
  '/fhir/R4/metadata/_history',
  '/fhir/R4/metadata/$versions',
  '/fhir/R4/metadata.json',
  '/fhir/R4/METADATA',
  '/fhir/R4/metadata%20',
  '/fhir/R4/$metadata',
  '/fhir/R4/.well-known/smart-configuration/Patient',
  '/fhir/R4/.well-known/Patient',
  '/fhir/R4/.well-known/oauth-protected-resource',
  '/fhir/R4/Patient/.well-known/smart-configuration',
  '/fhir/R4/_page/metadata',
])('%s is not open', async (path) => {
  for (const method of ['GET', 'HEAD', 'DELETE', 'OPTIONS']) {
    const answer = await rig.ask(`${method} ${path}`)
    expect(answer.status, `${method} ${answer.text}`).toBe(401)
  }
  expect(rig.upstream.arrived).toEqual([])
})

test.each([
  '/fhir/R4/Patient/..%2Fmetadata',
  '/fhir/R4/Patient/../metadata',
  '/fhir/R4/metadata/../Patient',
  '/fhir/R4/metadata/..;/Patient',
  '/fhir/R4/metadata;x=1',
  '/fhir/R4/metadata%3Bx',
  '/fhir/R4/metadata#/Patient',
  '/fhir/R4/Patient#/metadata',
  '/fhir/R4//metadata',
  '//fhir/R4/metadata',
  '/fhir/R4/metadata%00',
  'http://gateway/fhir/R4/metadata',
])('%s is refused for its form', async (path) => {
  const { text } = await exchangeRaw(rig.port, requestText(`GET ${path}`))
  expect(refusalIn(text)).toBe('400 target-ambiguous')
  expect(rig.upstream.arrived).toEqual([])
})

describe('the documents themselves', () => {
  test.each(OPEN)('%s: for everyone, and never from the upstream of the moment', async (path) => {
    for (const ask of [
      {},
      { token: 'not a token' },
      { token: await rig.token('') },
      { headers: ['authorization', 'Basic eDp5'] },
    ]) {
      const answer = await rig.ask(`GET ${path}`, ask)
      expect([answer.status, answer.headers['access-control-allow-origin']], answer.text).toEqual([200, '*'])
      expect(answer.text).not.toContain(String(rig.upstream.port))
    }
    const head = await rig.ask(`HEAD ${path}?_format=json&x=/Patient`)
    expect([head.status, head.text]).toEqual([200, ''])
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await rig.ask(`${method} ${path}`, {
        scope: 'system/*.cruds',
        ...(method !== 'DELETE' && { body: '{}' }),
      })
      expect([verdictOf(answer), answer.headers['allow']]).toEqual(['405 interaction-unknown', 'GET, HEAD, OPTIONS'])
    }
    expect(rig.upstream.arrived).toEqual([])
  })

  test('say what is enforced, under the public address', async () => {
    const [metadata, smart, resource] = await Promise.all(OPEN.map(async (path) => (await rig.ask(`GET ${path}`)).json))
    expect(metadata).toMatchObject({
      resourceType: 'CapabilityStatement',
      implementation: { url: 'https://api.example.org/fhir/R4' },
    })
    expect(metadata.rest[0].security.service[0].coding[0].code).toBe('SMART-on-FHIR')
    expect(smart).toMatchObject({ capabilities: expect.arrayContaining(['permission-v2']) })
    expect(resource).toMatchObject({
      resource: 'https://api.example.org/fhir/R4',
      authorization_servers: [rig.issuer.url],
    })
  })
})
