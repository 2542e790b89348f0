// `explain`: one request decided by the very functions that serve, without a socket, and told with its reasons. Behind the command
// line and behind `POST /explain` on the admin port.

import type { Issuer, Route } from '../../config/settings.ts'
import { describeLimits, type Limitation, unreadableFilter } from '../../domain/constraint/describe-limits.ts'
import type { Decision } from '../../domain/decision/decision.ts'
import type { FhirPolicy } from '../../domain/decision/policy.ts'
import type { Need } from '../../domain/decision/required-access.ts'
import type { Grant } from '../../domain/grant.ts'
import { parseRequestTarget } from '../../domain/http/request-target.ts'
import { isRefusal, type Refusal, refuse } from '../../domain/refusal.ts'
import { parseScope, printScope } from '../../domain/smart/scope.ts'
import { isReadFirst, refuseBeforeReading } from '../body-rules.ts'
import type { Composed } from '../compose.ts'
import { answerWithoutDocument } from '../discovery/open-document.ts'
import type { Edge, Plan } from '../endpoint.ts'
import { refuseCrowded } from '../parameter-limit.ts'
import { type Narrowing, narrowing } from './explain-narrowing.ts'
import { type StatedCredential, statedGrant } from './stated-grant.ts'

export interface ExplainRequest extends StatedCredential {
  readonly method: string
  readonly target: string
  /** A whole access token, verified as it would be on a request; instead of the facts above. */
  readonly token?: string | undefined
  /** Flat: name, value, name, value … */
  readonly headers?: readonly string[] | undefined
  readonly body?: string | undefined
  /** JSON of what is stored under the id, for a write within limits. */
  readonly stored?: string | undefined
}

export interface Explanation {
  readonly permitted: boolean
  readonly outcome: Decision['outcome'] | 'open'
  readonly route?: string
  readonly interaction?: string
  /** Each need of the request and the scope that covered it. */
  readonly covered: readonly Covered[]
  readonly missing: readonly string[]
  /** What each granted scope means; undefined for one that means nothing to FHIR. */
  readonly scopes: readonly {
    readonly granted: string
    readonly meaning?: string
    /** Why it grants nothing. */
    readonly idle?: string
  }[]
  /** How far the covering scopes reach: every resource of the answer, or to be written, must fit one line of its type. */
  readonly limits?: readonly Limitation[]
  /** What was changed in the search, so that the server finds nothing outside the limits. */
  readonly narrowed?: Narrowing
  readonly refusal?: {
    readonly code: string
    readonly status: number
    readonly detail: string
    readonly scopes?: readonly string[]
  }
  /** What must come along with a token that is bound, and cannot be shown here. */
  readonly bound?: string
  /** What can only be told with what is stored (`stored`), and will be checked before the write. */
  readonly unchecked?: string
  /** The request that would go upstream. */
  readonly forwarded?: {
    readonly upstream: string
    readonly method: string
    readonly path: string
    readonly body?: string
  }
}

export interface Covered {
  readonly need: string
  readonly scope: string
  readonly worth?: string
}

const FORM = 'application/x-www-form-urlencoded'

export async function explain(
  { house, settings, authenticator }: Composed,
  asked: ExplainRequest,
  now: number,
): Promise<Explanation> {
  const scopes = meanings(asked)
  const stop = (refusal: Refusal, found: Partial<Explanation> = {}): Explanation => ({
    permitted: false,
    outcome: 'deny',
    covered: [],
    missing: [],
    scopes,
    ...found,
    refusal: printed(refusal),
  })
  const target = parseRequestTarget(asked.target, house.parameterLimit)
  if (isRefusal(target)) return stop(target)
  const document = house.findOpenDocument(target.path)
  if (document !== undefined) {
    const { route, interaction } = document
    const answer = answerWithoutDocument(asked)
    if (isRefusal(answer)) return stop(answer, { route, interaction })
    return { permitted: true, outcome: 'open', route, interaction, covered: [], missing: [], scopes }
  }
  const entry = house.routes.find(asked.method, target)
  if (isRefusal(entry)) return stop(entry)
  const endpoint = entry.route
  const found = { route: endpoint.route.name }
  const crowded = refuseCrowded(target, endpoint.parameterLimit)
  if (crowded !== undefined) return stop(crowded, found)
  const headers = house.readHeaders(headersOf(asked), { method: asked.method, httpVersion: '1.1' })
  if (isRefusal(headers)) return stop(headers, found)
  // There is no connection and no moment of sending here, so nothing that a token is bound to can be shown.
  const verify = () => authenticator.identify({ method: asked.method, target, headers }, endpoint.route)
  const grant = endpoint.isPublic ? undefined : await credentialOf(asked, endpoint.route, settings.issuers, now, verify)
  if (isRefusal(grant)) return stop(grant, found)
  const line = { method: asked.method, target, headers }
  const use = endpoint.bodyUse(line)
  const known = { ...found, scopes: meanings(asked, grant, endpoint.policy), ...boundTo(grant) }
  const wrongBody = refuseBeforeReading(use, line)
  if (wrongBody !== undefined) return stop(wrongBody, known)
  const request = endpoint.name(line, isReadFirst(use) ? (asked.body ?? '') : undefined, grant)
  if (isRefusal(request)) return stop(request, known)
  const decision = request.decide(grant)
  const named = {
    ...known,
    interaction: request.interaction,
    covered: decision.covered.map(printCoverage),
    ...limitsOf(decision),
  }
  if (decision.outcome === 'deny') {
    return stop(decision.refusal, { ...named, missing: decision.missing.map(printNeed) })
  }
  const edge = offlineEdge(asked)
  const plan = await request.plan(decision, grant, edge)
  if (edge.lacksStored) {
    return { permitted: true, outcome: decision.outcome, missing: [], ...named, unchecked: UNCHECKED }
  }
  if (isRefusal(plan)) return stop(plan, named)
  const wrongContent = asked.body === undefined ? undefined : inspected(asked.body, plan)
  if (wrongContent !== undefined) return stop(wrongContent, named)
  const { method, path, body } = plan
  const narrowed = decision.outcome === 'narrow-guard' ? narrowing(target.parameters, use, asked.body, plan) : undefined
  const forwarded = { upstream: endpoint.upstream.name, method, path, ...(body === undefined ? {} : { body }) }
  return {
    permitted: true,
    outcome: decision.outcome,
    missing: [],
    ...named,
    ...(narrowed && { narrowed }),
    forwarded,
  }
}

