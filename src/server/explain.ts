// `explain`: one request decided by the very functions that serve, without a socket, and told with its reasons. Behind the command
// line and behind `POST /explain` on the admin port.

import { hash } from 'node:crypto'
import type { Decision } from '../domain/decision/decision.ts'
import type { Need } from '../domain/decision/required-access.ts'
import { type CredentialKind, type Grant, grantOf } from '../domain/grant.ts'
import { parseRequestTarget } from '../domain/http/request-target.ts'
import { isRefusal, type Refusal } from '../domain/refusal.ts'
import { parseScope, printScope } from '../domain/smart/scope.ts'
import type { Composed } from './compose.ts'

export interface ExplainRequest {
  readonly method: string
  readonly target: string
  /** Scopes separated by spaces, as a token would carry them. */
  readonly scope?: string | undefined
  /** Id of the launch patient. */
  readonly patient?: string | undefined
  /** `Type/id`. */
  readonly fhirUser?: string | undefined
  readonly credential?: CredentialKind | undefined
  /** Name of an issuer of the route map. */
  readonly issuer?: string | undefined
  /** A whole access token, verified as it would be on a request; instead of the facts above. */
  readonly token?: string | undefined
  /** Flat: name, value, name, value … */
  readonly headers?: readonly string[] | undefined
  readonly body?: string | undefined
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
  readonly scopes: readonly { readonly granted: string; readonly meaning?: string }[]
  readonly refusal?: {
    readonly code: string
    readonly status: number
    readonly detail: string
    readonly scopes?: readonly string[]
  }
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

const ONE_HOUR = 3600

export async function explain({ house }: Composed, asked: ExplainRequest, now: number): Promise<Explanation> {
  const scopes = splitScopes(asked.scope).map((granted) => ({ granted, ...meaning(granted) }))
  const stop = (refusal: Refusal, found: Partial<Explanation> = {}): Explanation => ({
    permitted: false,
    outcome: 'deny',
    covered: [],
    missing: [],
    scopes,
    ...found,
    refusal: printed(refusal),
  })
  const target = parseRequestTarget(asked.target, house.limits.searchParameters)
  if (isRefusal(target)) return stop(target)
  const document = house.findOpenDocument(target.path)
  if (document !== undefined) {
    return {
      permitted: true,
      outcome: 'open',
      route: document.route,
      interaction: document.interaction,
      covered: [],
      missing: [],
      scopes,
    }
  }
  const entry = house.routes.find(asked.method, target)
  if (isRefusal(entry)) return stop(entry)
  const endpoint = entry.route
  const found = { route: endpoint.route.name }
  const headers = house.readHeaders(headersOf(asked))
  if (isRefusal(headers)) return stop(headers, found)
  const authenticated =
    asked.token === undefined || endpoint.isPublic
      ? grantFrom(asked, now)
      : await house.authenticate(headers, target, endpoint)
  if (isRefusal(authenticated)) return stop(authenticated, found)
  const line = { method: asked.method, target, headers }
  const use = endpoint.bodyUse(line)
  const request = endpoint.name(
    line,
    use === 'form' || use === 'bundle' ? (asked.body ?? '') : undefined,
    authenticated,
  )
  if (isRefusal(request)) return stop(request, found)
  const decision = request.decide(authenticated)
  const named = { ...found, interaction: request.interaction, covered: decision.covered.map(printCoverage) }
  if (decision.outcome === 'deny') {
    return stop(decision.refusal, { ...named, missing: decision.missing.map(printNeed) })
  }
  const plan = request.plan(decision, authenticated)
  if (isRefusal(plan)) return stop(plan, named)
  const { method, path, body } = plan
  const forwarded = { upstream: endpoint.upstream.name, method, path, ...(body === undefined ? {} : { body }) }
  return { permitted: true, outcome: decision.outcome, missing: [], scopes, ...named, forwarded }
}

function grantFrom(asked: ExplainRequest, now: number): Grant {
  const { credential = 'bearer', issuer, patient, fhirUser } = asked
  return grantOf(
    {
      kind: credential,
      ...(issuer === undefined ? {} : { issuer }),
      subject: 'explain',
      audience: [],
      scopes: splitScopes(asked.scope),
      patients: patient === undefined ? [] : patient.split(','),
      ...(fhirUser === undefined ? {} : { fhirUser }),
      expiresAt: Math.floor(now / 1000) + ONE_HOUR,
    },
    (text) => hash('sha256', text, 'base64url'),
  )
}

function headersOf({ headers = [], token, body }: ExplainRequest): readonly string[] {
  const has = (name: string): boolean => headers.some((field, i) => i % 2 === 0 && field.toLowerCase() === name)
  const more = body !== undefined && !has('content-length') ? ['content-length', String(Buffer.byteLength(body))] : []
  return ['host', 'explain', ...headers, ...more, ...(token === undefined ? [] : ['authorization', `Bearer ${token}`])]
}

function splitScopes(scope = ''): readonly string[] {
  return scope.split(' ').filter((one) => one !== '')
}

function meaning(granted: string): { meaning?: string } {
  const smart = parseScope(granted)
  return smart === undefined ? {} : { meaning: printScope(smart) }
}

function printCoverage({ need, scope = 'public', worth }: Decision['covered'][number]): Covered {
  return { need: printNeed(need), scope, ...(worth === undefined ? {} : { worth }) }
}

function printNeed({ type, permissions, role, parameter }: Need): string {
  const letters = permissions === '' ? '' : `.${[...permissions].join('|')}`
  const reason =
    parameter === undefined ? '' : role === 'probe' ? ` (asked about by ${parameter})` : ` (brought by ${parameter})`
  return `${type}${letters}${reason}`
}

function printed({ code, status, detail, extras }: Refusal): NonNullable<Explanation['refusal']> {
  return { code, status, detail, ...(extras.scopes === undefined ? {} : { scopes: extras.scopes }) }
}
