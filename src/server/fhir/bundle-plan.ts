// A batch or transaction as it goes upstream: searches among the entries narrowed, writes checked and made conditional, entries of a
// batch that are refused left out. One refused entry refuses a whole transaction (R4 http §transaction); a batch goes on as one batch.

import { constrainParameters } from '../../domain/constraint/constrain-request.ts'
import type { Constraint } from '../../domain/constraint/constraint.ts'
import type { Permit } from '../../domain/decision/decision.ts'
import type { BundleEntry, BundleRequest } from '../../domain/fhir/bundle.ts'
import type { EntryChange } from '../../domain/fhir/bundle-print.ts'
import { EntryReferences, refersTo } from '../../domain/fhir/entry-references.ts'
import { isWrite } from '../../domain/fhir/interaction.ts'
import { printRequestPath } from '../../domain/fhir/request-path.ts'
import type { JsonObject } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse, refuseEach } from '../../domain/refusal.ts'
import { ConditionalReferences } from './conditional-references.ts'
import { findEntryMatches } from './entry-matches.ts'
import { EntryReads } from './entry-reads.ts'
import { checkEntry, type PlannedEntry } from './entry-write.ts'
import { inParallel } from './in-parallel.ts'
import { targetsOf } from './provenance-entries.ts'
import type { WriteRules } from './write-check.ts'

export interface PlannedBundle {
  readonly body: string
  /** By the places that the client gave the entries. */
  readonly constraints: readonly (Constraint | undefined)[]
  readonly refused: ReadonlyMap<number, Refusal>
  /** Places of writes upon what the caller may read, or upon nothing. */
  readonly readable: ReadonlySet<number>
  /** Places of writes that were made conditional on what was looked at, of which the client knows nothing. */
  readonly conditional: ReadonlySet<number>
  /** Places of updates that are sent as creates, since their conditions found nothing. */
  readonly upserts: ReadonlySet<number>
  /** Refused when they were looked at anew; filled as the answer comes. */
  readonly late: Map<number, Refusal>
  /** Looks anew at what some entries are upon; `readable`, `upserts` and `conditional` then say what was found now. */
  replan(places: readonly number[]): Promise<PlannedAgain>
}

export interface PlannedAgain {
  readonly refused: ReadonlyMap<number, Refusal>
  /** Of the others, in order. */
  readonly body: string
}

const NO_ADDRESSES: ReadonlyMap<string, string> = new Map()
/** Questions to the upstream at a time. */
const MOST_AT_ONCE = 8

export async function planBundle(
  bundle: BundleRequest,
  decision: Permit,
  rules: WriteRules,
): Promise<PlannedBundle | Refusal> {
  const { code, entries } = bundle
  const constraints = decision.outcome === 'forward' ? [] : decision.constraints
  const refused = new Map(decision.outcome === 'forward' ? [] : decision.refused)
  const limits = limitsOf(entries, constraints)
  const addresses = code === 'transaction' ? await findEntryMatches(entries, constraints, rules.ask) : NO_ADDRESSES
  if (isRefusal(addresses)) return addresses
  const references = new EntryReferences(code, entries)
  const reads = new EntryReads(code, entries)
  const entryPlans = new EntryPlans(entries)
  const look = (places: readonly number[], into: Map<number, Refusal>): Promise<void> => {
    const parts = { rules, entries, references, reads, addresses, lookups: new ConditionalReferences(rules.ask) }
    return inParallel(places, MOST_AT_ONCE, async (place) => {
      const planned = await planEntry(entries[place]!, limits[place]!, parts)
      if (isRefusal(planned)) into.set(place, planned)
      entryPlans.set(place, isRefusal(planned) ? undefined : planned)
      return !isRefusal(planned) || code === 'batch'
    })
  }
  await look(
    [...entries.keys()].filter((place) => !refused.has(place)),
    refused,
  )
  const { changes, readable, conditional, upserts } = entryPlans
  if (code === 'batch') refuseDependents(entries, refused)
  const [first] = [...refused.keys()].sort((a, b) => a - b)
  if (first !== undefined && code === 'transaction') return placed(refused.get(first)!, first)
  if (refused.size === entries.length) return refuseAll(entries.map((_, index) => refused.get(index)!))
  const twice = code === 'transaction' ? writtenTwice(entries, changes) : undefined
  if (twice !== undefined) return placed(refuse('body-invalid', 'another entry writes the same resource.'), twice)
  return {
    body: bundle.print(changes, new Set(refused.keys())),
    constraints,
    refused,
    readable,
    conditional,
    upserts,
    late: new Map(),
    async replan(places) {
      const refusedNow = new Map<number, Refusal>()
      await look(places, refusedNow)
      const sent = new Set(places.filter((place) => !refusedNow.has(place)))
      const without = new Set([...entries.keys()].filter((place) => !sent.has(place)))
      return { refused: refusedNow, body: sent.size === 0 ? '' : bundle.print(changes, without) }
    },
  }
}

/** What was planned of each entry last. */
class EntryPlans {
  readonly changes = new Map<number, EntryChange>()
  readonly readable = new Set<number>()
  readonly conditional = new Set<number>()
  readonly upserts = new Set<number>()
  readonly #entries: readonly BundleEntry[]

  constructor(entries: readonly BundleEntry[]) {
    this.#entries = entries
  }

