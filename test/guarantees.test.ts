// docs/guarantees.md and the properties say the same: every sentence has its test, and every property its sentence.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const PROPERTIES = 'test/properties'
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

test('every guarantee names a test, and every property is a guarantee', () => {
  const promised = new Map<string, string[]>()
  for (const section of text('docs/guarantees.md').split(/^## /m).slice(1)) {
    const file = /`(test\/properties\/[^`]+)`/.exec(section.split('\n', 1)[0]!)?.[1]
    expect(file, section).toBeDefined()
    promised.set(
      file!,
      [...section.matchAll(/^- (.+)$/gm)].map(([, sentence]) => sentence!),
    )
  }
  const held = new Map<string, string[]>()
  for (const name of readdirSync(join(ROOT, PROPERTIES)).filter((name) => name.endsWith('.property.test.ts'))) {
    const file = `${PROPERTIES}/${name}`
    held.set(
      file,
      [...text(file).matchAll(/^test\('([^']+)'/gm)].map(([, sentence]) => sentence!),
    )
  }
  expect(held.size).toBeGreaterThan(4)
  expect(Object.fromEntries(promised)).toEqual(Object.fromEntries(held))
})
