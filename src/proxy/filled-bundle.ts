// The answer to a search that could not be narrowed to what the scopes cover, page by page of the server behind: pages on which nothing
// is left are skipped, and `next` is given only where something that may be seen follows. Else the links would count what is withheld,
// and a client would be led through empty pages. Both within bounds. The Bundle around the entries is ours.

import type { Refusal } from '../domain/refusal.ts'
import type { BundleLinks } from './bundle-links.ts'
import type { BodySink, BodyTransform } from './forward.ts'
import type { EntryJudge } from './guard-editor.ts'
import { GuardedPage } from './guarded-bundle.ts'

export interface FilledBundleOptions {
  readonly type: 'searchset' | 'history'
  readonly links: BundleLinks
  /** For each page anew: what proves something proves it on its page. */
  judge(): EntryJudge
  readonly mostHeld: number
  counted?(result: 'released' | 'withheld', count: number): void
  /** The page of the upstream to which a link leads; undefined where it cannot be had. */
  fetch(url: string): Promise<Buffer | undefined>
}

/** Pages that are asked for beyond the one that the client asked for. */
const MOST_PAGES = 10

export function filledBundle(options: FilledBundleOptions): BodyTransform {
  return new FilledBundle(options)
}

interface Read {
  readonly entries: readonly Buffer[]
  readonly withheld: number
  readonly next: string | undefined
}

class FilledBundle implements BodyTransform {
  readonly guards = 'bundle'
  readonly #options: FilledBundleOptions
  readonly #first: GuardedPage
  readonly #visited = new Set<string>()
  #out: BodySink | undefined
  #next: string | undefined
  #given = 0
  #left = MOST_PAGES

  constructor(options: FilledBundleOptions) {
    this.#options = options
    this.#first = this.#page((entry) => this.#give(entry))
  }

  write(chunk: Buffer, out: BodySink): Refusal | undefined {
    this.#out = out
    return this.#first.push(chunk)
  }

  async end(out: BodySink): Promise<Refusal | undefined> {
    this.#out = out
    const refusal = this.#first.end()
    if (refusal !== undefined) return refusal
    let withheld = this.#first.withheld
    let next = this.#following()
    while (this.#given === 0 && next !== undefined) {
      const page = await this.#read(next)
      if (page === undefined) break
      for (const entry of page.entries) this.#give(entry)
      withheld += page.withheld
      next = page.next
    }
    const { counted } = this.#options
    counted?.('released', this.#given)
    counted?.('withheld', withheld)
    this.#close(await this.#firstWithEntries(next))
    return undefined
  }

  /** The page, from `next` on, on which something is left; where that is not found within bounds, how far the search for it came. */
  async #firstWithEntries(next: string | undefined): Promise<string | undefined> {
    let ahead = next
    while (ahead !== undefined) {
      const page = await this.#read(ahead)
      if (page === undefined || page.entries.length > 0) return ahead
      ahead = page.next
    }
    return undefined
  }

  /** Undefined for a page that cannot be had, or is one too many. */
  async #read(url: string): Promise<Read | undefined> {
    const body = this.#left-- > 0 ? await this.#options.fetch(url) : undefined
    if (body === undefined) return undefined
    const entries: Buffer[] = []
    const page = this.#page((entry) => entries.push(Buffer.from(entry)))
    if (page.push(body) !== undefined || page.end() !== undefined) return undefined
    this.#visited.add(url)
    return { entries, withheld: page.withheld, next: this.#following() }
  }

  #page(give: (entry: Buffer) => void): GuardedPage {
    const { links, judge, mostHeld } = this.#options
    const sealPage: BundleLinks['sealPage'] = (relation, url) => {
      if (relation === 'next') this.#next = url
      return undefined
    }
    return new GuardedPage({ links: { ...links, sealPage }, judge: judge(), mostHeld, mayBeEmpty: true }, give)
  }

  /** Where the page that was read last says that the next one is; a circle has no next one. */
  #following(): string | undefined {
    const next = this.#next
    this.#next = undefined
    return next !== undefined && this.#visited.has(next) ? undefined : next
  }

  #give(entry: Buffer): void {
    this.#out!.write(this.#given++ === 0 ? this.#head(',"entry":[') : COMMA)
    // A copy: the bytes of an entry are good while it is judged only.
    this.#out!.write(Buffer.from(entry))
  }

  #close(next: string | undefined): void {
    const { self, sealPage } = this.#options.links
    const url = next && sealPage?.('next', next)
    const links = [
      ...(self === undefined ? [] : [{ relation: 'self', url: self }]),
      ...(url ? [{ relation: 'next', url }] : []),
    ]
    if (this.#given === 0) this.#out!.write(this.#head(''))
    const tail = links.length === 0 ? '' : `,"link":${JSON.stringify(links)}`
    this.#out!.write(Buffer.from(`${this.#given === 0 ? '' : ']'}${tail}}`))
  }

  #head(more: string): Buffer {
    return Buffer.from(`{"resourceType":"Bundle","type":"${this.#options.type}"${more}`)
  }
}

const COMMA = Buffer.from(',')
