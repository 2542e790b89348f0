// Changes the key file on disk, one writer at a time, the whole file or nothing of it. Comments that people wrote stay. What is written
// was read back and found sound before.

import { readFileSync } from 'node:fs'
import { isMap, isSeq, parseDocument } from 'yaml'
import { LockedFileError, lockFile, replaceFile } from '../locked-file.ts'
import type { ApiKey } from './api-key.ts'
import { KeyFileError, parseKeyFile, printMoment } from './key-file.ts'

export interface KeyFileChange {
  readonly add?: ApiKey | undefined
  /** The end of a key that is there; by id. */
  readonly end?: ({ readonly id: string } & Pick<ApiKey, 'until' | 'revoked'>) | undefined
}

const EMPTY = `# Keys of API clients and services: hashes, never secrets. Written by \`scopegate keys\`; read again when it changes.
version: 1
keys: []
`
const LOCK_WAIT_MS = 5_000

/** No file is a file without keys. */
export function readKeyFile(file: string): readonly ApiKey[] {
  const text = readIfThere(file)
  return text === undefined ? [] : parseKeyFile(text, file)
}

/** `plan` sees the keys as they are while nobody else can change them; one that changes nothing leaves the file alone. */
export async function changeKeyFile<Plan extends KeyFileChange>(
  file: string,
  plan: (keys: readonly ApiKey[]) => Plan,
  patience = LOCK_WAIT_MS,
): Promise<Plan> {
  const unlock = await lockFile(file, patience).catch((error: unknown) => {
    throw error instanceof LockedFileError ? new KeyFileError([error.message]) : error
  })
  try {
    const text = readIfThere(file) ?? EMPTY
    const planned = plan(parseKeyFile(text, file))
    if (planned.add !== undefined || planned.end !== undefined) replaceFile(file, edited(text, file, planned))
    return planned
  } finally {
    unlock()
  }
}

function edited(text: string, file: string, { add, end }: KeyFileChange): string {
  const document = parseDocument(text, { version: '1.2', schema: 'core' })
  const keys = document.get('keys')
  if (!isSeq(keys)) throw new KeyFileError([`${file}: "keys" is no list`])
  if (end !== undefined) {
    const entry = keys.items.find((item) => isMap(item) && item.get('id') === end.id)
    if (!isMap(entry)) throw new KeyFileError([`${file}: there is no key "${end.id}"`])
    if (end.until !== undefined) entry.set('until', printMoment(end.until))
    if (end.revoked !== undefined) entry.set('revoked', printMoment(end.revoked))
  }
  if (add !== undefined) {
    keys.flow = false
    const { created, expires, ...rest } = add
    keys.add(document.createNode({ ...rest, created: printMoment(created), expires: printMoment(expires) }))
  }
  const result = document.toString({ lineWidth: 0 })
  parseKeyFile(result, file)
  return result
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
