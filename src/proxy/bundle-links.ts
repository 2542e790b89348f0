// Rewrites the URLs of a Bundle as it streams (contract §5): `fullUrl`, `response.location` and `request.url` from the upstream's
// base to the public one, `self` as the client's own search, the paging links through a seal. What names the upstream outside
// its base is dropped, what names another server stays. Resources pass byte for byte.

import { type Refusal, refuse } from '../domain/refusal.ts'
import type { BodySink, BodyTransform } from './forward.ts'
import { OPEN_ARRAY, OPEN_OBJECT, QUOTE } from './json-bytes.ts'
import { DROP, HELD, type JsonVisitor, LAZY, type Verdict, WATCHED } from './json-output.ts'
import { JsonScanner } from './json-scan.ts'
import type { PublicUrls } from './public-url.ts'

export type PageRelation = 'next' | 'previous' | 'prev' | 'first' | 'last'

export interface BundleLinks {
  readonly urls: PublicUrls
  /** What `self` says instead of the upstream's; undefined: the upstream's own under the public base. */
  readonly self?: string | undefined
  /** The client's form of a paging link, or undefined to leave the link out. Without it paging links are mapped like all others. */
  readonly sealPage?: ((relation: PageRelation, url: string) => string | undefined) | undefined
  /** Entries hold answers of their own (batch and transaction): searchsets and histories in them are rewritten too. */
  readonly nested?: boolean | undefined
  /** `self` and pages of what the entry at this place holds; without it as those of the outer Bundle. */
  readonly inner?: ((place: number) => InnerLinks) | undefined
}

export type InnerLinks = Pick<BundleLinks, 'self' | 'sealPage'>

/** URLs and links are short; what is longer is no link. */
const MOST_HELD = 256 * 1024

export function bundleLinks(options: BundleLinks): BodyTransform {
  const scanner = new JsonScanner(new LinkEditor(options), MOST_HELD)
  const fault = (): Refusal | undefined =>
    scanner.fault === undefined
      ? undefined
      : refuse('upstream-broken', 'The server behind this route answered with broken JSON.')
  return {
    write(chunk: Buffer, out: BodySink) {
      const bytes = scanner.push(chunk)
      if (scanner.fault === undefined) out.write(bytes)
      return fault()
    },
    end() {
      scanner.end()
      return fault()
    },
  }
}

// Places. Those of a Bundle within a Bundle are the same plus INNER.
export const BUNDLE = 1
export const LINKS = 2
export const LINK = 3
export const ENTRIES = 4
export const ENTRY = 5
export const EXCHANGE = 6
const URL_VALUE = 7
const TYPE = 8
const PARAMETERS = 9
const PARAMETER = 10
export const INNER = 16

const PAGES: ReadonlySet<unknown> = new Set<PageRelation>(['next', 'previous', 'prev', 'first', 'last'])

export class LinkEditor implements JsonVisitor {
  readonly #options: BundleLinks
  #place = -1
  #innerLinks: InnerLinks
  /** `type` of the Bundle within, once it came by. */
  #innerType: string | undefined

  constructor(options: BundleLinks) {
    this.#options = options
    this.#innerLinks = options
  }

  enter(place: number, key: string | undefined, first: number): number {
    if (place === 0) return first === OPEN_OBJECT ? BUNDLE | WATCHED : 0
    const inner = place & INNER
    switch (place - inner) {
      case BUNDLE:
        return this.#member(key, first, inner)
      case LINKS:
        return LINK | inner | HELD
      case ENTRIES:
        if (inner === 0) this.#place++
        return first === OPEN_OBJECT ? ENTRY | inner | WATCHED : 0
      case ENTRY:
        return this.#entryMember(key, first, inner)
      case EXCHANGE:
        return key === 'location' || key === 'url' ? URL_VALUE | HELD : 0
      case PARAMETERS:
        return first === OPEN_OBJECT ? PARAMETER | WATCHED : 0
      default:
        return this.#parameterMember(key, first)
    }
  }

  leave(place: number, raw: Buffer): Verdict {
    if (place === (TYPE | INNER)) this.#innerType = raw.toString('latin1', 1, raw.length - 1)
    else if (place === URL_VALUE) return this.#mapped(raw)
    else if ((place & ~INNER) === LINK) return this.#link(raw, place === LINK ? this.#options : this.#innerLinks)
    return undefined
  }

  #member(key: string | undefined, first: number, inner: number): number {
    if (inner !== 0) {
      if (key === 'type' && first === QUOTE) return TYPE | INNER | HELD
      if (this.#innerType !== undefined && this.#innerType !== 'searchset' && this.#innerType !== 'history') return 0
    }
    if (key === 'entry' && first === OPEN_ARRAY) return ENTRIES | inner | WATCHED
    if (key === 'link' && first === OPEN_ARRAY) return LINKS | inner | WATCHED | LAZY
    if (key === 'parameter' && first === OPEN_ARRAY && inner === 0) return PARAMETERS | WATCHED
    return 0
  }

  #entryMember(key: string | undefined, first: number, inner: number): number {
    switch (key) {
      case 'fullUrl':
        return URL_VALUE | HELD
      case 'link':
        return first === OPEN_ARRAY ? LINKS | inner | WATCHED | LAZY : 0
      case 'response':
      case 'request':
        return first === OPEN_OBJECT ? EXCHANGE | inner | WATCHED : 0
      case 'resource':
        return this.#options.nested === true && inner === 0 ? this.#enterInner(first) : 0
      default:
        return 0
    }
  }

  /** Operations answer with Parameters, in which a search result may lie. */
  #parameterMember(key: string | undefined, first: number): number {
    if (key === 'resource') return this.#enterInner(first)
    return key === 'part' && first === OPEN_ARRAY ? PARAMETERS | WATCHED : 0
  }

  #enterInner(first: number): number {
    this.#innerType = undefined
    this.#innerLinks = this.#options.inner?.(this.#place) ?? this.#options
    return first === OPEN_OBJECT ? BUNDLE | INNER | WATCHED : 0
  }

  #mapped(raw: Buffer): Verdict {
    if (raw[0] !== QUOTE) return undefined
    const inner = raw.toString('utf8', 1, raw.length - 1)
    const url: string = inner.includes('\\') ? JSON.parse(raw.toString()) : inner
    const mapped = this.#options.urls.map(url)
    if (mapped === undefined) return DROP
    return mapped === url ? undefined : JSON.stringify(mapped)
  }

  #link(raw: Buffer, links: InnerLinks): string | typeof DROP {
    const link: unknown = JSON.parse(raw.toString())
    if (!(link instanceof Object) || !('url' in link) || typeof link.url !== 'string') return DROP
    const url = this.#linkUrl('relation' in link ? link.relation : undefined, link.url, links)
    // Written anew, because of two members of one name only one was read.
    return url === undefined ? DROP : JSON.stringify({ ...link, url })
  }

  #linkUrl(relation: unknown, url: string, { self, sealPage }: InnerLinks): string | undefined {
    if (relation === 'self' && self !== undefined) return self
    if (sealPage !== undefined && PAGES.has(relation)) return sealPage(relation as PageRelation, url)
    return this.#options.urls.map(url)
  }
}
