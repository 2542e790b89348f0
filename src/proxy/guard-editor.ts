// The entries of a Bundle, each asked about as it goes by: kept, changed, put off to the end, or taken out. Of the Bundle around them
// only known members stay. INVARIANT: no byte of a resource leaves before the judge released it.

import { isPlainOutcome } from '../domain/fhir/operation-outcome.ts'
import { BUNDLE, type BundleLinks, ENTRIES, ENTRY, EXCHANGE, INNER, LINK, LinkEditor } from './bundle-links.ts'
import { MEMBER, MEMBERS, META, plainLink, SEARCH } from './bundle-members.ts'
import { DROP, HELD, type JsonVisitor, PLACE, type Verdict, WATCHED } from './json-output.ts'
import { type LooksAt, ResourceReader } from './resource-reader.ts'

/** Judges the entries of one Bundle, in order. */
export interface EntryJudge {
  /**
   * `raw` is the JSON of `entry.resource`: kept as it is, replaced by other bytes, taken out, or with its whole entry taken out; or
   * the entry is put off until all others came by. `read` gives what it says, of a resource as far as `looksAt` wants to know it.
   */
  resource(raw: Buffer, index: number, read: () => unknown): 'release' | 'strip' | 'withhold' | 'later' | Buffer
  /** The members of a resource of this type that make a difference; without it all of them are read. */
  readonly looksAt?: LooksAt
  /** Whether an entry that was put off goes behind the last one. */
  late?(index: number): boolean
  /** An entry that is taken out or came without a resource (`raw`): bytes for its place, or undefined to leave it out. */
  instead?(index: number, hadResource: boolean, raw: Buffer): Buffer | 'keep' | undefined
  /** An OperationOutcome in `response`, without other resources in it: other bytes for it, or undefined to keep it. */
  outcome?(outcome: unknown, index: number): Buffer | undefined
  /** How many entries there must be at least, where each stands for one that was sent. */
  readonly count?: number
  /** Entries to put in before this one, and behind the last: JSON with commas between, empty for none. */
  before?(index: number): Buffer
  behind?(): Buffer
}

export interface GuardEditorOptions {
  readonly links: BundleLinks
  readonly judge: EntryJudge
  /** Bytes of entries that may be put off. */
  readonly mostHeld: number
}

const COMMA = Buffer.from(',')
const NOTHING = Buffer.alloc(0)

// Places besides those of the links.
const KIND = 40
const GONE = 41
const RESOURCE = 42
const OUTCOME = 43

interface LateEntry {
  readonly index: number
  readonly raw: Buffer
}

export class GuardEditor implements JsonVisitor {
  fault: string | undefined
  released = 0
  withheld = 0
  readonly #late: LateEntry[] = []
  #lateBytes = 0
  readonly #mostHeld: number
  readonly #links: LinkEditor
  readonly #judge: EntryJudge
  #kind = false
  #index = -1
  #verdict: 'release' | 'withhold' | 'later' | undefined
  readonly #reader: ResourceReader | undefined
  /** Takes the released entries out of the Bundle. */
  readonly #give: ((entry: Buffer) => void) | undefined

  constructor({ links, judge, mostHeld }: GuardEditorOptions, give?: (entry: Buffer) => void) {
    this.#give = give
    this.#mostHeld = mostHeld
    // Bundles within are for the judge alone.
    this.#links = new LinkEditor({ ...links, nested: false })
    this.#judge = judge
    this.#reader = judge.looksAt && new ResourceReader(judge.looksAt)
  }

