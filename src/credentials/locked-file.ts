// Changes a file that others read meanwhile: one writer at a time (a lock beside it), the whole file or nothing of it (a temporary file,
// then rename), readable by its owner only where it is new.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const LOCK_RETRY_MS = 25
const OWNER_ONLY = 0o600

/** Another writer holds the file, and does not let go. */
export class LockedFileError extends Error {}

export function replaceFile(path: string, text: string): void {
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

/** Waits so many milliseconds for others; returns how to let go. */
export async function lockFile(file: string, patience: number): Promise<() => void> {
  const path = `${file}.lock`
  const deadline = Date.now() + patience
  for (;;) {
    try {
      closeSync(openSync(path, 'wx', OWNER_ONLY))
      return () => rmSync(path, { force: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      if (Date.now() >= deadline) {
        throw new LockedFileError(`${path}: another command is changing the file. If none is, remove this file.`)
      }
      await sleep(LOCK_RETRY_MS)
    }
  }
}
