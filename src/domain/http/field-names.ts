// Header field names: lower case once, which ones may stand once only, and which spellings pass for another name. Servers
// behind us fold `_` (and some `.`, and CGI servers whatever is no letter and no digit) into `-`, so `X_Forwarded_For` is
// X-Forwarded-For to them: refused, whoever sends it.

import { type Refusal, refuse } from '../refusal.ts'

/** Fields of which a second one makes the request ambiguous, even when the values are equal. */
const SINGLE = `host authorization proxy-authorization content-length content-type content-location content-encoding
  transfer-encoding expect from if-match if-modified-since if-unmodified-since if-none-exist if-range range max-forwards
  early-data upgrade user-agent referer origin access-control-request-method x-request-id dpop`.split(/\s+/)

/** Fields that decide something here or behind us: no other spelling of them may pass. */
const DECISIVE =
  `accept accept-encoding connection cookie early-data forwarded http2-settings if-none-match keep-alive prefer
  proxy proxy-connection te trailer via x-api-key x-forwarded x-http-method x-http-method-override x-method-override x-original-host
  x-original-method x-original-uri x-original-url x-provenance x-real-ip x-rewrite-url x-client-ip x-cluster-client-ip
  true-client-ip cf-connecting-ip client-ip x-security-context`.split(/\s+/)

const DECISIVE_PREFIXES = ['x-forwarded-', 'x-auth-', 'x-scopegate-', 'x-original-', 'sec-', 'access-control-']

/** Frequent fields, so that most names need no lower-casing: looked up in the two spellings that clients use. */
const FREQUENT =
  `accept accept-encoding accept-language authorization cache-control connection content-length content-type
  cookie host if-match if-none-exist if-none-match origin prefer referer user-agent x-api-key x-request-id traceparent
  x-correlation-id sec-fetch-mode sec-fetch-site sec-fetch-dest`.split(/\s+/)

/** Nothing to fold. */
const PLAIN_NAME = /^[a-z0-9-]*$/

export interface OwnedNames {
  readonly owned?: Iterable<string>
  readonly apiKeyHeader?: string
}

export class FieldNames {
  readonly #frequent: ReadonlyMap<string, string>
  readonly #single: ReadonlySet<string>
  readonly #credentials: ReadonlySet<string>
  readonly #decisive: ReadonlySet<string>

  constructor({ owned = [], apiKeyHeader = 'x-api-key' }: OwnedNames) {
    const own = [...owned, apiKeyHeader].map((name) => name.toLowerCase())
    this.#credentials = new Set(['authorization', apiKeyHeader.toLowerCase()])
    this.#single = new Set([...SINGLE, ...this.#credentials])
    this.#decisive = new Set([...SINGLE, ...DECISIVE, ...own].map(folded))
    this.#frequent = new Map(FREQUENT.flatMap((name) => [[name, name] as const, [titled(name), name] as const]))
  }

  /** The lower-case name, or a refusal where the spelling passes for a field that decides something. */
  read(raw: string): string | Refusal {
    const frequent = this.#frequent.get(raw)
    if (frequent !== undefined) return frequent
    const name = raw.toLowerCase()
    if (PLAIN_NAME.test(name)) return name
    const meant = folded(name)
    if (!this.#decisive.has(meant) && !DECISIVE_PREFIXES.some((prefix) => meant.startsWith(prefix))) return name
    return refuse('header-ambiguous', `The header ${name} can be taken for ${meant}. Leave it out.`)
  }

  /** A refusal when a field of this name may stand only once; a second credential is a second credential (RFC 6750 §3.1). */
  repeated(name: string): Refusal | undefined {
    if (!this.#single.has(name)) return undefined
    const code = this.#credentials.has(name) ? 'credential-ambiguous' : 'header-ambiguous'
    return refuse(code, `The header ${name} came more than once. Send it once.`)
  }
}

/** The name as a server reads it that makes one character of all separators: PHP, WSGI and Rack of `_` and `.`, CGI of any. */
export function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
}

function titled(name: string): string {
  return name.replaceAll(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}
