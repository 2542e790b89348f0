// Every answer that the gateway gives by itself instead of passing one on: a closed list of codes with the HTTP status,
// the FHIR issue type and the RFC 6750 error that belong to each. Refusals are values, never exceptions: pure functions
// return them, one place answers them, and the same code labels the log line, the metric and the test.

/** FHIR `issue-type` codes that the gateway uses (R4 value set, children of `invalid`, `security`, `processing`, `transient`). */
export type IssueType =
  | 'login'
  | 'unknown'
  | 'expired'
  | 'forbidden'
  | 'invalid'
  | 'not-found'
  | 'conflict'
  | 'not-supported'
  | 'too-long'
  | 'throttled'
  | 'timeout'
  | 'transient'
  | 'exception'

/** What `WWW-Authenticate` says: nothing, a bare challenge without an error (RFC 6750 §3.1), or one of its error codes. */
export type Challenge = 'none' | 'bare' | 'invalid_request' | 'invalid_token' | 'insufficient_scope'

interface RefusalKind {
  readonly status: number
  readonly issue: IssueType
  readonly challenge: Challenge
}

const kind = (status: number, issue: IssueType, challenge: Challenge = 'none'): RefusalKind => ({
  status,
  issue,
  challenge,
})

export const REFUSALS = {
  'token-missing': kind(401, 'login', 'bare'),
  'token-invalid': kind(401, 'unknown', 'invalid_token'),
  'token-expired': kind(401, 'expired', 'invalid_token'),
  'token-revoked': kind(401, 'unknown', 'invalid_token'),
  'credential-ambiguous': kind(400, 'invalid', 'invalid_request'),
  'scope-insufficient': kind(403, 'forbidden', 'insufficient_scope'),
  'credential-kind': kind(403, 'forbidden', 'insufficient_scope'),
  'operation-not-listed': kind(403, 'forbidden', 'insufficient_scope'),
  'launch-context-missing': kind(403, 'forbidden', 'insufficient_scope'),
  'patient-mismatch': kind(403, 'forbidden'),
  'constraint-unenforceable': kind(403, 'forbidden'),
  'not-found': kind(404, 'not-found'),
  'version-conflict': kind(412, 'conflict'),
  'target-ambiguous': kind(400, 'invalid'),
  'header-ambiguous': kind(400, 'invalid'),
  'body-invalid': kind(400, 'invalid'),
  'route-unknown': kind(404, 'not-found'),
  'interaction-unknown': kind(405, 'not-supported'),
  'body-too-large': kind(413, 'too-long'),
  'target-too-long': kind(414, 'too-long'),
  'rate-limited': kind(429, 'throttled'),
  'headers-too-large': kind(431, 'too-long'),
  'too-slow': kind(408, 'timeout'),
  'too-early': kind(425, 'transient'),
  'upstream-broken': kind(502, 'exception'),
  'upstream-unreachable': kind(502, 'transient'),
  'upstream-timeout': kind(504, 'timeout'),
  'issuer-unavailable': kind(503, 'transient'),
  'gateway-broken': kind(500, 'exception'),
  overloaded: kind(503, 'transient'),
} as const satisfies Record<string, RefusalKind>

export type RefusalCode = keyof typeof REFUSALS

export interface RefusalExtras {
  /** A smallest set of scopes that would do, for `WWW-Authenticate: … scope="…"` (contract §4). */
  readonly scopes?: readonly string[]
  /** Another status where the closed list leaves a choice (`interaction-unknown`: 404 for an unknown shape, 405 for a known one). */
  readonly status?: number
  /** Of a batch: the refusal of each entry, in order. The answer is then a batch-response. */
  readonly entries?: readonly Refusal[]
  /** Seconds, for `Retry-After`. */
  readonly retryAfter?: number
  /** What was wrong is the proof of possession (RFC 9449 §7.1), not the token. */
  readonly proof?: boolean
  /** Methods for `Allow`, which belongs to a 405 (RFC 9110 §15.5.6). */
  readonly allow?: readonly string[]
}

/** One refusal. `detail` goes to the client: it says what to do next and never holds a token, a claim, a query value or patient data. */
export class Refusal {
  readonly code: RefusalCode
  readonly detail: string
  readonly extras: RefusalExtras

  constructor(code: RefusalCode, detail: string, extras: RefusalExtras = {}) {
    this.code = code
    this.detail = detail
    this.extras = extras
  }

  get status(): number {
    return this.extras.status ?? REFUSALS[this.code].status
  }
}

export function refuse(code: RefusalCode, detail: string, extras?: RefusalExtras): Refusal {
  return new Refusal(code, detail, extras)
}

/** A batch of which every entry is refused; it is labelled with the code of the first. */
export function refuseEach(entries: readonly [Refusal, ...(readonly Refusal[])]): Refusal {
  const [{ code, detail }] = entries
  return new Refusal(code, detail, { entries })
}

export function isRefusal(value: unknown): value is Refusal {
  return value instanceof Refusal
}
