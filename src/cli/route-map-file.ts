// The file of the route map while a gateway serves it: read on demand, and watched. It is looked at by stat rather than by events,
// which mounted volumes do not send; a file that was renamed over it, and a symbolic link that was turned to another folder as
// Kubernetes does with a ConfigMap, is another file there. A change counts once two looks in a row found the same text, so that
// a file which is being written is not taken for a shorter one.

import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { type Failed, type Loaded, loadRouteMap } from '../config/load.ts'
import type { Environment } from '../config/source/environment.ts'
import { unreadable } from './check.ts'

const LOOK_EVERY_MS = 500
/** File systems count time in steps: a file that was written just now may change again without a newer time. */
const SETTLED_MS = 2_000

export class RouteMapFile {
  readonly file: string
  readonly #env: Environment
  /** As it was loaded last; undefined when it could not be read. */
  #loaded: string | undefined
  /** Found by the last look, when that was not what was loaded. */
  #found: { readonly text: string | undefined } | undefined
  /** Of the file that was last found unchanged; empty while it may still change without showing it. */
  #stamp = ''
  #timer: NodeJS.Timeout | undefined
  #looking = false

  constructor(path: string, env: Environment) {
    this.file = path
    this.#env = env
  }

  /** The text that was loaded last. */
  get text(): string {
    return this.#loaded ?? ''
  }

  load(): Loaded | Failed {
    this.#found = undefined
    try {
      this.#loaded = readFileSync(this.file, 'utf8')
    } catch (error) {
      this.#loaded = undefined
      return unreadable(this.file, error)
    }
    return loadRouteMap(this.#loaded, { file: this.file, env: this.#env })
  }

  /** Tells when the file holds something else than was loaded last. Does not keep the process alive. */
  watch(changed: () => unknown, interval = LOOK_EVERY_MS): void {
    this.#timer = setInterval(() => void this.#look(changed), interval).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  async #look(changed: () => unknown): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const text = await this.#readIfTouched()
      if (text === 'untouched') return
      if (text.read === this.#loaded) this.#found = undefined
      else if (this.#found === undefined || this.#found.text !== text.read) this.#found = { text: text.read }
      else {
        this.#found = undefined
        changed()
      }
    } finally {
      this.#looking = false
    }
  }

  async #readIfTouched(): Promise<{ readonly read: string | undefined } | 'untouched'> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs } = await stat(this.file, { bigint: true })
      const stamp = [dev, ino, size, mtimeNs, ctimeNs].join()
      if (stamp === this.#stamp) return 'untouched'
      const read = await readFile(this.file, 'utf8')
      const settled = read === this.#loaded && Date.now() - Number(mtimeMs) > SETTLED_MS
      this.#stamp = settled ? stamp : ''
      return { read }
    } catch {
      this.#stamp = ''
      return { read: undefined }
    }
  }
}
