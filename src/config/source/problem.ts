// One thing that is wrong with a route map, at the place where it is written.

export interface Problem {
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  readonly message: string
}

/** The way to a value: keys and indices from the top. */
export type Path = readonly (string | number)[]

/** Whether a problem is about the value at a path or about its key. */
export type Part = 'key' | 'value'

export type Report = (path: Path, message: string, part?: Part) => void

export const printProblem = ({ file, line, column, message }: Problem): string =>
  `${file}:${line}:${column}: ${message}`

export const sortProblems = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : 1))
