// With several issuers, a route must say whose tokens count, unless no token could open it.

import { describe, expect, test } from 'vitest'
import { mapWith, said } from '../support/maps.ts'

const SEVERAL = mapWith({
  replace: [
    '  - { name: ehr,',
    '  - { name: other, mayGrant: ["user/*"], issuer: https://o.example.org, audience: [x], jwks: https://o.example.org/jwks }\n  - { name: ehr, mayGrant: ["user/*"],',
  ],
})
  .replace('smart: true }', 'smart: true, issuers: [ehr] }')
  .replace('  Products:\n', '  Products:\n    key.read: { credentials: [api-key, service-key] }\n')
  .replace('upstreams:', 'apiKeys: { file: keys.yaml }\nupstreams:')

const NEEDED = 'missing key "issuers"'
const saidOf = (route: string): string => said(`${SEVERAL}  - ${route}\n`).problems.join('\n')

describe('needs no issuer', () => {
  test.each([
    ['a path that only keys open', '{ upstream: hapi, match: GET /x, requires: key.read }'],
    ['a public path', '{ upstream: hapi, match: GET /x, requires: public }'],
    [
      'a FHIR endpoint that only keys open',
      '{ fhir: R4, path: /k, upstream: hapi, grants: { key.read: "system/*.rs" } }',
    ],
    [
      'an operation that only keys open',
      '{ fhir: R4, path: /k, upstream: hapi, operations: { "Patient/$match": { requires: { scope: key.read } } } }',
    ],
    [
      'SMART scopes switched off',
      '{ fhir: R4, path: /k, upstream: hapi, smart: false, grants: { key.read: "system/*.rs" } }',
    ],
  ])('%s', (_, route) => expect(saidOf(route)).toBe(''))
})

describe('must name its issuers', () => {
  test.each([
    ['a path that tokens open', '{ upstream: hapi, match: GET /x, requires: product.read }'],
    ['one of several scopes', '{ upstream: hapi, match: GET /x, requires: { anyOf: [key.read, product.write] } }'],
    ['SMART scopes', '{ fhir: R4, path: /k, upstream: hapi, smart: true }'],
    ['SMART scopes in detail', '{ fhir: R4, path: /k, upstream: hapi, smart: { scopesSupported: [openid] } }'],
    ['a grant', '{ fhir: R4, path: /k, upstream: hapi, grants: { product.read: "system/*.rs" } }'],
    [
      'an operation',
      '{ fhir: R4, path: /k, upstream: hapi, operations: { "Patient/$match": { requires: { scope: product.read } } } }',
    ],
  ])('%s', (_, route) => expect(saidOf(route)).toContain(NEEDED))
})

describe('issuers that are asked about tokens', () => {
  const ASKED = 'introspection: { url: https://i.example.org/i, clientId: c, clientSecret: s'
  /** Both issuers, each with what is given, and a route where both count. */
  const both = (ehr: string, other: string) =>
    SEVERAL.replace('name: ehr,', `name: ehr, ${ehr}`)
      .replace('name: other,', `name: other, ${other}`)
      .replace('issuers: [ehr]', 'issuers: [ehr, other]')

  const shown = (map: string): string[] => {
    const { problems, warnings } = said(map)
    expect(problems).toEqual([])
    return warnings.filter((warning) => warning.includes('shown to'))
  }

  test('need no keys', () => {
    const asked = SEVERAL.replace('jwks: https://o.example.org/jwks', `${ASKED} }`)
    expect(said(asked)).toEqual({ problems: [], warnings: [] })
  })

  test('are warned of where one sees what is the tokens of another', () => {
    expect(shown(both(`${ASKED} },`, `${ASKED} },`))).toEqual([expect.stringContaining('shown to ehr, other in turn')])
  })

  test('unless one of them is never shown such tokens, or no route has both', () => {
    expect(shown(both(`${ASKED} },`, `${ASKED}, opaque: false },`))).toEqual([])
    expect(shown(both(`${ASKED} },`, ''))).toEqual([])
    const apart = both(`${ASKED} },`, `${ASKED} },`).replace('issuers: [ehr, other]', 'issuers: [ehr]')
    expect(shown(apart)).toEqual([])
  })

  test('are asked over https', () => {
    const plain = both(`${ASKED.replace('https', 'http')} },`, '')
    expect(said(plain).problems.join()).toContain('http is accepted on loopback only')
  })
})
