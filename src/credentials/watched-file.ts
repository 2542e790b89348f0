// Follows a file while the gateway runs. It is asked by stat rather than by events, which mounted volumes do not send, and a file that was
// swapped has another inode. What it means that a file is broken or gone is for whoever hears of it; gone is told only when it is gone
// twice, because some editors remove a file before they write it.

import { open } from 'node:fs/promises'

export type FileNews<Content> =
  | { readonly state: 'read'; readonly content: Content }
  | { readonly state: 'missing' }
  /** `problems` hold nothing that the file keeps secret. */
  | { readonly state: 'broken'; readonly problems: readonly string[] }

/** Throws an error that has `problems` when the text cannot be used. */
export type ParseFile<Content> = (text: string, file: string) => Content | Promise<Content>

export const LARGEST_FILE = 16 * 1024 * 1024
/** File systems count time in steps: a file that was written just now may change again without a newer time. */
const SETTLED_MS = 2_000

export class WatchedFile<Content> {
  readonly #file: string
  readonly #parse: ParseFile<Content>
  readonly #tell: (news: FileNews<Content>) => void
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  /** What was told last; a broken file with its problems. */
  #told = ''
  /** Of the file that `#text` was read from; empty while it may still change without showing it. */
  #stamp = ''
  #text: string | undefined
  #timesMissing = 0

  constructor(file: string, parse: ParseFile<Content>, tell: (news: FileNews<Content>) => void) {
    this.#file = file
    this.#parse = parse
    this.#tell = tell
  }

  /** Looks again every so many milliseconds; does not keep the process alive. */
  start(interval: number): void {
    this.#timer = setInterval(() => void this.look(), interval).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Looks now. Never rejects; tells only what is new. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    let text: string | undefined
    try {
      text = await this.#readIfChanged()
    } catch (error) {
      this.#unreadable(error as NodeJS.ErrnoException)
      return
    }
    this.#timesMissing = 0
    if (text === undefined) return
    this.#text = text
    try {
      this.#news({ state: 'read', content: await this.#parse(text, this.#file) })
    } catch (error) {
      this.#news({ state: 'broken', problems: problemsOf(error) ?? [`${this.#file}: it cannot be parsed`] })
    }
  }

  async #readIfChanged(): Promise<string | undefined> {
    const handle = await open(this.#file, 'r')
    try {
      const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = await handle.stat({ bigint: true })
      const stamp = [dev, ino, size, mtimeNs, ctimeNs].join()
      if (stamp === this.#stamp) return undefined
      if (size > LARGEST_FILE) throw new Error(`it is larger than ${LARGEST_FILE} bytes`)
      const text = await handle.readFile('utf8')
      this.#stamp = Date.now() - Number(mtimeMs) > SETTLED_MS ? stamp : ''
      return text === this.#text ? undefined : text
    } finally {
      await handle.close()
    }
  }

  #unreadable({ code, message }: NodeJS.ErrnoException): void {
    if (code !== 'ENOENT') {
      this.#forget()
      this.#news({ state: 'broken', problems: [`${this.#file}: ${message}`] })
      return
    }
    this.#timesMissing++
    if (this.#timesMissing < 2 && this.#told !== '') return
    this.#forget()
    this.#news({ state: 'missing' })
  }

  /** Whatever can be read next is news. */
  #forget(): void {
    this.#stamp = ''
    this.#text = undefined
  }

  #news(news: FileNews<Content>): void {
    const summary = 'problems' in news ? news.problems.join('\n') : news.state
    if (news.state !== 'read' && summary === this.#told) return
    this.#told = summary
    this.#tell(news)
  }
}

function problemsOf(error: unknown): readonly string[] | undefined {
  const problems: unknown = error instanceof Error && 'problems' in error ? error.problems : undefined
  return Array.isArray(problems) && problems.every((it) => typeof it === 'string') ? problems : undefined
}