function limitsOf(decision: Decision): Pick<Explanation, 'limits'> {
  if (decision.outcome !== 'guard' && decision.outcome !== 'narrow-guard') return {}
  const { covered, constraints } = decision
  const lines = constraints.flatMap((constraint) =>
    constraint === undefined ? [] : describeLimits(constraint, covered),
  )
  const limits = [...new Map(lines.map((line) => [JSON.stringify(line), line])).values()]
  return limits.length === 0 ? {} : { limits }
}

function boundTo(grant: Grant | undefined): Pick<Explanation, 'bound'> {
  const { proofKey, certificate } = grant?.confirmation ?? {}
  if (proofKey === undefined && certificate === undefined) return {}
  const needs = [proofKey && 'a DPoP proof of each request', certificate && 'its client certificate'].filter(Boolean)
  return { bound: `the token counts only with ${needs.join(' and ')}` }
}

const UNCHECKED = 'the stored resource must be within the scopes as well; it is read and checked first'

/** The answers that a live gateway would fetch, as far as they were given. */
function offlineEdge({ body = '', stored }: ExplainRequest): Edge & { readonly lacksStored: boolean } {
  let lacksStored = false
  return {
    get lacksStored() {
      return lacksStored
    },
    body: async () => body,
    ask: async (path) => {
      lacksStored ||= stored === undefined
      // What a condition is asked to find.
      const found = path.includes('?') ? `{"resourceType":"Bundle","entry":[{"resource":${stored}}]}` : stored
      return { status: stored === undefined ? 404 : 200, etag: 'W/"stored"', body: Buffer.from(found ?? '') }
    },
    send: async () => refuse('upstream-unreachable', 'Nothing is sent here.'),
  }
}

/** A real credential is verified as on a request; without one, what is stated stands for it. */
async function credentialOf(
  asked: ExplainRequest,
  route: Route,
  issuers: readonly Issuer[],
  now: number,
  verify: () => Grant | Refusal | Promise<Grant | Refusal>,
): Promise<Grant | Refusal> {
  const verified = await verify()
  const isMissing = isRefusal(verified) && verified.code === 'token-missing'
  return isMissing ? statedGrant(asked, route, issuers, now) : verified
}

function inspected(body: string, plan: Plan): Refusal | undefined {
  const inspection = plan.inspect?.()
  return inspection?.write(Buffer.from(body)) ?? inspection?.end()
}

function headersOf({ headers = [], token, body, target }: ExplainRequest): readonly string[] {
  const has = (name: string): boolean => headers.some((field, i) => i % 2 === 0 && field.toLowerCase() === name)
  const fields = ['host', 'explain', ...headers]
  if (body !== undefined && !has('content-length')) fields.push('content-length', String(Buffer.byteLength(body)))
  // Told from the target, so that a body can be given without saying what it is.
  if (body !== undefined && /\/_search(\?|$)/.test(target) && !has('content-type')) fields.push('content-type', FORM)
  if (token !== undefined) fields.push('authorization', `Bearer ${token}`)
  return fields
}

/** Each scope that was stated or verified, and what it means; nothing for one that does not count. */
function meanings({ scope }: ExplainRequest, grant?: Grant, policy?: FhirPolicy): Explanation['scopes'] {
  const held = grant?.scopes ?? splitScopes(scope)
  return [...new Set([...splitScopes(scope), ...held])].map((granted) => {
    const smart = held.includes(granted) ? parseScope(granted) : undefined
    const idle = policy && smart && unreadableFilter(granted, policy)
    return { granted, ...(smart && { meaning: printScope(smart) }), ...(idle && { idle }) }
  })
}

function splitScopes(scope = ''): readonly string[] {
  return scope.split(' ').filter((one) => one !== '')
}

function printCoverage({ need, scope, worth, limited }: Decision['covered'][number]): Covered {
  return {
    need: printNeed(need),
    scope: scope ?? (limited ? NOT_COVERED : 'public'),
    ...(worth === undefined ? {} : { worth }),
  }
}

/** What comes along in an answer and is covered by no scope does not stand in the way. */
const NOT_COVERED = 'no scope: cut from the answer'

function printNeed({ type, permissions, role, parameter }: Need): string {
  const letters = permissions === '' ? '' : `.${[...permissions].join('|')}`
  const reason =
    parameter === undefined
      ? role === 'include'
        ? ' (whatever else comes along)'
        : ''
      : role === 'probe'
        ? ` (asked about by ${parameter})`
        : ` (brought by ${parameter})`
  return `${type}${letters}${reason}`
}

function printed({ code, status, detail, extras }: Refusal): NonNullable<Explanation['refusal']> {
  return { code, status, detail, ...(extras.scopes === undefined ? {} : { scopes: extras.scopes }) }
}
