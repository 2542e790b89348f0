import { describe, expect, test } from 'vitest'
import { KeyFileError, parseKeyFile, parseOwner } from '../../../src/credentials/api-keys/key-file.ts'
import { keyFileOf, NOW, testKey } from './support.ts'

const { key, secret } = testKey('api-key')

function problemsOf(text: string): readonly string[] {
  try {
    parseKeyFile(text, 'keys.yaml')
    return []
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error
    return error.problems
  }
}

const ENTRY = {
  id: 'k1',
  kind: 'api-key',
  owner: 'Acme',
  scopes: '[a.read]',
  created: '2026-01-01',
  expires: '2027-01-01',
  sha256: key.sha256,
}

const fileWith = (change: Readonly<Record<string, string>>): string =>
  `version: 1\nkeys:\n  - { ${Object.entries({ ...ENTRY, ...change })
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')} }\n`

test('what is written is what is read', () => {
  const keys = [
    key,
    testKey('service-key', { rotatedFrom: key.id, owner: 'Klinik Zürich, Haus 3 #1', scopes: ['a', 'b'] }).key,
    testKey('api-key', { until: NOW, revoked: NOW - 5 }).key,
  ]
  expect(parseKeyFile(keyFileOf(keys), 'keys.yaml')).toEqual(keys)
  expect(parseKeyFile(keyFileOf([]), 'keys.yaml')).toEqual([])
})

test('a day stands for its first moment (UTC)', () => {
  const [read] = parseKeyFile(fileWith({ revoked: '2026-03-01', until: '2026-04-01T10:20:30Z' }), 'keys.yaml')
  expect(read).toMatchObject({ revoked: Date.UTC(2026, 2, 1) / 1000, until: Date.UTC(2026, 3, 1, 10, 20, 30) / 1000 })
})

describe('everything that is wrong is told with its place', () => {
  test.each<[name: string, text: string, problem: string]>([
    ['nothing', '', 'expected a map with version, keys, got nothing'],
    ['only a comment', '# keys\n', 'got nothing'],
    ['no YAML', 'keys: [', 'keys.yaml:1:'],
    ['no map', '- a\n', 'expected a map with version, keys'],
    ['no version', 'keys: []\n', 'missing key "version"'],
    ['another version', 'version: 2\nkeys: []\n', 'keys.yaml:1:10: expected 1, got 2'],
    ['no keys', 'version: 1\n', 'missing key "keys"'],
    ['an unknown key', fileWith({ scope: 'a' }), 'unknown key "scope"'],
    ['no kind', fileWith({ kind: '' }), 'missing key "kind"'],
    ['another kind', fileWith({ kind: 'bearer' }), 'expected one of api-key, service-key, got "bearer"'],
    ['no scopes', fileWith({ scopes: '[]' }), 'expected at least one item'],
    ['a scope with a space', fileWith({ scopes: '["a b"]' }), 'expected a scope without spaces or quotes'],
    ['no owner', fileWith({ owner: '""' }), 'expected a name of at most 100'],
    ['an owner that moves the cursor', fileWith({ owner: '"a\\e[2Jb"' }), 'expected a name of at most 100'],
    ['an id with spaces', fileWith({ id: '"a b"' }), 'expected a name of letters'],
    ['a date that is none', fileWith({ expires: '2027-02-31' }), 'expected a date (UTC)'],
    ['a date in another zone', fileWith({ expires: '2027-02-01T00:00:00+01:00' }), 'expected a date (UTC)'],
    ['revoked, but not since when', fileWith({ revoked: 'true' }), 'expected a date (UTC)'],
    ['an end before the beginning', fileWith({ expires: '2025-01-01' }), 'it expires before it was made'],
    ['a short hash', fileWith({ sha256: key.sha256.slice(1) }), 'expected a SHA-256 as base64url'],
    ['a hash with stray bits', fileWith({ sha256: `${'A'.repeat(42)}B` }), 'expected a SHA-256 as base64url'],
    ['a hash in hex', fileWith({ sha256: 'a'.repeat(64) }), 'expected a SHA-256 as base64url'],
    ['an alias', 'version: 1\nkeys: &k []\n', 'anchors are not allowed'],
    ['a reference to the environment', fileWith({ owner: '"$' + '{HOME}"' }), 'HOME is not set'],
  ])('%s', (_, text, problem) => {
    const problems = problemsOf(text)
    expect(problems.join('\n')).toContain(problem)
    expect(problems.every((line) => /^keys\.yaml:\d+:\d+: /.test(line))).toBe(true)
  })

  test('ids and hashes stand once', () => {
    const other = testKey('api-key').key
    expect(problemsOf(keyFileOf([key, { ...other, id: key.id }]))).toEqual([
      expect.stringContaining(`another key is called "${key.id}" too`),
    ])
    expect(problemsOf(keyFileOf([key, { ...other, sha256: key.sha256 }]))).toEqual([
      expect.stringContaining(`the key "${key.id}" has the same hash`),
    ])
  })
})

test.each<[where: string, text: string]>([
  ['as hash', fileWith({ sha256: secret })],
  ['as id', fileWith({ id: `"${secret} "` })],
  ['as owner', fileWith({ owner: `"${secret}$"` })],
  ['as a key', fileWith({ [secret]: 'x' })],
  ['as a kind', fileWith({ kind: secret })],
  ['in place of the file', secret],
])('a secret that was pasted %s is not told again, nor is a hash', (_, text) => {
  const said = problemsOf(text).join('\n')
  expect(said).not.toBe('')
  expect(said).not.toContain(secret.slice(4))
  expect(said).not.toContain(key.sha256)
})

test('owners are what a terminal and a log can show', () => {
  expect(['Acme', 'Klinik Zürich', '山田', 'a'.repeat(100), "O'Neil & Sons (2)"].map(parseOwner)).not.toContain(
    undefined,
  )
  const bad = ['', ' a', 'a ', 'a\nb', 'a\u202eb', 'a\u0000', 'a\u2028b', '\ud800', 'a$b', 'a'.repeat(101)]
  expect(bad.map(parseOwner)).toEqual(bad.map(() => undefined))
})
