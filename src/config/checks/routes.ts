// Rules inside one route of either kind: `match` and `requires` that belong together, identity headers that do not collide.
import type { Path, Report } from '../source/problem.ts'
import { type Draft, isPlainRoute, type PlainRouteDraft, placed, type RouteDraft } from './draft.ts'

export function checkRoutes(map: Draft, report: Report): void {
  for (const [route, path] of placed(map.routes, ['routes'])) {
    if (isPlainRoute(route)) checkMatch(route, path, report)
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

function checkHeaders({ identityHeaders }: RouteDraft, keyHeader: string, path: Path, report: Report): void {
  if (typeof identityHeaders !== 'object') return
  const seen = new Set([keyHeader.toLowerCase()])
  for (const [fact, name] of Object.entries(identityHeaders)) {
    const header = String(name).toLowerCase()
    if (seen.has(header)) report([...path, 'identityHeaders', fact], `the header ${name} is in use already`)
    seen.add(header)
  }
}
