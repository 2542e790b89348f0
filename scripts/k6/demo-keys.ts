// A key file of one run, with the keys that the scenarios ask for, made as anyone makes keys: by `keys create`.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** As `KEYS` in k6/lib/credentials.js; `secret` is the environment variable that the scenarios read. */
export interface WantedKey {
  readonly secret: string
  readonly kind: string
  readonly scope: string
}

export interface DemoKeys {
  readonly file: string
  /** The secrets, as the environment variables that the scenarios read. */
  readonly env: Readonly<Record<string, string>>
  remove(): Promise<void>
}

export async function makeDemoKeys(wanted: readonly WantedKey[]): Promise<DemoKeys> {
  const folder = await mkdtemp(join(tmpdir(), 'scopegate-k6-'))
  const file = join(folder, 'keys.yaml')
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const env: Record<string, string> = {}
    for (const { secret, kind, scope } of wanted) env[secret] = await makeKey(file, kind, scope)
    return { file, env, remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function makeKey(file: string, kind: string, scope: string): Promise<string> {
  const words = [
    'keys',
    'create',
    '--kind',
    kind,
    '--owner',
    'k6',
    '--scope',
    scope,
    '--expires',
    '1d',
    '--file',
    file,
    '--json',
  ]
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...words], { cwd: ROOT })
  return (JSON.parse(stdout) as { key: string }).key
}
