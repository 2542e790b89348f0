// Writes of a batch that the server did not carry out, because what is stored was no longer what the gateway had looked at: they are
// looked at anew and sent again, as single writes are, and answered at their places (docs/decisions/0015). For that the answer is held,
// within bounds; a longer one passes as it is, and its client is told of the conflict. In a transaction, where nothing can be sent again,
// an update that was sent as a create and found what another made is told apart from one that was done.

import { isUtf8 } from 'node:buffer'
import { isJsonObject, type Json, readStrictJson } from '../../domain/json/strict-json.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import type { UpstreamAnswer } from '../../proxy/ask-upstream.ts'
import type { BodyTransform } from '../../proxy/forward.ts'
import type { PlannedBundle } from './bundle-plan.ts'
import { changedMeanwhile, isConflict } from './write-answers.ts'

export interface Retries {
  readonly planned: PlannedBundle
  /** Places of the entries that were sent, in order. */
  readonly places: readonly number[]
  /** Sends a batch of some entries; left out of a transaction. */
  readonly send?: (body: string) => Promise<UpstreamAnswer | Refusal>
  readonly mostHeld: number
}

/** How often an entry is looked at anew; as often as a single write. */
const MOST_LOOKS_AGAIN = 3

export function mayNeedRetries({ conditional, upserts }: PlannedBundle, code: 'batch' | 'transaction'): boolean {
  return upserts.size > 0 || (code === 'batch' && conditional.size > 0)
}

/** `inner` gets the answer as it is after the last attempt. */
export function withRetries(inner: BodyTransform, retries: Retries): BodyTransform {
  const { mostHeld, planned } = retries
  let held: Buffer[] | undefined = []
  let bytes = 0
  return {
    ...(inner.guards === undefined ? {} : { guards: inner.guards }),
    write(chunk, out) {
      if (held === undefined) return inner.write(chunk, out)
      bytes += chunk.length
      held.push(Buffer.from(chunk))
      if (bytes <= mostHeld) return undefined
      if (planned.upserts.size > 0) return tooLong()
      const begun = Buffer.concat(held, bytes)
      held = undefined
      return inner.write(begun, out)
    },
    async end(out) {
      if (held === undefined) return inner.end(out)
      const body = Buffer.concat(held, bytes)
      return inner.write(await settle(body, retries), out) ?? inner.end(out)
    },
  }
}

async function settle(body: Buffer, { planned, places, send }: Retries): Promise<Buffer> {
  const text = isUtf8(body) ? body.toString() : ''
  const answers = planned.upserts.size > 0 || /"4(?:12|09)/.test(text) ? readEntries(text) : undefined
  if (answers === undefined || answers.length < places.length) return body
  const given = new Map<number, Given>()
  const indexOf = new Map(places.map((place, index) => [place, index]))
  const statusAt = (place: number): number => (given.get(place) ?? answers[indexOf.get(place)!]!).status
  const due = (): number[] => places.filter((place) => wasNotWritten(place, statusAt(place), planned))
  for (let looks = 0; send !== undefined && looks < MOST_LOOKS_AGAIN; looks++) {
    const again = due()
    if (again.length === 0) break
    const { refused, body: left } = await planned.replan(again)
    for (const [place, refusal] of refused) given.set(place, refusedLate(place, refusal, planned))
    const sent = again.filter((place) => !refused.has(place))
    const answer = sent.length === 0 ? undefined : await send(left)
    if (answer === undefined) continue
    const entries = isRefusal(answer) || answer.status !== 200 ? undefined : readEntries(answer.body.toString())
    if (entries?.length !== sent.length) break
    for (const [index, place] of sent.entries()) given.set(place, entries[index]!)
  }
  // Found, and so not updated.
  for (const place of due().filter((place) => statusAt(place) === 200))
    given.set(place, refusedLate(place, changedMeanwhile(412), planned))
  return given.size === 0 ? body : Buffer.from(splice(text, answers, given, indexOf))
}

function wasNotWritten(place: number, status: number, { conditional, upserts }: PlannedBundle): boolean {
  return (conditional.has(place) && isConflict(status)) || (upserts.has(place) && status === 200)
}

interface Given {
  readonly status: number
  readonly raw: string
}

interface EntryAnswer extends Given {
  readonly span: readonly [number, number]
}

/** Stands at the place of the answer, where `planned.late` then gives what is told. */
function refusedLate(place: number, refusal: Refusal, { late }: PlannedBundle): Given {
  late.set(place, refusal)
  return { status: 0, raw: '{"response":{"status":"412"}}' }
}

/** Undefined where the answer is no Bundle that can be read. */
function readEntries(text: string): readonly EntryAnswer[] | undefined {
  const document = readStrictJson(text, { spansTo: 2 })
  if ('reason' in document || !isJsonObject(document.value)) return undefined
  const { resourceType, entry } = document.value
  if (resourceType !== 'Bundle' || !Array.isArray(entry)) return undefined
  return entry.map((one, index) => {
    const span = document.elementSpan(entry, index)!
    return { status: statusOf(one), span, raw: text.slice(...span) }
  })
}

function statusOf(entry: Json): number {
  const response = isJsonObject(entry) ? entry['response'] : undefined
  const status = isJsonObject(response) ? response['status'] : undefined
  return typeof status === 'string' ? Number.parseInt(status, 10) : 0
}

function splice(
  text: string,
  answers: readonly EntryAnswer[],
  given: ReadonlyMap<number, Given>,
  indexOf: ReadonlyMap<number, number>,
): string {
  const pieces: string[] = []
  let from = 0
  for (const [place, { raw }] of [...given].sort(([a], [b]) => a - b)) {
    const [start, end] = answers[indexOf.get(place)!]!.span
    pieces.push(text.slice(from, start), raw)
    from = end
  }
  return pieces.join('') + text.slice(from)
}

function tooLong(): Refusal {
  return refuse('upstream-broken', 'The answer is longer than may be held to see what was written.')
}
