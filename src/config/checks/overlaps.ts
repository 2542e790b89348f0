// Two routes that could match the same request equally are an error: the one with the longer literal prefix wins, so a pair is
// ambiguous when the prefixes are equally long and some path fits both. Names of routes must differ too.
import { segmentsOf } from '../schema/path.ts'
import type { Path, Report } from '../source/problem.ts'
import { type Draft, isPlainRoute, placed, placedByName } from './draft.ts'

interface Line {
  /** Undefined: every method. */
  readonly method: string | undefined
  readonly segments: readonly string[]
  /** A FHIR base, or a template with a last `*`: whatever follows. */
  readonly open: boolean
  readonly shown: string
  readonly path: Path
  readonly part: 'key' | 'value'
}

export function checkOverlaps(map: Draft, report: Report): void {
  const lines: Line[] = []
  for (const line of linesOf(map)) {
    const rival = lines.find((other) => overlap(line, other))
    if (rival)
      report(
        line.path,
        `${line.shown} and ${rival.shown} could match the same request equally; make one more specific`,
        line.part,
      )
    lines.push(line)
  }
  const names = new Set<string>()
  for (const [{ name }, path] of placed(map.routes, ['routes'])) {
    if (name === undefined) continue
    if (names.has(name)) report([...path, 'name'], `another route is called "${name}" too`)
    names.add(name)
  }
}

function* linesOf(map: Draft): Generator<Line> {
  for (const [route, path] of placed(map.routes, ['routes'])) {
    if (!isPlainRoute(route)) {
      if (route.path === undefined) continue
      const segments = segmentsOf(route.path)
      yield { method: undefined, segments, open: true, shown: route.path, path: [...path, 'path'], part: 'value' }
    } else if (typeof route.match === 'string') yield lineOf(route.match, [...path, 'match'], 'value')
    else for (const [written, , at] of placedByName(route.match, [...path, 'match'])) yield lineOf(written, at, 'key')
  }
}

function lineOf(written: string, path: Path, part: 'key' | 'value'): Line {
  const [method, template = ''] = written.split(' ')
  const all = segmentsOf(template)
  const open = all.at(-1) === '*'
  return { method, segments: open ? all.slice(0, -1) : all, open, shown: written, path, part }
}

function overlap(a: Line, b: Line): boolean {
  const methods = a.method === undefined || b.method === undefined || asRead(a.method) === asRead(b.method)
  if (!methods || literalLength(a) !== literalLength(b)) return false
  const [short, long] = a.segments.length <= b.segments.length ? [a, b] : [b, a]
  if (short.segments.length < long.segments.length && !short.open) return false
  return short.segments.every((segment, index) => {
    const other = long.segments[index] ?? ''
    return isVariable(segment) || isVariable(other) || segment === other
  })
}

// What may be read may be asked for by HEAD.
const asRead = (method: string): string => (method === 'HEAD' ? 'GET' : method)

const isVariable = (segment: string): boolean => segment.startsWith('{')

function literalLength({ segments }: Line): number {
  const variable = segments.findIndex(isVariable)
  return variable < 0 ? segments.length : variable
}
