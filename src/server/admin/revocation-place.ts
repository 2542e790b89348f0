// `GET` and `POST /revocations` on the admin port: what is revoked, and revoking more, at once and for remembered tokens too. What is
// posted is kept in the revocations file where there is one; without one it lasts as long as the process.

import type { RevocationFile } from '../../credentials/revocation-file.ts'
import { printRevocation, RevocationError, readPosted } from '../../credentials/revocation-lines.ts'
import type { Revocation } from '../../credentials/revocation-list.ts'
import type { Revocations } from '../../credentials/revocations.ts'
import { isJsonObject, readStrictJson } from '../../domain/json/strict-json.ts'
import { refuse } from '../../domain/refusal.ts'
import { type AdminPlace, type AdminReply, readPlace, writePlace } from './admin-place.ts'

export interface RevocationPlaceOptions {
  readonly revocations: Revocations
  /** That of the route map in force. */
  file(): Pick<RevocationFile, 'append' | 'problems'> | undefined
  /** The `iss` of every issuer of the route map in force: a revocation of another meets nothing, and is told. */
  issuers(): readonly string[]
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Tells other processes that serve the same route map; resolves when none of them takes what is revoked any more. */
  broadcast?(revocations: readonly Revocation[]): Promise<void>
}

const PATH = '/revocations'
const STRANGER =
  'no issuer of the route map has this iss, so it meets no token today. It is compared character by character.'
const EXAMPLE = '{"revocations": [{"iss": "https://issuer.example.org", "jti": "…"}]}'

export function revocationPlaces(options: RevocationPlaceOptions): readonly AdminPlace[] {
  const { revocations, file } = options
  const read = readPlace(PATH, () => {
    const problems = file()?.problems ?? []
    return { status: 200, json: { revocations: revocations.list().map(printRevocation), problems } }
  })
  const write = writePlace(PATH, (text) => revoke(text, options))
  return [
    {
      ...read,
      methods: [...read.methods, ...write.methods],
      answer: (it) => (it.method === 'POST' ? write : read).answer(it),
    },
  ]
}

async function revoke(
  text: string,
  { revocations, file, issuers, now, broadcast }: RevocationPlaceOptions,
): Promise<AdminReply> {
  const asked = readAsked(text, now())
  if (typeof asked === 'string') return refuse('body-invalid', `${asked}. Send such as ${EXAMPLE}.`)
  if (!revocations.post(asked)) {
    const detail = 'Too many revocations are kept in memory. Name a file for them, or let them expire sooner.'
    return refuse('overloaded', detail)
  }
  // INVARIANT: whoever is told that it is revoked can rely on it.
  await broadcast?.(asked)
  const known = new Set(issuers())
  const warnings = asked.flatMap(({ iss }, index) => (known.has(iss) ? [] : [`Revocation ${index + 1}: ${STRANGER}`]))
  const json = { revoked: asked.map(printRevocation), ...(warnings.length > 0 && { warnings }) }
  const kept = file()
  if (kept === undefined) return { status: 200, json: { ...json, kept: 'in memory' } }
  try {
    await kept.append(asked)
    return { status: 200, json: { ...json, kept: 'in the file' } }
  } catch (error) {
    // In force all the same, until this process ends.
    if (!(error instanceof RevocationError)) throw error
    return { status: 500, json: { ...json, kept: 'in memory', problems: error.problems } }
  }
}

/** One or a list of them; what is wrong with them otherwise. */
function readAsked(text: string, now: number): readonly Revocation[] | string {
  const read = readStrictJson(text, { deepest: 8 })
  if (!('value' in read) || !isJsonObject(read.value)) return 'The body is not one well-formed JSON object'
  const { revocations, ...others } = read.value as { revocations?: unknown }
  const list = revocations === undefined ? [read.value] : revocations
  if (!Array.isArray(list) || (revocations !== undefined && Object.keys(others).length > 0)) {
    return 'The body has other members than a list of revocations'
  }
  const found: Revocation[] = []
  for (const [index, value] of list.entries()) {
    const one = isJsonObject(value) ? readPosted(value as Readonly<Record<string, unknown>>, now) : 'it is no object'
    if (typeof one === 'string') return `Revocation ${index + 1}: ${one}`
    found.push(one)
  }
  return found
}
