import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { scopeProblems } from '../../src/cli/key-scopes.ts'
import type { KeyKind } from '../../src/credentials/api-keys/api-key.ts'
import { settingsFrom } from '../config/support/maps.ts'

const { scopes: catalogue } = settingsFrom(readFileSync(new URL('../../routes.yaml', import.meta.url), 'utf8'))

const said = (scopes: string, kind: KeyKind, selfService = false): string =>
  scopeProblems({ scopes: scopes.split(' '), kind, selfService }, catalogue).join('\n')

describe('a key may ask for what its kind may carry', () => {
  test.each<[string, KeyKind]>([
    ['prime.ingest.read prime.ingest.write', 'api-key'],
    ['cms.fhir.r4.read', 'api-key'],
    ['identity.merge identity.split', 'service-key'],
  ])('%s by %s', (scopes, kind) => expect(said(scopes, kind)).toBe(''))

  test('and the whole catalogue stands by the credentials that it names', () => {
    for (const { name, credentials } of catalogue) {
      for (const kind of ['api-key', 'service-key'] as const) {
        expect([name, kind, said(name, kind) === '']).toEqual([name, kind, credentials.includes(kind)])
      }
    }
  })
})

describe('what it may not is told, with the nearest', () => {
  test.each<[string, KeyKind, string]>([
    ['prime.ingest.red', 'api-key', 'is not in the catalogue. Did you mean "prime.ingest.read"?'],
    ['prime.ingest.read', 'service-key', 'a service key cannot carry "prime.ingest.read"; these can: api-key, oauth2'],
    ['horizon.query', 'api-key', 'an API key cannot carry "horizon.query"; these can: oauth2'],
    ['identity.merge', 'api-key', 'these can: service-key, oauth2'],
    ['patient/Condition.rs', 'service-key', 'is a SMART scope, which only access tokens carry'],
    ['patient/Patient.read', 'api-key', 'these can: smart'],
    ['launch/patient', 'api-key', 'these can: smart'],
    ['zzz', 'service-key', 'Possible: identity.merge, identity.split.'],
  ])('%s by %s', (scopes, kind, problem) => expect(said(scopes, kind)).toContain(problem))

  test('each of several', () => {
    expect(said('prime.ingest.read horizon.query nonsense', 'api-key').split('\n')).toHaveLength(2)
  })
})

test('self-service takes the partner scopes alone', () => {
  expect(said('cms.fhir.r4.read cms.sdk.read', 'api-key', true)).toBe('')
  expect(said('prime.ingest.read', 'api-key', true)).toContain('"prime.ingest.read" is not for self-service')
  expect(said('identity.merge', 'service-key', true)).toContain('There is no scope that a service key could carry')
  const open = catalogue.filter(({ name }) => said(name, 'api-key', true) === '').map(({ name }) => name)
  expect(open).toEqual(catalogue.filter(({ selfService }) => selfService).map(({ name }) => name))
})

test('a SMART scope of the catalogue that keys may carry is compared by meaning', () => {
  const own = [{ ...catalogue[0]!, name: 'system/Patient.read', credentials: ['service-key' as const] }]
  const problems = (scope: string, kind: KeyKind) => scopeProblems({ scopes: [scope], kind, selfService: false }, own)
  expect(problems('system/Patient.rs', 'service-key')).toEqual([])
  expect(problems('system/Patient.rs', 'api-key')).toHaveLength(1)
  expect(problems('system/Patient.cruds', 'service-key')).toHaveLength(1)
})
