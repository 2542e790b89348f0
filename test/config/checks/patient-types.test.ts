import { expect, test } from 'vitest'
import { hasPatients } from '../../../src/config/checks/patient-types.ts'
import { RESOURCE_TYPES } from '../../../src/config/checks/resource-types.ts'
import { definitionsOf } from '../../../src/domain/fhir/definitions.ts'
import { sample, settingsFrom } from '../support/maps.ts'

test('the types that a route map may name are those of all versions', () => {
  const all = (['R4', 'R4B', 'R5'] as const).flatMap((version) => definitionsOf(version).resourceTypes)
  expect([...RESOURCE_TYPES].sort()).toEqual([...new Set(all)].sort())
})

test.each(['R4', 'R4B', 'R5'] as const)('no type that %s links to patients can be shared', (version) => {
  const { resourceTypes, patientLinks } = definitionsOf(version)
  expect(resourceTypes.filter((type) => patientLinks(type) !== undefined && !hasPatients(type))).toEqual([])
})

test.each(['R4', 'R4B', 'R5'] as const)('what is shared by default is reference data in %s', (version) => {
  const [route] = settingsFrom(sample('minimal')).routes
  const shared = route?.kind === 'fhir' ? route.patientScopes.sharedTypes : []
  expect(shared.length).toBeGreaterThan(0)
  expect(shared.filter((type) => !definitionsOf(version).isResourceType(type) || hasPatients(type))).toEqual([])
})
