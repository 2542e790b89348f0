// `${NAME}` and `${NAME:-default}` in values. As in a shell, `:-` also counts for a variable that is empty; a value that comes out
// empty counts as not written at all. `$${` is a literal `${`. What is put in is never read again for variables.

export type Environment = Readonly<Record<string, string | undefined>>

export interface Substituted {
  readonly text: string
  /** What is wrong with it, for the user. */
  readonly faults: readonly string[]
}

/** Stands for a value that could not be put in and is reported already. */
export const UNREADABLE = Symbol('unreadable')

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g

export const hasReference = (text: string): boolean => text.includes('${')

export function substitute(text: string, env: Environment): Substituted {
  const faults: string[] = []
  const result = text.replace(REFERENCE, (whole: string, inner: string | undefined) => {
    if (inner === undefined) return '${'
    const [, name = '', fallback] = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner) ?? []
    if (name === '' || !whole.endsWith('}')) {
      faults.push(`"${whole}" is no reference to the environment; write \${NAME} or \${NAME:-default}`)
      return ''
    }
    const value = Object.hasOwn(env, name) ? env[name] : undefined
    if (value === undefined && fallback === undefined) {
      faults.push(`the environment variable ${name} is not set; set it, or write \${${name}:-default}`)
    }
    return fallback === undefined ? (value ?? '') : value || fallback
  })
  return { text: result, faults }
}
