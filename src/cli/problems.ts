// A route map that cannot be used, printed the same way by every command.

import type { Failed } from '../config/load.ts'
import { printProblem } from '../config/source/problem.ts'
import { printWarnings } from './check.ts'

/** Returns the exit code. */
export function printProblems({ problems, warnings }: Failed): 1 {
  for (const line of printWarnings(warnings)) console.error(line)
  for (const problem of problems) console.error(printProblem(problem))
  console.error('Nothing was opened. Mend the route map and start again; `scopegate check` tells when it is valid.')
  return 1
}
