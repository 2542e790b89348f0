// Rules for issuers: one source of keys, no keys or identities over plain http from elsewhere, and where there are several, what
// each may mint is said, so that adding an issuer never widens what another's tokens open.
import { isLoopback } from '../schema/address.ts'
import type { Path, Report } from '../source/problem.ts'
import { type Draft, isPlainRoute, placed, type RouteDraft } from './draft.ts'

type IssuerDraft = NonNullable<NonNullable<Draft['issuers']>[number]>

export function checkIssuers(map: Draft, report: Report, warn: Report): void {
  const issuers = [...placed(map.issuers, ['issuers'])]
  const names = new Set<string>()
  for (const [issuer, path] of issuers) {
    checkKeys(issuer, path, report)
    checkTransport(issuer, path, report)
    const name = issuer.name ?? issuer.issuer
    if (name !== undefined && names.has(name))
      report([...path, issuer.name ? 'name' : 'issuer'], `another issuer is called "${name}" too`)
    if (name !== undefined) names.add(name)
    if (issuers.length > 1 && issuer.mayGrant === undefined) {
      report(path, 'missing key "mayGrant": with several issuers, each must say which scopes it may mint', 'key')
    }
  }
  checkIdentities(issuers, report)
  for (const [route, path] of placed(map.routes, ['routes'])) warnOfShownTokens(map, route, path, warn)
  if (issuers.length > 1)
    for (const [route, path] of placed(map.routes, ['routes'])) checkRoute(map, route, path, report)
}

function checkKeys({ jwks, discovery, jwksFile, introspection }: IssuerDraft, path: Path, report: Report): void {
  const sources = [jwks, discovery || undefined, jwksFile].filter((source) => source !== undefined).length
  // An issuer that is asked about every token needs no keys.
  if (sources === 0 && introspection === undefined)
    report(path, 'no keys: give one of jwks, discovery: true, jwksFile', 'key')
  if (sources > 1) report(path, 'several sources of keys: keep one of jwks, discovery: true, jwksFile', 'key')
}

function checkTransport({ issuer, jwks, introspection }: IssuerDraft, path: Path, report: Report): void {
  const urls: [string | undefined, Path][] = [
    [issuer, ['issuer']],
    [jwks, ['jwks']],
    [introspection?.url, ['introspection', 'url']],
  ]
  for (const [url, at] of urls) {
    if (url?.startsWith('http:') && !isLoopback(url))
      report([...path, ...at], 'http is accepted on loopback only; use https')
  }
}

function checkIdentities(issuers: readonly (readonly [IssuerDraft, Path])[], report: Report): void {
  const seen = new Set<string>()
  for (const [{ issuer, name }, path] of issuers) {
    if (issuer === undefined) continue
    if (seen.has(issuer) && name !== undefined) report([...path, 'issuer'], 'another issuer has this URL too')
    seen.add(issuer)
  }
}

/** A token that is no JWT does not say whose it is, so it is shown to one issuer after the other. */
function warnOfShownTokens(map: Draft, route: RouteDraft, path: Path, warn: Report): void {
  const asked = new Set(
    (map.issuers ?? [])
      .filter((issuer) => issuer?.introspection && issuer.introspection.opaque !== false)
      .map((issuer) => issuer?.name ?? issuer?.issuer),
  )
  const names = (route.issuers ?? [...asked]).filter((name) => asked.has(name))
  if (names.length < 2) return
  warn(
    [...path, 'issuers'],
    `tokens that are no JWT are shown to ${names.join(', ')} in turn, though each is only one's; say "opaque: false" where an issuer has none`,
  )
}

function checkRoute(map: Draft, route: RouteDraft, path: Path, report: Report): void {
  if (route.issuers !== undefined || !takesTokens(map, route)) return
  report(path, 'missing key "issuers": with several issuers, a route must say whose tokens count', 'key')
}

// A route that only keys or nobody at all must identify for needs no issuer.
function takesTokens(map: Draft, route: RouteDraft): boolean {
  if (!isPlainRoute(route) && route.smart !== undefined && route.smart !== false) return true
  const catalogue = Object.assign({}, ...Object.values(map.scopes ?? {})) as Record<
    string,
    { credentials?: readonly string[] } | undefined
  >
  return productScopes(route).some((scope) =>
    (catalogue[scope]?.credentials ?? ['oauth2']).some((kind) => kind === 'oauth2' || kind === 'smart'),
  )
}

function productScopes(route: RouteDraft): readonly string[] {
  if (!isPlainRoute(route)) {
    const operations = Object.values(route.operations ?? {}).map((one) => one && 'requires' in one && one.requires)
    const ofOperations = operations.flatMap((one) => (typeof one === 'object' ? [String(one.scope)] : []))
    return [...Object.keys(route.grants ?? {}), ...ofOperations]
  }
  const { match, requires } = route
  const needed = typeof match === 'object' ? Object.values(match) : [requires]
  return needed.flatMap((one) =>
    one === 'public' || one === undefined
      ? []
      : typeof one === 'string'
        ? [one]
        : Object.values(one).flat().map(String),
  )
}
