import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { challengeOf } from '../../src/domain/challenge.ts'
import { REFUSALS, type RefusalCode, refuse } from '../../src/domain/refusal.ts'

const context = {
  realm: 'nexus-r4',
  resourceMetadata: 'https://api.example.org/.well-known/oauth-protected-resource/fhir/R4',
}
const metadata = `, resource_metadata="${context.resourceMetadata}"`
const codes = Object.keys(REFUSALS) as RefusalCode[]

test('no credential: a bare challenge without an error code', () => {
  const refusal = refuse('token-missing', 'Send one.', { scopes: ['user/Patient.r'] })
  expect(challengeOf(refusal, context)).toBe(`Bearer realm="nexus-r4"${metadata}`)
})

test.each<[RefusalCode, string]>([
  ['token-invalid', 'invalid_token'],
  ['token-expired', 'invalid_token'],
  ['token-revoked', 'invalid_token'],
  ['credential-ambiguous', 'invalid_request'],
  ['scope-insufficient', 'insufficient_scope'],
  ['credential-kind', 'insufficient_scope'],
  ['operation-not-listed', 'insufficient_scope'],
  ['launch-context-missing', 'insufficient_scope'],
])('%s says %s', (code, error) => {
  const challenge = challengeOf(refuse(code, 'x'), context)!
  expect(challenge.startsWith(`Bearer realm="nexus-r4", error="${error}", error_description="`)).toBe(true)
  expect(challenge.endsWith(metadata)).toBe(true)
  expect(challenge).not.toContain('scope="')
})

test.each(codes.filter((code) => REFUSALS[code].challenge === 'none'))('%s gives no challenge', (code) => {
  expect(challengeOf(refuse(code, 'x', { scopes: ['a'] }), context)).toBeUndefined()
})

test('insufficient_scope names the set that would do', () => {
  const scopes = ['user/Observation.rs?category=http://loinc.org|LP7839-6', 'user/Patient.r']
  expect(challengeOf(refuse('scope-insufficient', 'x', { scopes }), context)).toContain(
    ', scope="user/Observation.rs?category=http://loinc.org|LP7839-6 user/Patient.r", resource_metadata=',
  )
})

test.each([
  [[]],
  [['a"b']],
  [['a b', '']],
  [['a', 'b\\c']],
  [['a\r\nSet-Cookie: x']],
  [['ä']],
  [['a', '']],
  [['x'.repeat(3000)]],
])('a set that cannot be printed whole is left away: %j', (scopes) => {
  expect(challengeOf(refuse('scope-insufficient', 'x', { scopes }), context)).not.toContain('scope="')
})

describe('where access tokens may be bound', () => {
  const bound = { ...context, proofAlgorithms: ['ES256', 'RS256'] }

  test.each<[RefusalCode, boolean, string]>([
    ['token-invalid', true, ', DPoP algs="ES256 RS256", error="invalid_dpop_proof"'],
    ['token-invalid', false, ', DPoP algs="ES256 RS256", error="invalid_token"'],
    ['token-revoked', false, ', DPoP algs="ES256 RS256", error="invalid_token"'],
    ['token-missing', false, metadata],
    ['scope-insufficient', false, metadata],
    ['credential-ambiguous', false, metadata],
  ])('%s, with a proof that was wrong: %s', (code, proof, end) => {
    const challenge = challengeOf(refuse(code, 'x', { proof }), bound)!
    expect(challenge.endsWith(end)).toBe(true)
    expect(challenge.startsWith('Bearer realm=')).toBe(true)
  })

  test('nothing is said of algorithms that cannot be quoted, or of none', () => {
    for (const proofAlgorithms of [[], ['ES256"'], ['é']]) {
      expect(challengeOf(refuse('token-invalid', 'x'), { ...bound, proofAlgorithms })).not.toContain('DPoP')
    }
  })
})

test('no challenge can break out of its header or of its quotes', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('a"', 'a\r\nb: c', '\\', 'ok', '\u0000'))
  const grammar = /^Bearer [a-z_]+="[^"\\]*"(?:, [a-z_]+="[^"\\]*")*$/
  fc.assert(
    fc.property(fc.constantFrom(...codes), fc.array(text), text, text, (code, scopes, realm, resourceMetadata) => {
      const challenge = challengeOf(refuse(code, realm, { scopes }), { realm, resourceMetadata })
      if (challenge === undefined) return
      expect(challenge).toMatch(/^[\x20-\x7e]*$/)
      expect(challenge).toMatch(grammar)
    }),
  )
})
