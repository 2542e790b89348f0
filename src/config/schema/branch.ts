// Which branch of a union a written value means: by its JSON type, and among maps by the keys that only one branch knows.
// Only that branch is then validated, so that one mistake gives one message.
import type { Keywords } from './effective.ts'

export function branchOf(branches: readonly Keywords[], written: unknown): Keywords | undefined {
  const fitting = branches.filter((branch) => accepts(branch, written))
  if (fitting.length < 2) return fitting[0]
  if (typeof written === 'string') return fitting.find((b) => b.enum?.includes(written)) ?? fitting.find((b) => !b.enum)
  return mostTelling(fitting, Object.keys(written as object))
}

export function jsonType(value: unknown): NonNullable<Keywords['type']> | 'null' {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  if (Number.isInteger(value)) return 'integer'
  return typeof value as 'string' | 'boolean' | 'number' | 'object'
}

function accepts(branch: Keywords, written: unknown): boolean {
  if (branch.anyOf) return branch.anyOf.some((inner) => accepts(inner, written))
  const type = jsonType(written)
  return branch.type === type || (branch.type === 'number' && type === 'integer')
}

function mostTelling(branches: readonly Keywords[], keys: readonly string[]): Keywords | undefined {
  const scores = branches.map((branch) => {
    const others = branches.filter((other) => other !== branch)
    return keys.filter((key) => knows(branch, key) && !others.some((other) => knows(other, key))).length
  })
  const best = Math.max(...scores)
  return best > 0 && scores.filter((score) => score === best).length === 1 ? branches[scores.indexOf(best)] : undefined
}

const knows = (branch: Keywords, key: string): boolean =>
  branch.properties !== undefined && Object.hasOwn(branch.properties, key)
