// What one issuer says about tokens, remembered for as long as the route map allows and never beyond a token's end. One authenticator,
// one generation, has its own; the key is the SHA-256 of the exact token.
// INVARIANT: an endpoint that does not answer makes nothing count; it is asked about one token once at a time, by so many at once at most,
// and after several failures in a row it is left alone for a moment.

import { LRUCache } from 'lru-cache'
import type { Dispatcher } from 'undici'
import type { Issuer } from '../config/settings.ts'
import { type Grant, type GrantFacts, grantOf } from '../domain/grant.ts'
import { isRefusal, type Refusal, refuse } from '../domain/refusal.ts'
import { notActive } from './introspected-facts.ts'
import { askIssuer } from './introspection-endpoint.ts'
import { IssuerDocumentError } from './issuer-documents.ts'
import type { JsonObject } from './strict-json.ts'
import { type Digest, digestOf } from './verified-tokens.ts'

const MOST_BYTES = 16 * 1024 * 1024
const MOST_GRANTS = 20_000
const MOST_REFUSALS = 20_000
/** Milliseconds for which a token that does not count is not asked about again. */
const REFUSED_FOR = 5_000
const MOST_RUNNING = 64
const FAILURES_IN_A_ROW = 5
const PAUSE = 1_000

export interface IntrospectorOptions {
  readonly issuer: Issuer
  readonly dispatcher: Dispatcher
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly onLookup?: (result: 'hit' | 'miss') => void
  /** `problem` is for the log: what went wrong, without addresses. */
  readonly onFailure?: (issuer: string, problem: string) => void
}

type Found = Grant | Refusal
interface Remembered {
  readonly found: Found
  /** Milliseconds since 1970. */
  readonly until: number
}

export class Introspector {
  readonly issuer: Issuer
  readonly #options: IntrospectorOptions
  readonly #cache: number
  readonly #grants = new LRUCache<Digest, Remembered>({ max: MOST_GRANTS, maxSize: MOST_BYTES })
  /** Apart, so that a flood of bad tokens pushes no good one out. */
  readonly #refusals = new LRUCache<Digest, Remembered>({ max: MOST_REFUSALS })
  readonly #running = new Map<Digest, Promise<Found>>()
  #failures = 0
  #failedAt = Number.NEGATIVE_INFINITY

  constructor(options: IntrospectorOptions) {
    this.issuer = options.issuer
    this.#options = options
    this.#cache = options.issuer.introspection!.cache
  }

  /** At once where the answer is remembered. `read` says what an answer conveys. */
  find(
    token: string,
    digest: Digest,
    read: (answer: JsonObject, now: number) => GrantFacts | Refusal,
  ): Found | Promise<Found> {
    const { now, onLookup } = this.#options
    const time = now()
    const remembered = this.#grants.get(digest) ?? this.#refusals.get(digest)
    // A clock that was set back keeps nothing alive.
    if (remembered !== undefined && time < remembered.until && remembered.until - time <= longest(this.#cache)) {
      onLookup?.('hit')
      return remembered.found
    }
    onLookup?.('miss')
    const running = this.#running.get(digest)
    if (running !== undefined) return running
    if (this.#failures >= FAILURES_IN_A_ROW && time - this.#failedAt < PAUSE && time >= this.#failedAt)
      return unavailable()
    if (this.#running.size >= MOST_RUNNING) {
      return refuse('overloaded', 'Too many access tokens are being asked about. Try again in a moment.', {
        retryAfter: 1,
      })
    }
    const started = this.#ask(token, digest, read).finally(() => this.#running.delete(digest))
    this.#running.set(digest, started)
    return started
  }

  async #ask(
    token: string,
    digest: Digest,
    read: (answer: JsonObject, now: number) => GrantFacts | Refusal,
  ): Promise<Found> {
    const { now, dispatcher } = this.#options
    // Counted from before the question: the answer may have been true then only.
    const asked = now()
    let answer: JsonObject
    try {
      answer = await askIssuer(token, this.issuer.introspection!, dispatcher)
    } catch (error) {
      return this.#failed(error)
    }
    this.#failures = 0
    const facts = typeof answer['active'] === 'boolean' ? read(answer, now()) : notActive()
    this.#grants.delete(digest)
    if (isRefusal(facts)) {
      this.#refusals.set(digest, { found: facts, until: asked + Math.min(REFUSED_FOR, this.#cache) })
      return facts
    }
    this.#refusals.delete(digest)
    const grant = grantOf(facts, digestOf)
    const until = Math.min(asked + this.#cache, facts.expiresAt * 1000)
    this.#grants.set(digest, { found: grant, until }, { size: 1024 + 3 * JSON.stringify(facts).length })
    return grant
  }

  #failed(error: unknown): Refusal {
    const { now, onFailure } = this.#options
    // What the endpoint answered about one token says nothing about the next one.
    const answered = error instanceof IssuerDocumentError && error.status !== undefined && error.status < 500
    if (!answered) {
      this.#failures++
      this.#failedAt = now()
    }
    onFailure?.(this.issuer.name, error instanceof IssuerDocumentError ? error.message : 'the question failed')
    return unavailable()
  }
}

const longest = (cache: number): number => Math.max(cache, REFUSED_FOR)

const unavailable = (): Refusal =>
  refuse('issuer-unavailable', 'The token issuer cannot be asked about this token at present. Try again later.', {
    retryAfter: Math.ceil(PAUSE / 1000),
  })
