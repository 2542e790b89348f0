import { describe, expect, test } from 'vitest'
import { mapWith, mapWithRoute, said, settingsFrom } from '../support/maps.ts'

const withUpstream = (keys: string): string => mapWith({ replace: ['http://127.0.0.1:8101/fhir }', `${keys} }`] })

test('an upstream that says nothing but its address is safe: all waits are bounded', () => {
  const { hapi } = settingsFrom(withUpstream('https://fhir.internal/fhir')).upstreams
  expect(hapi).toEqual({
    name: 'hapi',
    url: ['https://fhir.internal/fhir'],
    timeout: 30_000,
    connectTimeout: 5_000,
    idleTimeout: 30_000,
    minimumRate: 128,
    connections: 64,
    queue: { perConnection: 15, timeout: 10_000 },
    keepAlive: 4_000,
    publicBase: false,
    ejection: { faults: 5, time: 10_000, longest: 300_000, slowStart: 10_000 },
  })
})

test('files lie beside the route map', () => {
  const map = withUpstream('https://h, tls: { ca: ca.pem, cert: /etc/gw.pem, key: gw.key, serverName: fhir.internal }')
  expect(settingsFrom(map).upstreams['hapi']!.tls).toEqual({
    ca: 'ca.pem',
    cert: '/etc/gw.pem',
    key: 'gw.key',
    serverName: 'fhir.internal',
  })
})

describe('contradictions', () => {
  test.each([
    ['http://h, tls: { ca: ca.pem }', 'this URL is http, so nothing of `tls` would hold; write https'],
    ['[https://h, http://h], tls: { ca: ca.pem }', 'this URL is http'],
    ['https://h, tls: { cert: c.pem }', 'a certificate needs its `key`'],
    ['https://h, tls: { key: k.pem }', 'a key needs its certificate, `cert`'],
    ['https://h, ejection: { time: 10m }', 'time must not be more than longest'],
    ['https://h, health: { path: healthz }', 'expected a path such as /healthz'],
    ['https://h, tls: { serverName: "a b" }', 'expected a host name'],
    ['https://h, idleTimeout: 0s', 'more than zero'],
  ])('%s', (keys, message) => {
    const { problems } = said(withUpstream(keys))
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(message)
  })
})

describe('rewrite must fit every path of the route', () => {
  const route = (match: string): string =>
    mapWithRoute(`{ upstream: hapi, match: ${match}, rewrite: { from: /api, to: /v1 } }`)

  test.each(['{ GET /api: public }', '{ GET /api/x: public, "POST /api/{id}/*": public }'])('%s', (match) => {
    expect(said(route(match)).problems).toEqual([])
  })

  test.each(['{ GET /apis: public }', '{ GET /api/x: public, "GET /{any}/x": public }', '{ GET /*: public }'])(
    '%s does not',
    (match) => {
      expect(said(route(match)).problems.join()).toContain('does not begin with /api, which rewrite.from replaces')
    },
  )
})

test('a secret goes to no token endpoint in clear', () => {
  const route = (url: string): string =>
    mapWithRoute(
      `{ upstream: hapi, match: { GET /x: public }, authorization: { clientCredentials: { url: "${url}", clientId: c, clientSecret: s } } }`,
    )
  expect(said(route('http://auth.internal/token')).problems.join()).toContain('in clear over http')
  expect(said(route('https://auth.internal/token')).problems).toEqual([])
  expect(said(route('http://127.0.0.1:8089/token')).problems).toEqual([])
})
