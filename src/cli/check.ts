// `scopegate check`: everything that is wrong with a route map, each with its place; or, with `--effective`, what it comes to.
import { readFileSync } from 'node:fs'
import { type Failed, type Loaded, loadRouteMap } from '../config/load.ts'
import { printEffective } from '../config/print.ts'
import type { Environment } from '../config/source/environment.ts'
import { type Problem, printProblem } from '../config/source/problem.ts'

export interface CheckOptions {
  /** Print the route map with every default. */
  readonly effective?: boolean
  readonly env?: Environment
  readonly print?: (line: string) => void
  readonly complain?: (line: string) => void
}

/** Exit code: 0 valid, 1 not. */
export function check(configPath: string, options: CheckOptions = {}): 0 | 1 {
  const { effective = false, env = process.env, print = console.log, complain = console.error } = options
  const loaded = readRouteMap(configPath, env)
  for (const line of printWarnings(loaded.warnings)) complain(line)
  if ('problems' in loaded) {
    for (const problem of loaded.problems) complain(printProblem(problem))
    complain(`${configPath} is not valid: ${counted(loaded.problems.length, 'problem')}.`)
    return 1
  }
  const { routes, issuers, upstreams, scopes } = loaded.settings
  if (effective) print(printEffective(loaded).trimEnd())
  else {
    const parts = [
      counted(routes.length, 'route'),
      counted(issuers.length, 'issuer'),
      counted(Object.keys(upstreams).length, 'upstream'),
    ]
    print(`${configPath} is valid: ${parts.join(', ')}, ${counted(scopes.length, 'scope')} in the catalogue.`)
  }
  return 0
}

/** Also for `serve`, `explain` and `demo`: a file that cannot be read is a problem like any other. */
export function readRouteMap(configPath: string, env: Environment): Loaded | Failed {
  let text: string
  try {
    text = readFileSync(configPath, 'utf8')
  } catch (error) {
    return unreadable(configPath, error)
  }
  return loadRouteMap(text, { file: configPath, env })
}

export function unreadable(configPath: string, error: unknown): Failed {
  const { code, message } = error as NodeJS.ErrnoException
  const why = (code && UNREADABLE[code]) ?? message
  return {
    problems: [{ file: configPath, line: 1, column: 1, message: `${why}; name another by --config` }],
    warnings: [],
  }
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'this is a folder',
  EACCES: 'this process may not read it',
}

export const printWarnings = (warnings: readonly Problem[]): string[] =>
  warnings.map((warning) => printProblem({ ...warning, message: `warning: ${warning.message}` }))

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`
