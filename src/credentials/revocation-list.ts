// What was revoked before its time, as one source says it: single tokens by `iss` and `jti`, all tokens of a subject or of a client, of
// all times or of those issued up to a moment. Found in three look-ups.
// INVARIANT: never by the text of a token, because one token has many texts; and a token that does not tell when it was issued counts as
// issued before.

import type { GrantFacts } from '../domain/grant.ts'

/** Moments are seconds since 1970. */
export interface Revocation {
  /** The `iss` of the tokens. */
  readonly iss: string
  /** Exactly one of these three. */
  readonly jti?: string
  readonly sub?: string
  readonly client?: string
  /** Of a subject or client: only tokens that were issued at this moment or before. */
  readonly issuedBefore?: number
  /** From then on no token is left that it could meet, and it is forgotten; infinite for one that stays. */
  readonly expires: number
}

/** A token counts for the clock skew of its issuer beyond its `exp`, which is what people write as `expires`. */
const SKEW = 5 * 60

export function isOver({ expires }: Revocation, seconds: number): boolean {
  return seconds >= expires + SKEW
}

type Kind = 'jti' | 'sub' | 'client'
/** By issuer, then by value. */
type Facts = Readonly<Record<Kind, Map<string, Map<string, Revocation>>>>

export class RevocationList {
  readonly #facts: Facts = { jti: new Map(), sub: new Map(), client: new Map() }
  #size = 0

  constructor(revocations: Iterable<Revocation> = []) {
    for (const revocation of revocations) this.add(revocation)
  }

  get size(): number {
    return this.#size
  }

  /** A second word about the same never takes back the first. */
  add(revocation: Revocation): void {
    const { iss } = revocation
    const kind = kindOf(revocation)
    const ofIssuer = this.#facts[kind].get(iss) ?? new Map<string, Revocation>()
    this.#facts[kind].set(iss, ofIssuer)
    const before = ofIssuer.get(revocation[kind]!)
    if (before === undefined) this.#size++
    ofIssuer.set(revocation[kind]!, before === undefined ? revocation : widest(before, revocation))
  }

  /** `seconds` since 1970. */
  meets(grant: GrantFacts, seconds: number): boolean {
    const { issuerUrl } = grant
    if (this.#size === 0 || issuerUrl === undefined) return false
    const { jti, sub, client } = this.#facts
    return (
      counts(jti.get(issuerUrl)?.get(grant.tokenId!), grant, seconds) ||
      counts(sub.get(issuerUrl)?.get(grant.subject!), grant, seconds) ||
      counts(client.get(issuerUrl)?.get(grant.client!), grant, seconds)
    )
  }

  /** Whether everything that `revocation` says is said here too. */
  covers(revocation: Revocation): boolean {
    const kind = kindOf(revocation)
    const held = this.#facts[kind].get(revocation.iss)?.get(revocation[kind]!)
    if (held === undefined || held.expires < revocation.expires) return false
    const { issuedBefore: before = Number.POSITIVE_INFINITY } = held
    return before >= (revocation.issuedBefore ?? Number.POSITIVE_INFINITY)
  }

  *[Symbol.iterator](): Generator<Revocation> {
    for (const byIssuer of Object.values(this.#facts)) {
      for (const ofIssuer of byIssuer.values()) yield* ofIssuer.values()
    }
  }
}

function kindOf({ jti, sub }: Revocation): Kind {
  return jti !== undefined ? 'jti' : sub !== undefined ? 'sub' : 'client'
}

function counts(revocation: Revocation | undefined, { issuedAt }: GrantFacts, seconds: number): boolean {
  if (revocation === undefined || isOver(revocation, seconds)) return false
  const { issuedBefore } = revocation
  return issuedBefore === undefined || issuedAt === undefined || issuedAt <= issuedBefore
}

function widest(one: Revocation, other: Revocation): Revocation {
  const { issuedBefore: before, ...rest } = other
  const expires = Math.max(one.expires, other.expires)
  if (one.issuedBefore === undefined || before === undefined) return { ...rest, expires }
  return { ...rest, issuedBefore: Math.max(one.issuedBefore, before), expires }
}
