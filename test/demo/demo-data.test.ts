import { expect, test } from 'vitest'
import { readDemoData } from '../../src/demo/demo-data.ts'
import { createFhirStore } from '../../src/demo/fhir/fhir-store.ts'
import { isObject } from '../../src/demo/fhir/resource.ts'

const lines = readDemoData()
const store = createFhirStore({ packed: lines }).resources

function* references(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const item of value) yield* references(item)
  else if (isObject(value)) {
    if (typeof value['reference'] === 'string') yield value['reference']
    for (const item of Object.values(value)) yield* references(item)
  }
}

test('every reference leads to a resource of the data, or to a contained one', () => {
  const lost: string[] = []
  let count = 0
  for (const { key, resource } of store.journal) {
    const contained = Array.isArray(resource['contained']) ? resource['contained'] : []
    for (const reference of references(resource)) {
      count++
      if (reference.startsWith('#')) {
        if (!contained.some((inner) => `#${inner.id}` === reference)) lost.push(`${key} → ${reference}`)
      } else {
        const [type, id] = reference.split('/') as [string, string]
        if (store.current(type, id) === undefined) lost.push(`${key} → ${reference}`)
      }
    }
  }
  expect(lost).toEqual([])
  expect(count).toBeGreaterThan(40_000)
})

test('the numbers of the README', () => {
  expect(store.count('Patient')).toBe(9)
  expect(store.count('Observation')).toBe(2718 + 4)
  expect(store.count('ExplanationOfBenefit')).toBe(785)
  expect(lines.length).toBe(new Set(store.journal.map(({ key }) => key)).size)
  expect(store.current('Patient', '3')?.resource['birthDate']).toBe('1996-08-07')
  expect(store.current('RelatedPerson', '1')?.resource['patient']).toMatchObject({ reference: 'Patient/6' })
})

test('a packed line is what a read answers, byte for byte', () => {
  for (const { json, resource, versionId, lastUpdated } of store.journal.slice(0, 500)) {
    expect(JSON.stringify(resource)).toBe(json)
    expect(resource.meta).toMatchObject({ versionId: String(versionId), lastUpdated })
  }
})
