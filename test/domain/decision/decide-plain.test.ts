import { describe, expect, test } from 'vitest'
import { decidePlain, type Requirement } from '../../../src/domain/decision/decide-plain.ts'
import type { CredentialKind, Grant } from '../../../src/domain/grant.ts'
import { catalogueOf, grantWith } from '../../support/grants.ts'

const catalogue = catalogueOf({
  'a.read': ['api-key', 'oauth2'],
  'b.read': ['api-key', 'oauth2'],
  'c.service': ['service-key'],
  'd.key': ['api-key'],
  'e.smart': ['smart'],
  'f.nobody': [],
})
const held = (scopes: string, kind: CredentialKind = 'bearer'): Grant => grantWith(scopes, { kind })

function verdict(requirement: Requirement, grant: Grant | undefined): unknown {
  const decision = decidePlain(requirement, grant, catalogue)
  return decision.outcome === 'deny' ? [decision.refusal.code, ...(decision.refusal.extras.scopes ?? [])] : 'forward'
}

describe('refused', () => {
  test.each<[Requirement, string, CredentialKind, string[]]>([
    [{ anyOf: ['a.read'] }, '', 'bearer', ['scope-insufficient', 'a.read']],
    [{ anyOf: ['a.read'] }, 'a.reader a.rea A.READ a.read.x a', 'bearer', ['scope-insufficient', 'a.read']],
    [{ anyOf: ['b.read', 'a.read'] }, '', 'api-key', ['scope-insufficient', 'a.read']],
    // Any one would do, so the first that this credential may carry is offered.
    [{ anyOf: ['c.service', 'd.key', 'b.read'] }, '', 'bearer', ['scope-insufficient', 'b.read']],
    [{ anyOf: ['c.service', 'a.read'] }, 'c.service', 'bearer', ['scope-insufficient', 'a.read']],
    [{ allOf: ['b.read', 'a.read'] }, 'a.read', 'bearer', ['scope-insufficient', 'a.read', 'b.read']],
    [{ allOf: ['b.read', 'a.read'] }, '', 'bearer', ['scope-insufficient', 'a.read', 'b.read']],
    // The kind of the credential cannot carry it.
    [{ anyOf: ['c.service'] }, 'c.service', 'bearer', ['credential-kind']],
    [{ anyOf: ['c.service'] }, '', 'bearer', ['credential-kind']],
    [{ anyOf: ['a.read'] }, 'a.read', 'service-key', ['credential-kind']],
    [{ allOf: ['a.read', 'c.service'] }, 'a.read c.service', 'bearer', ['credential-kind']],
    [{ allOf: ['a.read', 'c.service'] }, 'a.read', 'service-key', ['credential-kind']],
    [{ anyOf: ['f.nobody'] }, 'f.nobody', 'bearer', ['credential-kind']],
    [{ anyOf: ['unlisted'] }, 'unlisted', 'bearer', ['credential-kind']],
    // A SMART scope is no product scope.
    [{ anyOf: ['a.read'] }, 'system/*.cruds user/*.*', 'bearer', ['scope-insufficient', 'a.read']],
    // A requirement that asks for nothing is met by nothing.
    [{ anyOf: [] }, 'a.read', 'bearer', ['credential-kind']],
    [{ allOf: [] }, 'a.read', 'bearer', ['credential-kind']],
  ])('%j with %j by %s', (requirement, scopes, kind, expected) => {
    expect(verdict(requirement, held(scopes, kind))).toEqual(expected)
  })

  test('without a credential where the route is not public', () => {
    expect(verdict({ anyOf: ['a.read'] }, undefined)).toEqual(['scope-insufficient'])
    expect(verdict({ allOf: [] }, undefined)).toEqual(['scope-insufficient'])
  })

  test('the refusal names the kinds that may carry the scope', () => {
    const decision = decidePlain({ anyOf: ['a.read'] }, held('a.read', 'service-key'), catalogue)
    expect(decision.outcome === 'deny' && decision.refusal.detail).toContain('api-key, oauth2')
  })
})

describe('permitted', () => {
  test.each<[Requirement, string, CredentialKind]>([
    [{ anyOf: ['a.read'] }, 'a.read', 'bearer'],
    [{ anyOf: ['a.read'] }, 'a.read', 'api-key'],
    [{ anyOf: ['a.read', 'b.read'] }, 'x b.read', 'bearer'],
    [{ anyOf: ['c.service', 'a.read'] }, 'c.service', 'service-key'],
    [{ anyOf: ['e.smart'] }, 'e.smart', 'bearer'],
    [{ allOf: ['a.read', 'b.read'] }, 'b.read a.read', 'bearer'],
    [{ allOf: ['a.read', 'a.read'] }, 'a.read', 'bearer'],
    ['public', '', 'bearer'],
  ])('%j with %j by %s', (requirement, scopes, kind) => {
    expect(verdict(requirement, held(scopes, kind))).toBe('forward')
  })

  test('a public route needs no credential', () => expect(verdict('public', undefined)).toBe('forward'))

  test('the decision names the scopes that counted', () => {
    const decision = decidePlain(
      { anyOf: ['a.read', 'c.service', 'b.read'] },
      held('b.read a.read c.service'),
      catalogue,
    )
    expect(decision).toMatchObject({ outcome: 'forward', covered: [{ scope: 'a.read' }, { scope: 'b.read' }] })
  })
})
