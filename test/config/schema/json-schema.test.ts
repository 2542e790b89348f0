import { readFileSync } from 'node:fs'
import Schema from 'typebox/schema'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { jsonSchema } from '../../../src/config/schema/json-schema.ts'
import { ref, SAMPLES, sample } from '../support/maps.ts'

const published = JSON.parse(readFileSync(new URL('../../../routes.schema.json', import.meta.url), 'utf8'))
const accepts = Schema.Compile(published)

test('routes.schema.json is fresh: `node scripts/generate-schema.ts` writes it', () => {
  expect(published).toEqual(JSON.parse(JSON.stringify(jsonSchema())))
})

test('every key has a description in one line, every section is closed, nothing of ours leaks', () => {
  const faults: string[] = []
  visit(published, '', (schema, path) => {
    for (const [key, inner] of Object.entries(
      (schema['properties'] ?? {}) as Record<string, { description?: string }>,
    )) {
      if (!inner.description || inner.description.includes('\n')) faults.push(`${path}/${key} has no description`)
    }
    if (schema['type'] === 'object' && schema['additionalProperties'] !== false) faults.push(`${path} is open`)
    for (const key of Object.keys(schema)) if (key.startsWith('~')) faults.push(`${path}/${key}`)
  })
  expect(faults).toEqual([])
})

test.each(SAMPLES)('the sample "%s" fits it', (name) => {
  expect(accepts.Check(parse(sample(name)))).toBe(true)
})

describe('what it refuses', () => {
  const map = () => parse(sample('several'))

  test.each([
    ['an unknown key', { ...map(), extra: 1 }],
    ['another version', { ...map(), version: 2 }],
    ['no routes', { ...map(), routes: [] }],
    ['a duration without unit', { ...map(), upstreams: { nexus: { url: 'http://h', timeout: '10' } } }],
    ['an unknown key in a route', { ...map(), routes: [{ ...map().routes[0], smrt: true }] }],
  ])('%s', (_, value) => {
    expect(accepts.Check(value)).toBe(false)
  })

  test('but never a reference to the environment', () => {
    expect(accepts.Check({ ...map(), server: { listen: `${ref('L')}`, workers: `${ref('N:-1')}` } })).toBe(true)
  })
})

function visit(schema: unknown, path: string, look: (schema: Record<string, unknown>, path: string) => void): void {
  if (typeof schema !== 'object' || schema === null) return
  if (!Array.isArray(schema)) look(schema as Record<string, unknown>, path)
  for (const [key, inner] of Object.entries(schema)) if (key !== 'default') visit(inner, `${path}/${key}`, look)
}
