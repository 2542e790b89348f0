// Everything that is called by name must exist: upstreams, issuers, scopes of the catalogue.

import { suggestion } from '../source/nearest.ts'
import type { Path, Report } from '../source/problem.ts'
import {
  type Draft,
  type FhirRouteDraft,
  isPlainRoute,
  type PlainRouteDraft,
  placed,
  placedByName,
  type RouteDraft,
} from './draft.ts'

interface Names {
  readonly upstreams: ReadonlySet<string>
  readonly issuers: ReadonlySet<string>
  readonly scopes: ReadonlySet<string>
}

export function checkNames(map: Draft, report: Report): void {
  const names: Names = {
    upstreams: new Set(Object.keys(map.upstreams ?? {})),
    issuers: new Set([...placed(map.issuers, [])].map(([issuer]) => issuer.name ?? issuer.issuer ?? '')),
    scopes: new Set(Object.values(map.scopes ?? {}).flatMap((category) => Object.keys(category ?? {}))),
  }
  for (const [route, path] of placed(map.routes, ['routes'])) checkRoute(route, path, names, report)
  const sink = map.audit?.sink
  if (typeof sink === 'object') checkName('upstream', sink.fhir, names.upstreams, ['audit', 'sink', 'fhir'], report)
}

function checkRoute(route: RouteDraft, path: Path, names: Names, report: Report): void {
  checkName('upstream', route.upstream, names.upstreams, [...path, 'upstream'], report)
  for (const [issuer, at] of placed(route.issuers, [...path, 'issuers']))
    checkName('issuer', issuer, names.issuers, at, report)
  if (isPlainRoute(route)) checkRequirements(route, path, names, report)
  else checkFhirRoute(route, path, names, report)
}

function checkFhirRoute(route: FhirRouteDraft, path: Path, names: Names, report: Report): void {
  const { smart } = route
  if (typeof smart === 'object') checkName('issuer', smart.issuer, names.issuers, [...path, 'smart', 'issuer'], report)
  for (const [scope, , at] of placedByName(route.grants, [...path, 'grants']))
    checkName('scope', scope, names.scopes, at, report, 'key')
  for (const [, operation, at] of placedByName(route.operations, [...path, 'operations'])) {
    const requires = 'requires' in operation ? operation.requires : undefined
    if (typeof requires === 'object')
      checkName('scope', requires.scope, names.scopes, [...at, 'requires', 'scope'], report)
  }
}

function checkRequirements({ match, requires }: PlainRouteDraft, path: Path, names: Names, report: Report): void {
  const all: [unknown, Path][] = [[requires, [...path, 'requires']]]
  if (typeof match === 'object')
    for (const [, needed, at] of placedByName(match, [...path, 'match'])) all.push([needed, at])
  for (const [needed, at] of all) {
    for (const [scope, place] of scopesOf(needed, at)) checkName('scope', scope, names.scopes, place, report)
  }
}

function* scopesOf(requirement: unknown, path: Path): Generator<readonly [string, Path]> {
  if (typeof requirement === 'string' && requirement !== 'public') yield [requirement, path]
  if (typeof requirement !== 'object' || requirement === null) return
  for (const [key, scopes] of Object.entries(requirement)) yield* placed(scopes as readonly string[], [...path, key])
}

function checkName(
  kind: string,
  name: string | undefined,
  known: ReadonlySet<string>,
  path: Path,
  report: Report,
  part: 'key' | 'value' = 'value',
): void {
  if (name === undefined || known.has(name)) return
  const where = kind === 'scope' ? 'is not in the catalogue (scopes)' : 'is not defined'
  report(path, `${kind} "${name}" ${where}${suggestion(name, known)}`, part)
}
