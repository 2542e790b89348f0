// What the gateway needs of a route to serve a request, the same for FHIR endpoints and for other products, so that the way of a
// request has no fork: name what is asked, decide it, say how the answer is passed on. Built once for each configuration.

import type { Route } from '../config/settings.ts'
import type { Cleared, Decision, Permit } from '../domain/decision/decision.ts'
import type { FhirPolicy } from '../domain/decision/policy.ts'
import type { BodyUse } from '../domain/fhir-request.ts'
import type { Grant } from '../domain/grant.ts'
import type { RequestHeaders } from '../domain/http/request-headers.ts'
import type { RequestTarget } from '../domain/http/request-target.ts'
import type { Refusal } from '../domain/refusal.ts'
import type { Inbound } from '../proxy/answer-headers.ts'
import type { UpstreamAnswer } from '../proxy/ask-upstream.ts'
import type { AnswerHeaders, BodyTransform } from '../proxy/forward.ts'
import type { Outbound } from '../proxy/headers.ts'
import type { OwnToken } from '../proxy/own-token.ts'
import type { BodyInspection } from '../proxy/request-body.ts'
import type { Upstream } from '../proxy/upstream.ts'
import type { TunnelRules } from '../proxy/web-socket/tunnel.ts'
import type { PlaceLimits } from './live/web-socket-places.ts'
import type { CountRequest } from './rate-limits.ts'

export type WebSocketLimits = TunnelRules & PlaceLimits

export interface AskedLine {
  readonly method: string
  readonly target: RequestTarget
  readonly headers: RequestHeaders
}

/** A request, understood: what has to be decided, and what would then go upstream. */
export interface Asked {
  /** FHIR interaction code, or `http` elsewhere; labels logs and metrics. */
  readonly interaction: string
  decide(grant: Grant | undefined): Decision
  /** A refusal where the request cannot be kept within the constraints of the decision. */
  plan(decision: Permit, grant: Grant | undefined, edge: Edge): Plan | Refusal | Promise<Plan | Refusal>
}

/** What planning may ask for beyond the request line: only a write within constraints does. */
export interface Edge {
  /** The whole body as text, bounded; once. */
  body(): Promise<string | Refusal>
  /** Asks the upstream for a path below its base, as the gateway itself. */
  ask(path: string): Promise<UpstreamAnswer | Refusal>
  /** Sends a part of what was cleared once more; `cleared` is the proof that someone decided. */
  send(cleared: Cleared, again: SentAgain): Promise<UpstreamAnswer | Refusal>
}

/** A Bundle of entries that were not carried out. */
export interface SentAgain {
  readonly path: string
  readonly body: string
  readonly overrides: ReadonlyMap<string, string | undefined>
}

/** A cleared request as it goes upstream, and how its answer comes back. */
export interface Plan {
  readonly method: string
  /** Below the upstream's base. */
  readonly path: string
  /** `path` is the whole path on the upstream's origin instead. */
  readonly atOrigin?: boolean | undefined
  readonly bodyUse: BodyUse
  /** Replaces the client's body when present. */
  readonly body?: string | undefined
  /** Replaces header fields of the client; undefined drops one. */
  readonly overrides?: ReadonlyMap<string, string | undefined> | undefined
  /** Watches a streamed body. */
  inspect?(): BodyInspection
  /** The answer's header fields as everything behind reads them, `transform` included. */
  answerHeaders?(status: number, headers: AnswerHeaders): AnswerHeaders
  /** Rewrites or guards the answer on its way; undefined leaves it unread. */
  transform?(status: number, headers: AnswerHeaders): BodyTransform | Refusal | undefined
  /** Set where the write is conditional on what was looked at. */
  readonly again?: LookAgain
  /** Whether `transform` may want to read the answer, so that it must come whole and uncompressed. */
  readonly readsAnswer: boolean
}

export interface LookAgain {
  /** Whether the upstream's status says that something else is stored by now, and that nothing was written. */
  after(status: number): boolean
  look(): Promise<Plan | Refusal>
}

export interface Endpoint {
  readonly route: Route
  readonly isPublic: boolean
  /** Of a FHIR endpoint: what its decisions read. */
  readonly policy?: FhirPolicy
  readonly upstream: Upstream
  readonly outbound: Outbound
  /** The gateway's own towards the upstream, where the route asks for one. */
  readonly ownToken?: OwnToken | undefined
  readonly inbound: Inbound
  /** Most query parameters of a request. */
  readonly parameterLimit: number
  /** Most bytes of a request body. */
  readonly bodyLimit: number
  /** Most bytes of what is asked of the upstream for a check. */
  readonly heldLimit: number
  /** Counts a request against the route's rate; left out where it has none. */
  readonly count?: CountRequest | undefined
  /** Where it may be opened as a WebSocket, and within which limits. */
  readonly webSocket?: WebSocketLimits | undefined
  /** What the body is for; known from the request line alone. */
  bodyUse(line: AskedLine): BodyUse
  /** `body` is the text of a form or a Bundle, undefined for every other use. */
  name(line: AskedLine, body: string | undefined, grant: Grant | undefined): Asked | Refusal
}
