// Revocations as text: one JSON object a line, in the revocations file, and in a list on the admin port. Read strictly: a member that is
// misspelt would revoke something else than was meant. Messages name the place, and nothing of what stands there.

import { setImmediate as turn } from 'node:timers/promises'
import { isOver, type Revocation, RevocationList } from './revocation-list.ts'
import { MOST_REVOCATIONS } from './revocations.ts'
import { parseStrictObject } from './strict-json.ts'

const LONGEST_TEXT = 1_024
/** Lines in one go, some milliseconds: requests are served in between. */
const LINES_AT_ONCE = 1_000
const MOST_PROBLEMS = 20
/** Seconds that what is posted counts when it does not say: longer than any token should live. */
const POSTED_LIFE = 90 * 86_400
/** What stands in a file counts for as long as it stands there: whoever is barred must not come back because time has passed. */
const WHILE_IT_STANDS = Number.POSITIVE_INFINITY
const MEMBERS = ['iss', 'jti', 'sub', 'client', 'issuedBefore', 'expires']

/** What is wrong with a revocation, without saying whose it is. */
export class RevocationError extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'RevocationError'
    this.problems = problems
  }
}

export interface RevocationLines {
  /** Those that count. */
  readonly list: RevocationList
  /** The lines without those that expired; comments stay. */
  readonly kept: readonly string[]
}

/** `now` in milliseconds; rejects with a RevocationError that names the first wrong lines. */
export async function readRevocationLines(text: string, file: string, now: number): Promise<RevocationLines> {
  const list = new RevocationList()
  const kept: string[] = []
  const problems: string[] = []
  for (const [index, line] of text.split('\n').entries()) {
    if (index % LINES_AT_ONCE === LINES_AT_ONCE - 1) await turn()
    if (line.trim() === '') continue
    const read = line.startsWith('#') ? undefined : readLine(line)
    if (typeof read === 'string') {
      if (problems.push(`${file}:${index + 1}:1: ${read}`) === MOST_PROBLEMS) break
    } else if (read === undefined || !isOver(read, now / 1000)) {
      kept.push(line)
      if (read !== undefined) list.add(read)
    }
  }
  if (list.size > MOST_REVOCATIONS) problems.push(`${file}: it holds more than ${MOST_REVOCATIONS} revocations`)
  if (problems.length > 0) throw new RevocationError(problems)
  return { list, kept }
}

function readLine(line: string): Revocation | string {
  const value = parseStrictObject(Buffer.from(line))
  return value === undefined ? 'it is not one JSON object' : readRevocation(value, WHILE_IT_STANDS)
}

/** A revocation that somebody posts, or what is wrong with it. */
export function readPosted(value: Readonly<Record<string, unknown>>, now: number): Revocation | string {
  return readRevocation(value, Math.ceil(now / 1000) + POSTED_LIFE)
}

/** `untold`: until when it counts, in seconds, where it does not say. */
function readRevocation(value: Readonly<Record<string, unknown>>, untold: number): Revocation | string {
  const unknown = Object.keys(value).find((member) => !MEMBERS.includes(member))
  if (unknown !== undefined) return `it has another member than ${MEMBERS.join(', ')}`
  const { iss, jti, sub, client } = value
  const named = [jti, sub, client].filter((it) => it !== undefined)
  if (named.length !== 1) return 'give exactly one of jti, sub, client'
  if (![iss, ...named].every((it) => typeof it === 'string' && it !== '' && it.length <= LONGEST_TEXT)) {
    return `iss and ${jti !== undefined ? 'jti' : sub !== undefined ? 'sub' : 'client'} must be texts of at most ${LONGEST_TEXT} characters`
  }
  if (jti !== undefined && value['issuedBefore'] !== undefined) return 'issuedBefore goes with sub and client only'
  const issuedBefore = readMoment(value['issuedBefore'])
  const expires = readMoment(value['expires'])
  if (Number.isNaN(issuedBefore) || Number.isNaN(expires)) {
    return 'issuedBefore and expires must be dates such as 2027-01-31T08:00:00Z, or seconds since 1970'
  }
  return {
    iss: iss as string,
    ...(jti !== undefined && { jti: jti as string }),
    ...(sub !== undefined && { sub: sub as string }),
    ...(client !== undefined && { client: client as string }),
    ...(issuedBefore !== undefined && { issuedBefore }),
    expires: expires ?? untold,
  }
}

/** As it is read back. */
export function printRevocation({ issuedBefore, expires, ...rest }: Revocation): Readonly<Record<string, string>> {
  return {
    ...rest,
    ...(issuedBefore !== undefined && { issuedBefore: printMoment(issuedBefore) }),
    ...(expires !== WHILE_IT_STANDS && { expires: printMoment(expires) }),
  }
}

function printMoment(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
}

/** Seconds; NaN when it cannot be read. */
function readMoment(value: unknown): number | undefined {
  if (value === undefined) return undefined
  const sound = (seconds: number) => (seconds >= 0 && seconds < 1e11 ? seconds : Number.NaN)
  if (typeof value === 'number') return sound(value)
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z$/.test(value))
    return Number.NaN
  return sound(Date.parse(value) / 1000)
}
