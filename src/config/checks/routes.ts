// Rules inside one route of either kind: `match` and `requires` that belong together, identity headers that do not collide, a
// rewrite that fits every path, a token endpoint that may be told a secret.
import { isLoopback } from '../schema/address.ts'
import type { Path, Report } from '../source/problem.ts'
import { type Draft, isPlainRoute, type PlainRouteDraft, placed, placedByName, type RouteDraft } from './draft.ts'

export function checkRoutes(map: Draft, report: Report): void {
  for (const [route, path] of placed(map.routes, ['routes'])) {
    if (isPlainRoute(route)) {
      checkMatch(route, path, report)
      checkRewrite(route, path, report)
      checkWebSocket(route, path, report)
    }
    checkClientCredentials(route, path, report)
    checkHeaders(route, map.apiKeys?.header ?? 'X-API-Key', path, report)
  }
}

function checkMatch({ match, requires }: PlainRouteDraft, path: Path, report: Report): void {
  if (typeof match === 'string' && requires === undefined) {
    report(path, 'missing key "requires": the scopes that open it, or public', 'key')
  }
  if (typeof match === 'object' && requires !== undefined) {
    report([...path, 'requires'], 'each line of `match` says what it requires; remove this key', 'key')
  }
  if (typeof match === 'object' && Object.keys(match).length === 0)
    report([...path, 'match'], 'expected at least one line such as GET /path')
}

function checkWebSocket({ match, webSocket }: PlainRouteDraft, path: Path, report: Report): void {
  const lines = typeof match === 'object' ? Object.keys(match) : [String(match)]
  if (webSocket && !lines.some((line) => line.startsWith('GET '))) {
    report([...path, 'webSocket'], 'WebSockets are opened by GET, and no line of `match` is one')
  }
}

/** What `from` says must be there in every request, so that nothing is sent under a path that nobody meant. */
function checkRewrite({ match, rewrite }: PlainRouteDraft, path: Path, report: Report): void {
  const from = rewrite?.from?.replace(/\/$/, '')
  if (from === undefined) return
  const lines: [string, Path][] = []
  if (typeof match === 'string') lines.push([match, [...path, 'match']])
  else for (const [line, , at] of placedByName(match, [...path, 'match'])) lines.push([line, at])
  for (const [line, at] of lines) {
    const served = line.slice(line.indexOf(' ') + 1)
    if (served !== from && !served.startsWith(`${from}/`)) {
      report(at, `this path does not begin with ${from}, which rewrite.from replaces`, 'key')
    }
  }
}

function checkClientCredentials({ authorization }: RouteDraft, path: Path, report: Report): void {
  if (typeof authorization !== 'object' || !('clientCredentials' in authorization)) return
  const { url } = authorization.clientCredentials ?? {}
  if (url?.startsWith('http:') && !isLoopback(url)) {
    report(
      [...path, 'authorization', 'clientCredentials', 'url'],
      'the secret would go there in clear over http; use https',
    )
  }
}

function checkHeaders({ identityHeaders }: RouteDraft, keyHeader: string, path: Path, report: Report): void {
  if (typeof identityHeaders !== 'object') return
  const seen = new Set([keyHeader.toLowerCase()])
  for (const [fact, name] of Object.entries(identityHeaders)) {
    const header = String(name).toLowerCase()
    if (seen.has(header)) report([...path, 'identityHeaders', fact], `the header ${name} is in use already`)
    seen.add(header)
  }
}