  end(): void {
    if (!this.#kind) this.fault ??= 'no Bundle'
    const { count } = this.#judge
    if (count !== undefined && count > this.#index + 1) this.fault ??= 'fewer entries than were sent'
  }

  enter(place: number, key: string | undefined, first: number): number {
    // The most frequent by far.
    if (place === RESOURCE) return this.#reader!.wants(key!) ? MEMBER | HELD : 0
    const outer = place & ~INNER
    const begins = MEMBERS[outer]?.[key ?? '']
    if (MEMBERS[outer] !== undefined && begins !== first) {
      // A list or a resource in another shape would be read by some client, and was judged by nobody.
      if (begins !== undefined) this.fault ??= `${key} in another shape`
      return GONE | HELD
    }
    switch (outer) {
      case BUNDLE:
        if (key === 'resourceType') return KIND | HELD
        return key === 'meta' ? META | WATCHED : this.#links.enter(place, key, first)
      case ENTRIES: {
        this.#index++
        this.#verdict = undefined
        const flags = this.#links.enter(place, key, first)
        return (flags & PLACE) === ENTRY ? flags | HELD : GONE | HELD
      }
      case ENTRY:
        if (key === 'resource') return this.#beginResource()
        return key === 'search' ? SEARCH | WATCHED : this.#links.enter(place, key, first)
      case EXCHANGE:
        return key === 'outcome' ? OUTCOME | HELD : this.#links.enter(place, key, first)
      case META:
      case SEARCH:
        return 0
      default:
        return this.#links.enter(place, key, first)
    }
  }

  leave(place: number, raw: Buffer): Verdict {
    switch (place) {
      case KIND:
        if (this.#kind || raw.toString('latin1') !== '"Bundle"') this.fault ??= 'no Bundle'
        this.#kind = true
        return undefined
      case GONE:
        return DROP
      case MEMBER:
        this.#reader!.take(raw)
        return undefined
      case RESOURCE:
        return this.#resource(raw)
      case OUTCOME:
        return this.#outcome(JSON.parse(raw.toString()))
      case ENTRY:
        return this.#given(this.#withThoseBefore(this.#entry(raw), raw), raw)
      case LINK:
        return plainLink(this.#links.leave(place, raw))
      default:
        return this.#links.leave(place, raw)
    }
  }

  close(place: number, kept: number): Buffer | undefined {
    if (place !== ENTRIES) return undefined
    const more = [...this.#releaseLate(), this.#judge.behind?.() ?? NOTHING].filter(({ length }) => length > 0)
    if (this.#give !== undefined) for (const entry of more) this.#give(entry)
    if (more.length === 0 || this.#give !== undefined) return undefined
    const separated = more.flatMap((bytes) => [COMMA, bytes])
    return Buffer.concat(kept === 0 ? separated.slice(1) : separated)
  }

  #releaseLate(): readonly Buffer[] {
    const released = this.#late.filter(({ index }) => this.#judge.late!(index))
    this.released += released.length
    this.withheld += this.#late.length - released.length
    return released.map(({ raw }) => raw)
  }

  #given(entry: Buffer | typeof DROP | undefined, raw: Buffer): Buffer | typeof DROP | undefined {
    if (this.#give === undefined || entry === DROP) return entry
    this.#give(entry ?? raw)
    return DROP
  }

  #withThoseBefore(entry: Buffer | typeof DROP | undefined, raw: Buffer): Buffer | typeof DROP | undefined {
    const before = this.#judge.before?.(this.#index)
    if (before === undefined || before.length === 0) return entry
    return entry === DROP ? before : Buffer.concat([before, COMMA, entry ?? raw])
  }

  #beginResource(): number {
    this.#reader?.begin()
    return this.#reader === undefined ? RESOURCE | HELD : RESOURCE | HELD | WATCHED
  }

  #resource(raw: Buffer): Buffer | typeof DROP | undefined {
    // A second one in the same entry would be judged by nobody.
    const read = (): unknown => (this.#reader === undefined ? JSON.parse(raw.toString()) : this.#reader.end(raw))
    const verdict = this.#verdict === undefined ? this.#judge.resource(raw, this.#index, read) : 'withhold'
    this.#verdict = verdict === 'withhold' || verdict === 'later' ? verdict : 'release'
    if (verdict === 'withhold' || verdict === 'strip') return DROP
    return typeof verdict === 'string' ? undefined : verdict
  }

  #outcome(outcome: unknown): Verdict {
    return isPlainOutcome(outcome) ? this.#judge.outcome?.(outcome, this.#index) : DROP
  }

  #entry(raw: Buffer): Buffer | typeof DROP | undefined {
    if (this.#verdict === 'release') {
      this.released++
      return undefined
    }
    if (this.#verdict === 'later' && this.#lateBytes + raw.length <= this.#mostHeld) {
      this.#late.push({ index: this.#index, raw: Buffer.from(raw) })
      this.#lateBytes += raw.length
      return DROP
    }
    const hadResource = this.#verdict !== undefined
    if (hadResource) this.withheld++
    const instead = this.#judge.instead?.(this.#index, hadResource, raw)
    return instead === 'keep' ? undefined : (instead ?? DROP)
  }
}

/** `link`: as the editor of links writes it anew. */
