import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scopeReference } from '../../../src/domain/reference/scope-reference.ts'
import { settingsFrom } from '../../config/support/maps.ts'
import { mappedOf } from '../../support/mapped-routes.ts'

const { settings, routes, catalogue } = mappedOf(
  settingsFrom(readFileSync(new URL('../../../routes.yaml', import.meta.url), 'utf8')),
)
const reference = scopeReference({ publicUrl: 'https://api.example.org', scopes: settings.scopes, routes, catalogue })
const scopeOf = (name: string) => reference.categories.flatMap(({ scopes }) => scopes).find((one) => one.name === name)

test('the totals of the catalogue', () => {
  expect(reference.totals).toEqual({ scopes: 40, categories: 10, smart: 12, selfService: 11 })
  expect(reference.categories.map(({ name, scopes }) => `${name} ${scopes.length}`)).toEqual([
    'FHIR Platform 7',
    'SMART on FHIR 9',
    'Identity & GPID 4',
    'Plexus IAM 1',
    'Prime Wearables 5',
    'Horizon Analytics 2',
    'TEFCA Exchange 4',
    'Velocity RCM 3',
    'CMS & Partners 2',
    'System & Bulk 3',
  ])
})

test('a SMART scope in letters, a product scope by what it is worth', () => {
  expect(scopeOf('patient/Patient.read')).toMatchObject({
    meaning: 'patient/Patient.rs',
    worth: [],
    credentials: ['smart'],
  })
  expect(scopeOf('cms.fhir.bundle.push')).toMatchObject({
    worth: [{ path: '/fhir/R4', scope: 'system/*.cu', via: ['bundle'] }],
    products: ['APEX Nexus', 'Beacon Ingest'],
    selfService: true,
  })
  expect(scopeOf('cms.fhir.bundle.push')).not.toHaveProperty('meaning')
})
