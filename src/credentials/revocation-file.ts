// The revocations file of a running gateway (`revocations.file`): followed as it changes, and added to when something is revoked on the
// admin port. INVARIANT: what was read last counts on while the file is broken or gone; at the start it must be there and whole, because
// a gateway that lost its revocations would let revoked tokens in.

import { readFileSync } from 'node:fs'
import { LockedFileError, lockFile, replaceFile } from './locked-file.ts'
import { printRevocation, RevocationError, readRevocationLines } from './revocation-lines.ts'
import type { Revocation, RevocationList } from './revocation-list.ts'
import { MOST_REVOCATIONS, type Revocations } from './revocations.ts'
import { type FileNews, LARGEST_FILE, WatchedFile } from './watched-file.ts'

export interface RevocationFileOptions {
  readonly file: string
  readonly revocations: Revocations
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Milliseconds between two looks at the file. */
  readonly interval?: number
  readonly onNews?: (news: FileNews<RevocationList>) => void
}

export interface RevocationFile {
  /** Why the file in place does not count; what was read before it still does. */
  readonly problems: readonly string[]
  /** Adds to the file, and drops what has expired from it; rejects with a RevocationError when that cannot be. */
  append(revocations: readonly Revocation[]): Promise<void>
  /** Looks at the file now instead of at the next turn. */
  look(): Promise<void>
  close(): void
}

const INTERVAL_MS = 1_000
const LOCK_WAIT_MS = 5_000

/** Rejects with a RevocationError when the file is not there or cannot be used. */
export async function openRevocationFile(options: RevocationFileOptions): Promise<RevocationFile> {
  const { file, revocations, now, interval = INTERVAL_MS, onNews } = options
  const source = revocations.source()
  let problems: readonly string[] = []
  let open = false
  const watch = new WatchedFile(
    file,
    async (text) => (await readRevocationLines(text, file, now())).list,
    (news) => {
      if (news.state === 'read') source.replace(news.content)
      problems = news.state === 'broken' ? news.problems : news.state === 'missing' ? [missing(file)] : []
      if (open || news.state === 'read') onNews?.(news)
    },
  )
  await watch.look()
  if (problems.length > 0) {
    source.close()
    throw new RevocationError(problems)
  }
  open = true
  watch.start(interval)
  let writing: Promise<void> = Promise.resolve()
  return {
    get problems() {
      return problems
    },
    append(added) {
      const write = writing.then(() => addTo(file, added, now())).then(() => watch.look())
      writing = write.catch(() => {})
      return write
    },
    look: () => watch.look(),
    close() {
      watch.stop()
      source.close()
    },
  }
}

const missing = (file: string): string => `${file}: there is no such file. Create an empty one if nothing is revoked.`

async function addTo(file: string, added: readonly Revocation[], now: number): Promise<void> {
  const unlock = await lockFile(file, LOCK_WAIT_MS).catch((error: unknown) => {
    throw new RevocationError([error instanceof LockedFileError ? error.message : cannot(file, 'written', error)])
  })
  try {
    const { list, kept } = await readRevocationLines(readWhole(file), file, now)
    const news = added.filter((revocation) => !list.covers(revocation))
    if (news.length === 0) return
    for (const revocation of news) list.add(revocation)
    const text = [...kept, ...news.map((one) => JSON.stringify(printRevocation(one))), ''].join('\n')
    // What could not be read back would be lost with the next start.
    if (list.size > MOST_REVOCATIONS || Buffer.byteLength(text) > LARGEST_FILE) {
      throw new RevocationError([
        `${file}: it is full. Let revocations expire sooner, or take out what is no longer needed.`,
      ])
    }
    replaceFile(file, text)
  } catch (error) {
    throw error instanceof RevocationError ? error : new RevocationError([cannot(file, 'written', error)])
  } finally {
    unlock()
  }
}

function readWhole(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new RevocationError([cannot(file, 'read', error)])
  }
}

function cannot(file: string, what: string, error: unknown): string {
  return `${file}: it cannot be ${what} (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`
}
