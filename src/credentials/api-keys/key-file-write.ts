// Changes the key file on disk: one writer at a time (a lock beside it), the whole file or nothing of it (a temporary file, then
// rename), readable by its owner only. Comments that people wrote stay. What is written was read back and found sound before.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMap, isSeq, parseDocument } from 'yaml'
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
const LOCK_RETRY_MS = 25
const OWNER_ONLY = 0o600

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
  const unlock = await lock(`${file}.lock`, patience)
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

function replaceFile(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false })
  // A symbolic link stays one: what it points to is replaced.
  const file = before === undefined ? path : realpathSync(path)
  const temporary = join(dirname(file), `${basename(file)}.${randomBytes(6).toString('hex')}.tmp`)
  const descriptor = openSync(temporary, 'wx', OWNER_ONLY)
  try {
    writeFileSync(descriptor, text)
    // Whoever was given the file to read, such as the gateway's own user, can read it still.
    if (before !== undefined) {
      giveTo(descriptor, before)
      fchmodSync(descriptor, before.mode & 0o777)
    }
    fsyncSync(descriptor)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function giveTo(descriptor: number, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    fchownSync(descriptor, uid, gid)
  } catch {
    // Only root may give files away; then it belongs to whoever changes it, with the same permissions.
  }
}

async function lock(path: string, patience: number): Promise<() => void> {
  const deadline = Date.now() + patience
  for (;;) {
    try {
      closeSync(openSync(path, 'wx', OWNER_ONLY))
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (Date.now() >= deadline) {
        throw new KeyFileError([`${path}: another command is changing the keys. If none is, remove this file.`])
      }
      await sleep(LOCK_RETRY_MS)
    }
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
