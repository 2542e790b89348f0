// docs/guarantees.md and the properties say the same: every sentence has its test, and every property its sentence.

import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
/** Where guarantees are held. Sentences end with a full stop; tests beside them, about the tests themselves, do not. */
const HOLDERS: readonly (readonly [folder: string, ending: string])[] = [
  ['test/properties', '.property.test.ts'],
  ['test/fuzz', '.fuzz.test.ts'],
  ['test/interop', '.test.ts'],
]
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

test('every guarantee names a test, and every property is a guarantee', () => {
  const promised = new Map<string, string[]>()
  for (const section of text('docs/guarantees.md').split(/^## /m).slice(1)) {
    const file = /`(test\/[^`]+)`/.exec(section.split('\n', 1)[0]!)?.[1]
    expect(file, section).toBeDefined()
    promised.set(
      file!,
      [...section.matchAll(/^- (.+)$/gm)].map(([, sentence]) => sentence!),
    )
  }
  const held = new Map<string, string[]>()
  for (const [folder, ending] of HOLDERS) {
    for (const name of readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(ending))) {
      const file = `${folder}/${name}`
      const sentences = [...text(file).matchAll(/^ *test\(\s*'([^']+\.)'/gm)].map(([, sentence]) => sentence!)
      if (sentences.length > 0 || folder === 'test/properties') held.set(file, sentences)
    }
  }
  expect(held.size).toBeGreaterThan(4)
  expect(Object.fromEntries(promised)).toEqual(Object.fromEntries(held))
})
