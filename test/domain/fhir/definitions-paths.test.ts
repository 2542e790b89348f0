// The path tables against a FHIRPath library that knows nothing of them: for every parameter that is a path, both must pick the
// same elements from sample resources that hold everything the official expression speaks of.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { evalFhirPath } from '@medplum/core'
import { expect, test } from 'vitest'
import { definitionsOf, type FhirVersion } from '../../../src/domain/fhir/definitions.ts'
import type { SearchParameter } from '../../../src/domain/fhir/definitions-table.ts'
import { someElement } from '../../../src/domain/fhir/element-path.ts'

interface SampleType {
  readonly type: string
  readonly expressions: Readonly<Record<string, string>>
  readonly resources: readonly unknown[]
}

/** Alternatives that a parameter of this kind cannot compare with anything: a `date` that is a string, a token that is a Quantity … */
const LEFT_OUT: Readonly<Record<FhirVersion, readonly string[]>> = {
  R4: [
    'CarePlan activity-date',
    'Consent source-reference',
    'Observation combo-value-quantity',
    'Observation component-value-quantity',
    'Observation value-quantity',
    'Procedure date',
  ],
  R4B: [
    'CarePlan activity-date',
    'Consent source-reference',
    'MedicinalProductDefinition characteristic',
    'Observation combo-value-quantity',
    'Observation component-value-quantity',
    'Observation value-quantity',
    'Procedure date',
  ],
  R5: [
    'MedicinalProductDefinition characteristic',
    'Observation combo-value-quantity',
    'Observation component-value-quantity',
    'Observation value-quantity',
  ],
}

test.each([
  ['R4', 1500],
  ['R4B', 1500],
  ['R5', 1700],
] as const)('%s: the tables and FHIRPath pick the same elements, for at least %i parameters', (version, atLeast) => {
  const definitions = definitionsOf(version)
  const compared = new Set<string>()
  const different = new Set<string>()
  for (const { type, expressions, resources } of samplesOf(version)) {
    for (const [code, expression] of Object.entries(expressions)) {
      const parameter = definitions.searchParameter(type, code)!
      for (const resource of resources) {
        const ours = picked(resource, parameter)
        const theirs = distinct(evalFhirPath(plainCasts(expression), resource as never))
        if (ours.length > 0) compared.add(`${type} ${code}`)
        expect(theirs, `${type}?${code} picks what ${expression} does not`).toEqual(expect.arrayContaining(ours))
        if (ours.length !== theirs.length) different.add(`${type} ${code}`)
      }
    }
  }
  expect([...different].sort()).toEqual(LEFT_OUT[version])
  expect(compared.size).toBeGreaterThan(atLeast)
})

function samplesOf(version: FhirVersion): readonly SampleType[] {
  const file = join(import.meta.dirname, 'samples', `${version.toLowerCase()}.json.gz`)
  return JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as SampleType[]
}

function picked(resource: unknown, { paths }: SearchParameter): string[] {
  const elements: unknown[] = []
  for (const path of paths!) {
    someElement(resource, path, (element) => {
      expect(element).toBeDefined()
      const { reference } = element as { reference?: string }
      if (path.only === undefined || reference?.startsWith(`${path.only}/`)) elements.push(element)
      return false
    })
  }
  return distinct(elements)
}

function distinct(elements: readonly unknown[]): string[] {
  return [...new Set(elements.map((element) => JSON.stringify(element)))].sort()
}

// The library reads `x.as(T)` on a choice as `x`; `x.ofType(T)` means the same and it reads that rightly.
function plainCasts(expression: string): string {
  return expression.replaceAll('.as(', '.ofType(')
}
