// Reads of a resource, while its bytes go by, only the members that its judgement looks at: building all the others would cost more than
// everything else about them. Servers write `resourceType` first; of a resource that begins otherwise everything is read.

import { QUOTE } from './json-bytes.ts'
import { memberName } from './member-names.ts'

export type LooksAt = (type: unknown) => ReadonlySet<string>

export class ResourceReader {
  readonly #looksAt: LooksAt
  /** Undefined until the type is known. */
  #wanted: ReadonlySet<string> | undefined
  #members: Record<string, unknown> = {}
  #key = ''
  #whole = false
  #twice = false

  constructor(looksAt: LooksAt) {
    this.#looksAt = looksAt
  }

  begin(): void {
    this.#wanted = undefined
    this.#members = {}
    this.#whole = false
    this.#twice = false
  }

  wants(key: string): boolean {
    if (this.#whole) return false
    const known = this.#wanted !== undefined
    if (!known && key !== 'resourceType') {
      this.#whole = true
      return false
    }
    if (known && !this.#wanted!.has(key)) return false
    // Which of two a client reads nobody knows.
    this.#twice ||= Object.hasOwn(this.#members, key)
    this.#key = key
    return true
  }

  /** The value of the member that was wanted last. */
  take(raw: Buffer): void {
    if (this.#wanted !== undefined) this.#members[this.#key] = JSON.parse(raw.toString())
    else {
      const type: unknown = raw[0] === QUOTE ? memberName(raw, 0, raw.length) : JSON.parse(raw.toString())
      this.#members = { resourceType: type }
      this.#wanted = this.#looksAt(type)
    }
  }

  /** What was read; undefined where nobody can say what it means. */
  end(raw: Buffer): unknown {
    if (this.#twice) return undefined
    return this.#whole ? JSON.parse(raw.toString()) : this.#members
  }
}
