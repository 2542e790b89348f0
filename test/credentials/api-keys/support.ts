// Keys and key files for tests.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiKey, KeyKind } from '../../../src/credentials/api-keys/api-key.ts'
import { printMoment } from '../../../src/credentials/api-keys/key-file.ts'
import { makeKey } from '../../../src/credentials/api-keys/make-key.ts'

/** Seconds. */
export const NOW = 1_800_000_000

export interface TestKey {
  readonly secret: string
  readonly key: ApiKey
}

export function testKey(kind: KeyKind, change: Partial<ApiKey> = {}): TestKey {
  const { secret, id, sha256 } = makeKey(kind)
  const facts = { kind, owner: 'Acme', scopes: ['prime.read'], created: NOW - 3600, expires: NOW + 3600 }
  return { secret, key: { id, ...facts, sha256, ...change } }
}

/** Written here and not by the code under test. */
export function keyFileOf(keys: readonly ApiKey[]): string {
  const moments = ['created', 'expires', 'until', 'revoked']
  const entries = keys.map((key) =>
    Object.entries(key)
      .map(([name, value]) => `${name}: ${moments.includes(name) ? printMoment(value) : JSON.stringify(value)}`)
      .join(', '),
  )
  return `version: 1\nkeys:${entries.map((entry) => `\n  - { ${entry} }`).join('') || ' []'}\n`
}

export interface Directory {
  path(name: string): string
  write(name: string, text: string): string
  remove(): void
}

export function temporaryDirectory(): Directory {
  const directory = mkdtempSync(join(tmpdir(), 'scopegate-keys-'))
  const path = (name: string): string => join(directory, name)
  return {
    path,
    write: (name, text) => {
      writeFileSync(path(name), text)
      return path(name)
    },
    remove: () => rmSync(directory, { recursive: true }),
  }
}
