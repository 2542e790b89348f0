import { describe, expect, test } from 'vitest'
import { catalogueOf } from '../../support/grants.ts'

const catalogue = catalogueOf({
  'cms.read': ['api-key', 'oauth2'],
  'cms.push': ['service-key'],
  'cms.none': [],
  'cms.odd': ['constructor', 'API-KEY', '__proto__'],
  'user/Patient.read': ['oauth2'],
  'system/*.write': ['service-key'],
})
const KINDS = ['bearer', 'api-key', 'service-key'] as const

describe('which credential may carry a scope', () => {
  test.each([
    ['cms.read', ['bearer', 'api-key']],
    ['cms.push', ['service-key']],
    ['cms.none', []],
    ['cms.odd', []],
    // Compared by meaning.
    ['user/Patient.read', ['bearer']],
    ['user/Patient.rs', ['bearer']],
    ['system/*.cud', ['service-key']],
    ['system/*.write', ['service-key']],
    // Not in the catalogue: a SMART scope is for bearer tokens, anything else for nobody.
    ['system/*.cu', ['bearer']],
    ['patient/Observation.rs?category=lab', ['bearer']],
    ['patient/Observation.sr', []],
    ['cms.READ', []],
    ['openid', []],
    ['', []],
    ['__proto__', []],
  ])('%s: %j', (scope, kinds) => {
    expect(KINDS.filter((kind) => catalogue.mayCarry(scope, kind))).toEqual(kinds)
  })
})

test('the catalogue knows its scopes by meaning, and prints SMART ones in one spelling', () => {
  expect(catalogue.has('user/Patient.rs')).toBe(true)
  expect(catalogue.has('user/Patient.r')).toBe(false)
  expect(catalogue.has('cms.read')).toBe(true)
  expect(catalogue.scopes).toEqual(['cms.read', 'cms.push', 'cms.none', 'cms.odd', 'user/Patient.rs', 'system/*.cud'])
  expect(catalogue.carriers('cms.read')).toEqual(['api-key', 'oauth2'])
})
