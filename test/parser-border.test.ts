// docs/parser-border.md names a rule and a test for each way past a parser; what it names is there.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const text = readFileSync(join(ROOT, 'docs/parser-border.md'), 'utf8')
const rows = [...text.matchAll(/^\| (\d+) \| (.+) \| (.+) \| (.+) \| (.+) \|$/gm)]

test('every way past a parser has a rule and a test', () => {
  expect(rows.map(([, number]) => Number(number))).toEqual(Array.from({ length: 46 }, (_, i) => i + 1))
  for (const [, number, , , places = '', tests = ''] of rows) {
    expect(places, number).toMatch(/^`src\//)
    expect(tests, number).toMatch(/^`test\//)
  }
})

test('what the table names is there, and says what it is about', () => {
  const named = [...text.matchAll(/`((?:src|test)\/[^`]+\.ts)`/g)].map(([, path]) => path!)
  expect(named.length).toBeGreaterThan(80)
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  const tests = new Set(named.filter((path) => path.startsWith('test/security/')))
  for (const path of tests) expect(readFileSync(join(ROOT, path), 'utf8'), path).toMatch(/^\/\/ .{40}/)
})
