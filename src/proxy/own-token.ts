// The gateway's own token towards an upstream (RFC 6749 §4.4, client credentials): fetched when it is first needed, kept until shortly
// before it expires, fetched anew behind requests before that. One fetch at a time, bounded in size and time, and after one that
// failed none for a while.
// INVARIANT: a token is not used beyond its end, and nothing goes to the upstream without one.

import { Agent, request } from 'undici'
import { type Refusal, refuse } from '../domain/refusal.ts'

export interface ClientCredentials {
  readonly url: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string
}

export interface OwnTokenOptions {
  /** Milliseconds that never go back. */
  readonly now?: () => number
  /** After each fetch; undefined when it brought a token. Holds no address and nothing of the answer. */
  readonly onFetch?: (problem: string | undefined) => void
}

/** Times are milliseconds. */
interface Token {
  readonly value: string
  /** Where the one after it is fetched, and where it is not used any more. */
  readonly renewAt: number
  readonly until: number
}

const TIMEOUT_MS = 5_000
const LARGEST_ANSWER = 64 * 1024
const LONGEST_TOKEN = 16 * 1024
/** Where `expires_in` is left out (RFC 6749 §5.1 leaves it to the documentation). */
const UNTOLD_LIFETIME_S = 300
const RETRY_MS = 2_000
/** Between two tokens that the upstream refused. */
const REFUSED_COOLDOWN_MS = 30_000
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/

const UNAVAILABLE = refuse(
  'issuer-unavailable',
  'The gateway cannot get the token that it needs for the server behind this route. Try again shortly.',
  { retryAfter: 2 },
)

class TokenError extends Error {}

export class OwnToken {
  readonly #credentials: ClientCredentials
  readonly #now: () => number
  readonly #onFetch: OwnTokenOptions['onFetch']
  readonly #agent = new Agent({
    connections: 1,
    keepAliveTimeout: 1_000,
    maxResponseSize: LARGEST_ANSWER,
    // INVARIANT: TLS is verified whatever NODE_TLS_REJECT_UNAUTHORIZED says: the secret goes there.
    connect: { rejectUnauthorized: true, timeout: TIMEOUT_MS },
  })
  #token: Token | undefined
  #fetching: Promise<void> | undefined
  #retryAt = Number.NEGATIVE_INFINITY
  #refusedAt = Number.NEGATIVE_INFINITY

  constructor(credentials: ClientCredentials, { now = () => performance.now(), onFetch }: OwnTokenOptions = {}) {
    this.#credentials = credentials
    this.#now = now
    this.#onFetch = onFetch
  }

  get(): string | Refusal | Promise<string | Refusal> {
    const now = this.#now()
    const token = this.#token
    if (token !== undefined && now < token.until) {
      if (now >= token.renewAt && now >= this.#retryAt) void this.#fetch()
      return token.value
    }
    if (this.#fetching === undefined && now < this.#retryAt) return UNAVAILABLE
    return this.#fetch().then(() => this.#current())
  }

  /** The upstream answered 401 to that token. It is given up, but not again and again. */
  refused(value: string): void {
    const now = this.#now()
    if (this.#token?.value !== value || now - this.#refusedAt < REFUSED_COOLDOWN_MS) return
    this.#refusedAt = now
    this.#token = undefined
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  #current(): string | Refusal {
    const token = this.#token
    return token !== undefined && this.#now() < token.until ? token.value : UNAVAILABLE
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #fetchOnce(): Promise<void> {
    // From before it was asked for: an issuer counts from when it answered.
    const asked = this.#now()
    try {
      const { value, lifetime } = await fetchToken(this.#credentials, this.#agent)
      const until = asked + lifetime - Math.min(10_000, lifetime / 10)
      this.#token = { value, until, renewAt: until - Math.min(60_000, lifetime / 5) }
      this.#onFetch?.(undefined)
    } catch (error) {
      this.#retryAt = this.#now() + RETRY_MS
      this.#onFetch?.(problemOf(error))
    }
  }
}

async function fetchToken(
  { url, clientId, clientSecret, scope }: ClientCredentials,
  dispatcher: Agent,
): Promise<{ readonly value: string; readonly lifetime: number }> {
  // RFC 6749 §2.3.1: each is form-encoded before it is joined.
  const basic = Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== undefined && { scope }) })
  const { statusCode, body } = await request(url, {
    dispatcher,
    method: 'POST',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      authorization: `Basic ${basic}`,
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      'user-agent': 'scopegate',
    },
    body: form.toString(),
  })
  const text = await body.text()
  if (statusCode !== 200) throw new TokenError(`the token endpoint answered ${statusCode}`)
  return readToken(text)
}

function readToken(text: string): { readonly value: string; readonly lifetime: number } {
  const { access_token: value, token_type: type, expires_in: expires } = parsed(text)
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') throw new TokenError('the token is no bearer token')
  if (typeof value !== 'string' || value.length > LONGEST_TOKEN || !TOKEN.test(value)) {
    throw new TokenError('the answer of the token endpoint holds no token that can be sent')
  }
  const seconds = expires === undefined ? UNTOLD_LIFETIME_S : Number(expires)
  if (!(seconds > 0)) throw new TokenError('the token has expired as it comes')
  return { value, lifetime: seconds * 1000 }
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below, without the text: it may hold the token.
  }
  throw new TokenError('the answer of the token endpoint is no JSON object')
}

const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1)

function problemOf(error: unknown): string {
  if (error instanceof TokenError) return error.message
  if ((error as Error).name === 'TimeoutError') return 'the token endpoint did not answer in time'
  const { code } = error as { code?: unknown }
  return `the token endpoint cannot be asked${typeof code === 'string' ? ` (${code})` : ''}`
}