  set(place: number, planned: PlannedEntry | undefined): void {
    const { change, isReadable = false } = planned ?? {}
    const { ifMatch, ifNoneMatch, interaction } = this.#entries[place]!
    const isUpsert = change?.ifNoneExist !== undefined && interaction.code === 'update'
    const isOurs = isUpsert || (change?.ifMatch ?? change?.ifNoneMatch) !== undefined
    if (change === undefined) this.changes.delete(place)
    else this.changes.set(place, change)
    mark(this.readable, place, isReadable)
    mark(this.upserts, place, isUpsert)
    // `*` holds for whatever is stored by then.
    mark(this.conditional, place, isOurs && (ifMatch ?? '*').trim() === '*' && ifNoneMatch === undefined)
  }
}

function mark(places: Set<number>, place: number, is: boolean): void {
  if (is) places.add(place)
  else places.delete(place)
}

/** Nothing goes upstream. When it was not reached at all, the batch failed as such and may be sent again. */
function refuseAll(refusals: readonly Refusal[]): Refusal {
  const [first, ...others] = refusals
  return refusals.every(({ status }) => status >= 500) ? first! : refuseEach([first!, ...others])
}

function placed({ code, detail, extras }: Refusal, index: number): Refusal {
  return refuse(code, `Bundle.entry[${index}]: ${detail}`, extras)
}

/** The limits within which an entry, and each of its conditional references, was cleared. */
interface EntryLimits {
  readonly own: Constraint | undefined
  readonly lookups: readonly (Constraint | undefined)[]
}

/** `constraints`: of the entries first, then of the conditional references of each. */
function limitsOf(
  entries: readonly BundleEntry[],
  constraints: readonly (Constraint | undefined)[],
): readonly EntryLimits[] {
  let from = entries.length
  return entries.map(({ lookups }, index) => {
    const own = constraints[index]
    const limits = lookups.map((_, at) => constraints[from + at] ?? own)
    from += lookups.length
    return { own, lookups: limits }
  })
}

interface Parts {
  readonly rules: WriteRules
  readonly entries: readonly BundleEntry[]
  readonly addresses: ReadonlyMap<string, string>
  readonly references: EntryReferences
  readonly reads: EntryReads
  readonly lookups: ConditionalReferences
}

async function planEntry(
  entry: BundleEntry,
  { own, lookups }: EntryLimits,
  parts: Parts,
): Promise<PlannedEntry | undefined | Refusal> {
  const { interaction, resource } = entry
  if (!isWrite(interaction)) {
    if (own === undefined) return undefined
    const change = (await parts.reads.refuse(entry, own, parts.rules.ask)) ?? narrowedRead(entry, own)
    return isRefusal(change) ? change : { change }
  }
  const found = await parts.lookups.find(entry, lookups)
  if (isRefusal(found)) return found
  if (own === undefined) return found.size === 0 ? undefined : { change: { references: found } }
  const references = new Map([...parts.addresses, ...found])
  const seen = resource && seenAs(resource, references, own, parts)
  const planned = await checkEntry({ ...entry, interaction }, seen, own, parts.rules)
  return isRefusal(planned) ? planned : { ...planned, change: { ...planned.change, references } }
}

/** As the server will read it. */
function seenAs(
  resource: JsonObject,
  found: ReadonlyMap<string, string>,
  constraint: Constraint,
  { entries, references }: Parts,
): JsonObject {
  const resolved = references.resolve(resource, found)
  if (resource['resourceType'] !== 'Provenance') return resolved
  return { ...resolved, ...targetsOf(resource, resolved, { entries, references, constraint, found }) }
}

function narrowedRead(
  { method, interaction, segments, parameters: given }: BundleEntry,
  constraint: Constraint,
): EntryChange | Refusal {
  const constrained = constrainParameters(interaction, given, constraint)
  if (isRefusal(constrained)) return constrained
  const { parameters, exact, probes } = constrained
  if (!exact && probes) return refuse('constraint-unenforceable', ALONE)
  const url = printRequestPath(segments, parameters).replace(/^\//, '')
  return method === 'POST' ? { url } : { get: url }
}

// Its pages would have to be looked through while the other answers wait.
const ALONE =
  'No one search says what these scopes cover together. Send it by itself, or with the filter of one of them.'

/** What refers to what a refused entry would have made is refused too: nobody makes it. */
function refuseDependents(entries: readonly BundleEntry[], refused: Map<number, Refusal>): void {
  const names = new Set<string>()
  const add = ({ fullUrl }: BundleEntry): unknown => fullUrl?.startsWith('urn:') && names.add(fullUrl)
  for (const index of refused.keys()) add(entries[index]!)
  for (let size = -1; size !== names.size; ) {
    size = names.size
    if (size === 0) return
    for (const [index, entry] of entries.entries()) {
      if (refused.has(index) || entry.resource === undefined || !refersTo(entry.resource, names)) continue
      refused.set(index, refuse('body-invalid', 'the entry refers to another one, which is refused.'))
      add(entry)
    }
  }
}

/** Two writes of one resource in a transaction have no order (R4 http §transaction); where one was checked, both would rest on that. */
function writtenTwice(entries: readonly BundleEntry[], changes: ReadonlyMap<number, EntryChange>): number | undefined {
  const written = new Map<string, number>()
  for (const [index, { interaction }] of entries.entries()) {
    if (!isWrite(interaction) || interaction.code === 'create') continue
    const change = changes.get(index)
    const key = interaction.id === undefined ? change?.url : `${interaction.type}/${interaction.id}`
    const other = key === undefined || change?.method === 'POST' ? undefined : written.get(key)
    if (other !== undefined && (change !== undefined || changes.has(other))) return index
    if (key !== undefined) written.set(key, index)
  }
  return undefined
}
