// Paths that the gateway answers itself: no route may claim them, because it would never be asked.
import { segmentsOf } from '../schema/path.ts'
import type { Report } from '../source/problem.ts'
import { type Draft, isPlainRoute, placed, placedByName } from './draft.ts'

/** First segments of the gateway's own pages. */
const OWN: ReadonlySet<string> = new Set(['scopes', 'scopes.json'])

export function checkOwnPaths(map: Draft, report: Report): void {
  for (const [route, path] of placed(map.routes, ['routes'])) {
    if (!isPlainRoute(route)) {
      if (isOwn(route.path ?? '')) report([...path, 'path'], claimed(route.path!))
    } else if (typeof route.match === 'string') {
      if (isOwn(pathOf(route.match))) report([...path, 'match'], claimed(pathOf(route.match)))
    } else {
      for (const [line, , at] of placedByName(route.match, [...path, 'match'])) {
        if (isOwn(pathOf(line))) report(at, claimed(pathOf(line)), 'key')
      }
    }
  }
}

const isOwn = (path: string): boolean => OWN.has(segmentsOf(path)[0] ?? '')

const pathOf = (line: string): string => line.split(' ')[1] ?? ''

const claimed = (path: string): string =>
  `${path} belongs to the gateway: its Scope Reference stands at /scopes/ and /scopes.json; choose another first segment`
