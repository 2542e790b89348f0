// The sets from which metric labels come (contract §6): closed lists here, names from the route map. What a client sends can
// never become a label; whatever is in no set is counted as `other`.

import type { InteractionCode } from '../domain/fhir/interaction.ts'
import { REFUSALS } from '../domain/refusal.ts'

/** FHIR's codes, `http` for other products, `discovery` for open documents, `preflight` for those of browsers, `none` where a request did not come so far. */
const INTERACTION_CODES: Readonly<Record<InteractionCode, true>> = {
  capabilities: true,
  read: true,
  vread: true,
  'history-instance': true,
  'history-type': true,
  'history-system': true,
  create: true,
  update: true,
  patch: true,
  delete: true,
  'search-type': true,
  'search-system': true,
  batch: true,
  transaction: true,
  operation: true,
}

export const LABELS = {
  interaction: new Set([...Object.keys(INTERACTION_CODES), 'http', 'discovery', 'preflight', 'page', 'none']),
  outcome: new Set(['forward', 'narrow', 'guard', 'narrow-guard', 'deny', 'open', 'none']),
  code: new Set([...Object.keys(REFUSALS), 'none']),
  cache: new Set(['token', 'decision', 'introspection']),
  lookup: new Set(['hit', 'miss']),
  guarded: new Set(['released', 'withheld']),
  refresh: new Set(['success', 'failure']),
  port: new Set(['public', 'admin']),
  tlsRefusal: new Set([
    'no-certificate',
    'certificate',
    'distrusted',
    'protocol',
    'no-tls',
    'too-slow',
    'left',
    'other',
  ]),
} as const satisfies Record<string, ReadonlySet<string>>

export type ClosedSet = ReadonlySet<string>

/** Names of the route map in force. A reload replaces them; what was counted under an older name stays. */
export class RouteMapNames {
  route: ClosedSet = new Set(['none'])
  upstream: ClosedSet = new Set()
  issuer: ClosedSet = new Set()

  replace(names: {
    readonly routes: Iterable<string>
    readonly upstreams: Iterable<string>
    readonly issuers: Iterable<string>
  }) {
    this.route = new Set([...names.routes, 'none'])
    this.upstream = new Set(names.upstreams)
    this.issuer = new Set(names.issuers)
  }
}

export function fold(set: ClosedSet, value: string): string {
  return set.has(value) ? value : 'other'
}

/** Statuses that HTTP has; 0 stands for a request whose client left before there was one. */
export function foldStatus(status: number): string {
  return status === 0 ? 'none' : status >= 100 && status <= 599 ? String(Math.trunc(status)) : 'other'
}
