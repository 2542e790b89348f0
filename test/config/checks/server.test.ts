import { describe, expect, test } from 'vitest'
import { mapWith, said } from '../support/maps.ts'

const server = (keys: string) => said(mapWith({ replace: ['8080 }', `8080, ${keys} }`] }))

describe('the edge', () => {
  test.each([
    ['admin: { clientCa: ca }', 'client certificates need TLS; give the admin port tls: { cert, key }'],
    ['tls: { cert: c, key: k, clientCertificates: optional }', 'without clientCa no certificate is asked for'],
    ['tls: { cert: c, key: k, clientCa: a, clientCertificates: maybe }', 'required, optional'],
    [
      'tls: { cert: c, key: k }, publicUrl: "http://api.example.org"',
      'the port speaks TLS, so clients call it by https',
    ],
    ['trustedProxies: ["010.0.0.1"]', 'an IP address or a network'],
    ['trustedProxies: [10.0.0.0/33]', 'an IP address or a network'],
    ['trustedProxies: ["::1/129"]', 'an IP address or a network'],
    ['trustedProxies: [proxy.example.org]', 'an IP address or a network'],
  ])('%s', (keys, expected) => {
    expect(server(keys).problems.join('\n')).toContain(expected)
  })

  test.each([
    ['trustedProxies: [0.0.0.0/0]', 'every client is believed about its own address'],
    ['trustedProxies: ["::/0"]', 'every client is believed about its own address'],
    ['admin: { listen: "0.0.0.0:9090", token: t }', 'the token would cross the network in clear'],
  ])('%s: a warning', (keys, expected) => {
    const { problems, warnings } = server(keys)
    expect(problems).toEqual([])
    expect(warnings.join('\n')).toContain(expected)
  })

  test.each([
    'admin: { listen: "0.0.0.0:9090" }',
    'admin: { listen: 127.0.0.1:9090, token: t }',
    'admin: { listen: "0.0.0.0:9090", token: t, tls: { cert: c, key: k } }',
    'admin: { listen: "0.0.0.0:9090", token: t, clientCa: a, tls: { cert: c, key: k } }',
    'trustedProxies: [10.0.0.0/8, 192.0.2.7, "2001:db8::/32"]',
  ])('%s: nothing to say', (keys) => {
    expect(server(keys)).toEqual({ problems: [], warnings: [] })
  })
})

describe('cors', () => {
  const origins = (list: string) => said(mapWith({ append: `cors: { origins: [${list}] }\n` }))

  test.each(['https://app.example.org', 'http://localhost:3000', 'https://APP.example.org:443', '"*"'])('%s', (one) => {
    expect(origins(one)).toEqual({ problems: [], warnings: [] })
  })

  test.each([
    'app.example.org',
    'https://app.example.org/',
    'https://*.example.org',
    'https://user@example.org',
    '"null"',
  ])('%s is none', (one) => {
    expect(origins(one).problems.join('\n')).toContain('an origin such as https://app.example.org')
  })
})
